/// The bytes of one message, in whatever memory the transport holds them.
///
/// A payload is handed on without a copy; ``withBytes(_:)`` lends a view of it.
public protocol Payload: Sendable {
    /// The number of bytes.
    var byteCount: Int { get }

    /// Lends the bytes to a closure.
    func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result
}

extension Array: Payload where Element == UInt8 {
    /// The number of bytes.
    public var byteCount: Int { count }

    /// Lends the bytes to a closure.
    public func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(span.bytes)
    }
}

extension Payload {
    /// The bytes copied into an array.
    public var bytes: [UInt8] {
        withBytes { span in
            unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
        }
    }
}

/// A message on its way out: a value to encode into the outgoing frame, or bytes to pass through.
///
/// One reference: it passes through several hands, and each would copy the message.
public struct OutgoingMessage: Sendable {
    private let content: any OutgoingContent

    @usableFromInline
    init(_ content: any OutgoingContent) {
        self.content = content
    }

    /// A value; the transport encodes it straight into its outgoing buffer.
    @inlinable
    public static func message(_ message: consuming some Message) -> OutgoingMessage {
        OutgoingMessage(MessageContent(message))
    }

    /// An encoded message.
    public static func encoded(_ payload: any Payload) -> OutgoingMessage {
        OutgoingMessage(EncodedContent(payload))
    }

    /// The most bytes that ``encode(into:)`` appends.
    public var encodedByteCountMax: Int { content.encodedByteCountMax }

    /// Appends the encoded message.
    public func encode(into output: inout OutputRawSpan) { content.encode(into: &output) }

    /// The encoded message as an array of bytes.
    public func encoded() -> [UInt8] { content.encoded() }
}

@usableFromInline
protocol OutgoingContent: AnyObject, Sendable {
    var encodedByteCountMax: Int { get }
    func encode(into output: inout OutputRawSpan)
    func encoded() -> [UInt8]
}

@usableFromInline
final class MessageContent<Value: Message>: OutgoingContent {
    @usableFromInline
    let value: Value

    @inlinable
    init(_ value: consuming Value) {
        self.value = value
    }

    @inlinable
    var encodedByteCountMax: Int { value.encodedByteCountMax }

    @inlinable
    func encode(into output: inout OutputRawSpan) { value.encode(into: &output) }

    @inlinable
    func encoded() -> [UInt8] { value.encoded() }
}

private final class EncodedContent: OutgoingContent {
    private let payload: any Payload

    init(_ payload: any Payload) {
        self.payload = payload
    }

    var encodedByteCountMax: Int { payload.byteCount }

    func encode(into output: inout OutputRawSpan) {
        payload.withBytes { span in
            unsafe output.withUnsafeMutableBytes { memory, count in
                unsafe span.withUnsafeBytes { bytes in
                    let free = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...])
                    unsafe free.copyMemory(from: bytes)
                }
                count += span.byteCount
            }
        }
    }

    func encoded() -> [UInt8] { payload.bytes }
}
