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
    public init(_ router: Router, peer: Peer = Peer("in-process", isLocal: true)) {
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
        let context = CallContext(
            method: registered.descriptor, metadata: options.metadata,
            deadline: options.unaryDeadline(), peer: peer)
        let payload = request.encoded()
        let handler = registered.handler
        return try await answered(context, options) {
            switch handler {
            case .unary(let handler): return try await handler(payload, context).encoded()
            case .synchronous(let handler): return try handler(payload, context).encoded()
            case .serverStreaming, .clientStreaming, .bidirectional:
                throw Status(.unimplemented, "The method \(method.path) is not unary.")
            }
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
        let payload = request.encoded()
        try await run(registered, options, requests: nil) { context, replies in
            try await handler(payload, context, replies.writer)
        } body: { replies in
            while let reply = try await replies.next() { try await onReply(reply) }
        }
    }

    /// Makes a call of any number of requests and of replies, used by a closure.
    ///
    /// - Returns: What the closure returns.
    /// - Throws: ``RPC/Status``, or what the closure throws.
    public func bidirectional<Result: Sendable>(
        _ method: MethodDescriptor, options: CallOptions,
        _ body: @Sendable (RequestWriter, MessageReader) async throws -> Result
    ) async throws -> Result {
        try options.metadata.validate()
        let registered = try router.method(at: method.path)
        let requests = MessagePipe(closing: CallEnded())
        let handler: @Sendable (CallContext, MessagePipe) async throws -> Void
        switch registered.handler {
        case .clientStreaming(let answer):
            handler = { context, replies in
                let reply = try await answer(requests.reader, context)
                requests.close()
                try await replies.send(reply.encoded())
            }
        case .bidirectional(let answer):
            handler = { try await answer(requests.reader, $0, $1.writer) }
        case .unary, .synchronous, .serverStreaming:
            throw Status(.unimplemented, "The method \(method.path) does not stream requests.")
        }
        return try await run(registered, options, requests: requests, handler) { replies in
            let writer = RequestWriter(
                { try await requests.send($0.encoded()) }, finish: { requests.end() })
            do {
                return try await body(writer, replies.reader)
            } catch let ended as CallEnded {
                throw replies.failure ?? ended
            }
        }
    }

    /// Runs the handler of a call that streams beside the closure that uses it, and ends with both.
    private func run<Result: Sendable>(
        _ registered: RegisteredMethod, _ options: CallOptions, requests: MessagePipe?,
        _ handler: @escaping @Sendable (CallContext, MessagePipe) async throws -> Void,
        body: (MessagePipe) async throws -> Result
    ) async throws -> Result {
        let context = CallContext(
            method: registered.descriptor, metadata: options.metadata,
            deadline: options.streamingDeadline(), peer: peer)
        let replies = MessagePipe(closing: CancellationError())
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await answered(context, options) { try await handler(context, replies) }
                    replies.end()
                } catch {
                    replies.end(error)
                }
                requests?.close()
            }
            defer {
                group.cancelAll()
                replies.close()
                requests?.end(Status(.cancelled, "The call was cancelled."))
            }
            return try await body(replies)
        }
    }
}

/// Runs a handler under a deadline that its own calls inherit, and tells the caller what goes with
/// the end of its call; every error is a status.
private func answered<Result: Sendable>(
    _ context: CallContext, _ options: CallOptions,
    _ handler: @escaping @Sendable () async throws -> Result
) async throws(Status) -> Result {
    let deadline = context.deadline
    let late = Status(.deadlineExceeded, "The deadline has passed.")
    var ending = late
    defer { options.trailingMetadata?.metadata = ending.trailingMetadata }
    guard !deadline.hasPassed() else { throw late }
    do {
        let result = try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                guard !deadline.isNever else { return try await handler() }
                return try await Deadline.$current.withValue(deadline) { try await handler() }
            }
            if !deadline.isNever {
                group.addTask {
                    try await ContinuousClock().sleep(until: .init(deadline.instant))
                    return nil
                }
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let result = first else { throw late }
            return result
        }
        ending = context.trailingMetadata.ending(Status(.ok, ""))
        if ending.code == .ok { return result }
    } catch {
        if !deadline.hasPassed() {
            ending = context.trailingMetadata.ending(Status(thrown: error))
        }
    }
    throw ending
}
