import Access
import Messages
import RPC
import RPCTesting
import ServiceKit
import Storage
import Synchronization

@testable import Organizations

extension Installation {
    /// The channel of a person with grants.
    func channel(_ grants: [Access.Grant]) throws -> any Channel {
        let signer = try signer("gateway")
        let user: UserID = identifiers.next()
        return channel { try signer.user(user, grants: grants) }
    }

    /// The channel of another process of the installation.
    func channel(of service: String) throws -> any Channel {
        let signer = try signer(service)
        return channel { try signer.service(audience: "organizations") }
    }

    /// The channel of somebody who does not say who calls.
    func strangeChannel() -> any Channel {
        channel { nil }
    }

    /// What the feed has told of one kind so far.
    func events<Body: Message>(_ body: Body.Type) async throws -> [Body] {
        try await database.feed.events(after: 0, limit: 1_000)
            .filter { $0.kind == Body.messageName }
            .map { try Body(decoding: $0.body) }
    }
}

extension Status {
    /// The status over HTTP.
    var httpStatus: Int { ErrorReason.httpStatus(of: self) }
}

/// What a call answers; nil when it is refused.
func answer<Reply: Sendable>(of call: () async throws -> Reply) async -> Reply? {
    do {
        return try await call()
    } catch {
        return nil
    }
}

/// Does something so many times at once, and answers the reason of each refusal; nil for success.
func outcomes(
    of count: Int, _ body: @escaping @Sendable (_ number: Int) async throws -> Void
) async -> [String?] {
    await withTaskGroup(of: String?.self) { group in
        for number in 0..<count {
            group.addTask {
                do {
                    try await body(number)
                    return nil
                } catch {
                    return (error as? Status)?.reason ?? "\(error)"
                }
            }
        }
        return await group.reduce(into: []) { $0.append($1) }
    }
}

/// What domains say of themselves, as if it were published.
final class PublishedRecords: TextRecords {
    private struct State {
        var texts: [String: [String]] = [:]
        var asked: [String] = []
        var isReachable = true
    }

    private let state = Mutex(State())

    /// The names that were asked for.
    var asked: [String] { state.withLock { $0.asked } }

    func publish(_ text: String, at name: String) {
        state.withLock { $0.texts[name, default: []].append(text) }
    }

    func setReachable(_ isReachable: Bool) {
        state.withLock { $0.isReachable = isReachable }
    }

    func texts(at name: String) async throws -> [String] {
        try state.withLock { state in
            state.asked.append(name)
            guard state.isReachable else { throw TextRecordFault.noAnswer }
            return state.texts[name] ?? []
        }
    }
}
