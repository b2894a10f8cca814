import Access
import Messages
import RPC
import RPCTesting
import ServiceKit
import Storage
import Synchronization

@testable import Membership

extension Hall {
    /// A channel on which a subject with grants calls, as the gateway says it.
    func channel(
        _ subject: Access.Principal.Subject, _ grants: [Access.Grant]
    ) -> any Channel {
        InProcessChannel(router).acting { [signers] in
            guard let gateway = signers["gateway"] else { return [] }
            return switch subject {
            case .user(let id): try gateway.user(id, grants: grants, audience: "membership")
            case .apiKey(let id): try gateway.apiKey(id, grants: grants, audience: "membership")
            case .service: []
            }
        }
    }

    /// Calls about API keys, of a person with one role.
    func keys(as role: Access.Role, at node: OrganizationID? = nil) -> ApiKeysClient {
        ApiKeysClient(channel(.user(identifiers.next()), [Access.Grant(role, at: node)]))
    }

    /// A channel of a program with one role.
    func program(as role: Access.Role, at node: OrganizationID? = nil) -> any Channel {
        channel(.apiKey(identifiers.next()), [Access.Grant(role, at: node)])
    }

    /// Who a token is, as the gateway asks it.
    func owner(of token: String) async throws -> AuthenticateReply {
        try await service("gateway").authenticate(AuthenticateRequest(token: token))
    }

    /// Moves the clock to the beginning of a minute.
    func advanceToMinute() {
        let rest = 60_000_000 - clock.now.microseconds % 60_000_000
        clock.advance(by: .microseconds(rest))
    }
}

extension CallOptions {
    /// Those of a call with an idempotency key.
    static func keyed(_ key: String) -> CallOptions {
        var options = CallOptions()
        options.metadata[text: MetadataKey.idempotencyKey] = key
        return options
    }
}

/// Organizations as far as provisioning knows it: one organization for each outside identifier,
/// told to a hall when the hall catches up.
final class OrganizationOffice: Sendable {
    private struct Arrival: Sendable {
        let id: OrganizationID
        let parent: OrganizationID?
    }

    private struct State {
        weak var hall: Hall?
        var organizations: [String: OrganizationID] = [:]
        var untold: [Arrival] = []
        var asked: [CallOptions] = []
        var fault: Status?
        var answer: Organization?
        var isSilent = false
    }

    private let state = Mutex(State())

    /// What the calls came with, in their order.
    var asked: [CallOptions] { state.withLock { $0.asked } }

    /// The organization of an outside identifier.
    func organization(_ externalID: String) -> OrganizationID? {
        state.withLock { $0.organizations[externalID] }
    }

    /// A hall that asks this office.
    func hall() throws -> Hall {
        let hall = try Hall(
            tree: TreeBarrier(catchUp: { try await self.tell() }, wait: { _, _ in }),
            organizations: self)
        state.withLock { $0.hall = hall }
        return hall
    }

    /// Refuses every call from now on, or none.
    func refuse(with fault: Status?) { state.withLock { $0.fault = fault } }

    /// Answers this to every call from now on, or what is asked for.
    func answer(with organization: Organization?) {
        state.withLock { $0.answer = organization }
    }

    /// Tells the hall nothing more, or all again.
    func beSilent(_ isSilent: Bool) { state.withLock { $0.isSilent = isSilent } }

    func provision(
        _ request: ProvisionOrganizationRequest, _ options: CallOptions
    ) throws -> Organization {
        try state.withLock { state in
            state.asked.append(options)
            if let fault = state.fault { throw fault }
            if let answer = state.answer { return answer }
            if let known = state.organizations[request.externalID] {
                return Organization(id: known.text)
            }
            guard let hall = state.hall else { throw Status(.unavailable, "nobody is there") }
            let id: OrganizationID = hall.identifiers.next()
            state.organizations[request.externalID] = id
            state.untold.append(
                Arrival(id: id, parent: OrganizationID(text: request.parentID)))
            return Organization(id: id.text, title: request.title)
        }
    }

    private func tell() async throws {
        let (hall, arrivals) = state.withLock { state -> (Hall?, [Arrival]) in
            guard !state.isSilent else { return (nil, []) }
            defer { state.untold = [] }
            return (state.hall, state.untold)
        }
        for arrival in arrivals {
            try await hall?.organization(arrival.id, below: arrival.parent)
        }
    }
}

extension Status {
    /// The fields of the request that are wrong.
    var invalidFields: [String] {
        for case .badRequest(let fields) in details { return fields.map(\.field) }
        return []
    }
}
