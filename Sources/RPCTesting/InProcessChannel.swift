public import RPC
import Synchronization

/// Carries calls to a router in the same process.
///
/// Requests and replies are encoded and decoded as on a connection, metadata is checked, deadlines
/// and cancellation reach the handler, and errors leave as ``RPC/Status``. A handler that is
/// cancelled is awaited: nothing of a call runs on once the call has returned.
public struct InProcessChannel: Channel {
    private let router: Router
    private let peer: Peer

    /// A channel to the services of a router.
    public init(_ router: Router, peer: Peer = Peer("in-process")) {
        self.router = router
        self.peer = peer
    }

    /// Makes a call of one request and one reply.
    ///
    /// - Returns: The encoded reply.
    /// - Throws: ``RPC/Status``.
    public func unary(
        _ method: MethodDescriptor, _ request: OutgoingMessage, options: CallOptions
    ) async throws -> any Payload {
        try options.metadata.validate()
        let registered = try router.method(at: method.path)
        guard case .unary(let handler) = registered.handler else {
            throw Status(.unimplemented, "The method \(method.path) is not unary.")
        }
        let context = CallContext(
            method: registered.descriptor, metadata: options.metadata,
            deadline: options.unaryDeadline(), peer: peer)
        let payload = request.encoded()
        return try await answered(by: context.deadline) {
            try await handler(payload, context).encoded()
        }
    }

    /// Makes a call of one request and any number of replies, consumed by a closure.
    ///
    /// - Throws: ``RPC/Status``, or what the closure throws.
    public func serverStreaming(
        _ method: MethodDescriptor, _ request: OutgoingMessage, options: CallOptions,
        onReply: @Sendable (any Payload) async throws -> Void
    ) async throws {
        try options.metadata.validate()
        let registered = try router.method(at: method.path)
        guard case .serverStreaming(let handler) = registered.handler else {
            throw Status(.unimplemented, "The method \(method.path) does not stream replies.")
        }
        let context = CallContext(
            method: registered.descriptor, metadata: options.metadata,
            deadline: options.streamingDeadline(), peer: peer)
        let payload = request.encoded()
        let (replies, source) = AsyncStream<Handover>.makeStream()
        let writer = ReplyWriter { reply in
            let bytes = reply.encoded()
            try await withCheckedThrowingContinuation { taken in
                let handover = Handover(bytes: bytes, taken: taken)
                if case .enqueued = source.yield(handover) { return }
                taken.resume(throwing: CancellationError())
            }
        }
        try await withThrowingTaskGroup { group in
            group.addTask {
                defer { source.finish() }
                try await answered(by: context.deadline) {
                    try await handler(payload, context, writer)
                }
            }
            do {
                for await reply in replies { try await reply.consume(by: onReply) }
                try await group.next()
            } catch {
                group.cancelAll()
                source.finish()
                // Whoever waits to hand a reply over must hear that nobody takes it.
                for await reply in replies { reply.taken.resume(throwing: CancellationError()) }
                throw error
            }
        }
    }
}

/// A reply on its way from handler to consumer, and the handler that waits until it is consumed.
private struct Handover: Sendable {
    let bytes: [UInt8]
    let taken: CheckedContinuation<Void, any Error>

    func consume(by body: (any Payload) async throws -> Void) async throws {
        do {
            try await body(bytes)
            taken.resume()
        } catch {
            taken.resume(throwing: CancellationError())
            throw error
        }
    }
}

/// Runs a handler under a deadline that its own calls inherit; every error is a status.
private func answered<Result: Sendable>(
    by deadline: Deadline, _ handler: @escaping @Sendable () async throws -> Result
) async throws(Status) -> Result {
    let late = Status(.deadlineExceeded, "The deadline has passed.")
    guard !deadline.hasPassed() else { throw late }
    do {
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                guard !deadline.isNever else { return try await handler() }
                return try await Deadline.$current.withValue(deadline) { try await handler() }
            }
            if !deadline.isNever {
                group.addTask {
                    try await ContinuousClock().sleep(until: deadline.instant)
                    return nil
                }
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let result = first else { throw late }
            return result
        }
    } catch {
        throw deadline.hasPassed() ? late : Status(thrown: error)
    }
}
