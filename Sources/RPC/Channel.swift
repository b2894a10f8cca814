/// Carries calls to a server: over the network, or within the process.
public protocol Channel: Sendable {
    /// Makes a call of one request and one reply.
    ///
    /// - Returns: The encoded reply.
    /// - Throws: ``Status``.
    func unary(
        _ method: MethodDescriptor, _ request: OutgoingMessage, options: CallOptions
    ) async throws -> any Payload

    /// Makes a call of one request and any number of replies, consumed by a closure.
    ///
    /// The call is cancelled when the closure throws or its task is cancelled.
    /// - Throws: ``Status``, or what the closure throws.
    func serverStreaming(
        _ method: MethodDescriptor, _ request: OutgoingMessage, options: CallOptions,
        onReply: @Sendable (any Payload) async throws -> Void
    ) async throws

    /// Makes a call of any number of requests and of replies, used by a closure.
    ///
    /// A call of many requests and one reply is the same with one message to read. The call is
    /// opened when the closure begins; it is cancelled when the closure throws, or returns before
    /// the server has ended it, or when its task is cancelled.
    ///
    /// - Returns: What the closure returns.
    /// - Throws: ``Status``, or what the closure throws.
    func bidirectional<Result: Sendable>(
        _ method: MethodDescriptor, options: CallOptions,
        _ body: @Sendable (RequestWriter, MessageReader) async throws -> Result
    ) async throws -> Result
}

/// What a caller wants for one call.
public struct CallOptions: Sendable, Hashable {
    /// How long the call may take; nil is the default for unary calls and no end for streams.
    ///
    /// The default is ``Deadline/timeoutDefault``. The deadline of the call being handled shortens
    /// it.
    public var timeout: Duration?
    /// Sent beside the request.
    public var metadata: Metadata
    /// Whether the call waits, until its deadline, for a server that cannot be reached now.
    public var waitsForReady: Bool
    /// After this time without an answer, a second attempt goes to another server, and the first
    /// answer wins; nil is never.
    ///
    /// It holds for calls of one reply to methods that change nothing.
    public var hedgeAfter: Duration?
    /// Filled with what the server sends when the call ends, beside its reply or its error; nil
    /// when nobody wants it.
    public var trailingMetadata: TrailingMetadata?

    /// Options.
    public init(
        timeout: Duration? = nil, metadata: Metadata = Metadata(), waitsForReady: Bool = false,
        hedgeAfter: Duration? = nil, trailingMetadata: TrailingMetadata? = nil
    ) {
        self.timeout = timeout
        self.metadata = metadata
        self.waitsForReady = waitsForReady
        self.hedgeAfter = hedgeAfter
        self.trailingMetadata = trailingMetadata
    }

    /// Where the trailing metadata of the call are found once it has ended; for interceptors, which
    /// share them with the caller.
    public mutating func collectTrailingMetadata() -> TrailingMetadata {
        let collected = trailingMetadata ?? TrailingMetadata()
        trailingMetadata = collected
        return collected
    }

    /// The deadline of a unary call made now, inherited deadline included.
    public func unaryDeadline(at now: MonotonicInstant = .now) -> Deadline {
        let own = Deadline.after(
            min(timeout ?? Deadline.timeoutDefault, Deadline.timeoutMax), from: now)
        guard let inherited = Deadline.current else { return own }
        return min(own, inherited)
    }

    /// The deadline of a streaming call made now: ``Deadline/never`` unless these options name a
    /// timeout or the call being handled has a deadline.
    public func streamingDeadline(at now: MonotonicInstant = .now) -> Deadline {
        let own = timeout.map { Deadline.after($0, from: now) } ?? .never
        guard let inherited = Deadline.current else { return own }
        return min(own, inherited)
    }
}
