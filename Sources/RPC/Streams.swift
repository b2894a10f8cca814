/// Takes the replies of a call whose replies stream; the handler's side.
///
/// Generated service protocols see it as a ``ReplyStream`` of their reply type.
public struct ReplyWriter: Sendable {
    fileprivate let sendNow: @Sendable (OutgoingMessage) throws -> Bool
    fileprivate let send: @Sendable (OutgoingMessage) async throws -> Void

    /// A writer that hands each reply to a closure.
    ///
    /// - Parameters:
    ///   - sendNow: Sends at once if there is room, and says whether it did. A stream with room is
    ///     much faster for it.
    ///   - send: Sends, and returns when there is room for more.
    public init(
        now sendNow: @escaping @Sendable (OutgoingMessage) throws -> Bool = { _ in false },
        _ send: @escaping @Sendable (OutgoingMessage) async throws -> Void
    ) {
        self.sendNow = sendNow
        self.send = send
    }

    /// Sends a reply; returns when the receiver has room for another.
    ///
    /// - Throws: `CancellationError` or ``Status`` when the call is over.
    public func write(_ reply: OutgoingMessage) async throws {
        if try sendNow(reply) { return }
        try await send(reply)
    }
}

/// Takes the typed replies of a call whose replies stream.
public struct ReplyStream<Value: Message>: Sendable {
    private let writer: ReplyWriter

    /// A typed view of a writer.
    public init(_ writer: ReplyWriter) {
        self.writer = writer
    }

    /// Sends a reply; returns when the receiver has room for another.
    ///
    /// - Throws: `CancellationError` or ``Status`` when the call is over.
    public func write(_ value: Value) async throws {
        let reply = OutgoingMessage.message(value)
        if try writer.sendNow(reply) { return }
        try await writer.send(reply)
    }
}

/// Takes the requests of a call whose requests stream; the caller's side.
///
/// Generated clients see it as a ``RequestStream`` of their request type.
public struct RequestWriter: Sendable {
    private let send: @Sendable (OutgoingMessage) async throws -> Void
    private let end: @Sendable () async throws -> Void

    /// A writer over two closures: one sends, and returns when there is room for more; the other
    /// says that nothing follows.
    public init(
        _ send: @escaping @Sendable (OutgoingMessage) async throws -> Void,
        finish: @escaping @Sendable () async throws -> Void
    ) {
        self.send = send
        end = finish
    }

    /// Sends a request; returns when the receiver has room for another.
    ///
    /// - Throws: ``CallEnded`` when the server has ended the call, or `CancellationError`.
    public func write(_ request: OutgoingMessage) async throws {
        try await send(request)
    }

    /// Says that no further request follows; later calls do nothing.
    ///
    /// - Throws: `CancellationError`.
    public func finish() async throws {
        try await end()
    }
}

/// Takes the typed requests of a call whose requests stream.
public struct RequestStream<Value: Message>: Sendable {
    private let writer: RequestWriter

    /// A typed view of a writer.
    public init(_ writer: RequestWriter) {
        self.writer = writer
    }

    /// Sends a request; returns when the receiver has room for another.
    ///
    /// - Throws: ``CallEnded`` when the server has ended the call, or `CancellationError`.
    public func write(_ value: Value) async throws {
        try await writer.write(.message(value))
    }

    /// Says that no further request follows; later calls do nothing.
    ///
    /// - Throws: `CancellationError`.
    public func finish() async throws {
        try await writer.finish()
    }
}

/// A request could not be sent because the server has ended the call.
///
/// Its status is what the call ends with.
public struct CallEnded: Error, Sendable, Hashable {
    /// The error.
    public init() {}
}

/// Hands out the messages of the other side of a stream, one after the other.
///
/// One task reads at a time. Generated code sees it as a ``MessageStream``.
public struct MessageReader: Sendable {
    private let take: @Sendable () async throws -> (any Payload)?

    /// A reader over a closure that waits for the next message; nil when there is none left.
    public init(_ next: @escaping @Sendable () async throws -> (any Payload)?) {
        take = next
    }

    /// The next message; nil when the other side has sent its last.
    ///
    /// - Throws: ``Status`` when the call has failed, or `CancellationError`.
    public func next() async throws -> (any Payload)? {
        try await take()
    }
}

/// The typed messages of the other side of a stream; it can be read once.
public struct MessageStream<Value: Message>: AsyncSequence, Sendable {
    private let reader: MessageReader
    private let decode: @Sendable (any Payload) throws -> Value

    /// A typed view of a reader.
    public init(
        _ reader: MessageReader, decoding: @escaping @Sendable (any Payload) throws -> Value
    ) {
        self.reader = reader
        decode = decoding
    }

    /// The next message; nil when the other side has sent its last.
    ///
    /// - Throws: ``Status`` when the call has failed, or `CancellationError`.
    public func next() async throws -> Value? {
        guard let payload = try await reader.next() else { return nil }
        return try decode(payload)
    }

    /// The messages in the order in which they were sent.
    public func makeAsyncIterator() -> Iterator {
        Iterator(stream: self)
    }

    /// Reads a ``MessageStream``.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let stream: MessageStream

        /// The next message; nil when the other side has sent its last.
        public mutating func next() async throws -> Value? {
            try await stream.next()
        }
    }
}
