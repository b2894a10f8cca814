public import Messages
public import RPC
import Synchronization

/// Whether this process is ready: starting, serving or draining.
public final class ServiceHealth: HealthService {
    /// The full name of the service, whose calls need no principal.
    public static let serviceName = HealthMethods.check.service

    private struct State {
        var isServing = false
        var watchers: [Int: AsyncStream<Bool>.Continuation] = [:]
        var nextTicket = 0
    }

    private let state = Mutex(State())

    /// A process that is starting.
    public init() {}

    /// Whether the process is ready.
    public var isServing: Bool { state.withLock { $0.isServing } }

    /// Says that the process is ready, or that it no longer is.
    public func set(serving isServing: Bool) {
        let watchers = state.withLock { state in
            guard state.isServing != isServing else { return [AsyncStream<Bool>.Continuation]() }
            state.isServing = isServing
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher.yield(isServing) }
    }

    /// Answers the state of the process.
    public func check(
        _ request: CheckHealthRequest, _ context: CallContext
    ) async throws -> CheckHealthReply {
        Self.reply(isServing)
    }

    /// Answers the state at once and again whenever it changes.
    public func watch(
        _ request: CheckHealthRequest, _ context: CallContext,
        _ replies: ReplyStream<CheckHealthReply>
    ) async throws {
        // Only the newest state counts for somebody who was slow.
        let (changes, continuation) = AsyncStream.makeStream(
            of: Bool.self, bufferingPolicy: .bufferingNewest(1))
        let ticket = state.withLock { state in
            state.nextTicket += 1
            state.watchers[state.nextTicket] = continuation
            continuation.yield(state.isServing)
            return state.nextTicket
        }
        defer { state.withLock { $0.watchers[ticket] = nil } }
        for await isServing in changes { try await replies.write(Self.reply(isServing)) }
        try Task.checkCancellation()
    }

    private static func reply(_ isServing: Bool) -> CheckHealthReply {
        CheckHealthReply(state: isServing ? .serving : .notServing)
    }
}
