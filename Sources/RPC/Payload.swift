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
public enum OutgoingMessage: Sendable {
    /// A value; the transport encodes it straight into its outgoing buffer.
    case message(any Message)
    /// An encoded message.
    case encoded(any Payload)

    /// The most bytes that ``encode(into:)`` appends.
    public var encodedByteCountMax: Int {
        switch self {
        case .message(let message): message.encodedByteCountMax
        case .encoded(let payload): payload.byteCount
        }
    }

    /// Appends the encoded message.
    public func encode(into output: inout OutputRawSpan) {
        switch self {
        case .message(let message): message.encode(into: &output)
        case .encoded(let payload):
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
    }
}

extension OutgoingMessage {
    /// The encoded message as an array of bytes.
    public func encoded() -> [UInt8] {
        switch self {
        case .message(let message): message.encoded()
        case .encoded(let payload): payload.bytes
        }
    }
}
