/// A frame on its way out; its message is encoded in place, once.
public enum OutgoingFrame: Sendable {
    /// Begins a call.
    case open(call: UInt32, OutgoingOpening)
    /// A further message of a call that streams; nil when it only ends the stream.
    case data(call: UInt32, OutgoingMessage?, endOfStream: Bool)
    /// Ends a call with one reply that succeeded.
    case reply(call: UInt32, OutgoingMessage, trailingMetadata: Metadata = Metadata())
    /// Ends any other call; nil is success.
    case end(call: UInt32, Status?)
    /// The client no longer wants the call.
    case cancel(call: UInt32)
    /// The receiver may send more bytes of the call's messages.
    case window(call: UInt32, bytes: UInt32)
    /// Asks for a pong.
    case ping(number: UInt64)
    /// Answers a ping.
    case pong(number: UInt64)
    /// The sender takes no further calls.
    case goaway(Frame.Goaway)
    /// What the sender accepts.
    case settings(Frame.Settings)
    /// Another frame of so many bytes, compressed.
    case deflated(byteCount: Int, OutgoingMessage)
}

/// What a call begins with, on its way out.
public struct OutgoingOpening: Sendable {
    /// The method.
    public var method: MethodReference
    /// The time the caller waits; nil names none.
    public var timeout: Duration?
    /// Beside the message.
    public var metadata: Metadata
    /// The first message.
    public var message: OutgoingMessage?
    /// Whether the caller sends no further message.
    public var endOfStream: Bool
    /// Credit for replies; 0 is the value of the settings.
    public var window: UInt32

    /// The opening of a call whose caller sends one message.
    public init(
        method: MethodReference, timeout: Duration?, metadata: Metadata = Metadata(),
        message: OutgoingMessage?, endOfStream: Bool = true, window: UInt32 = 0
    ) {
        self.method = method
        self.timeout = timeout
        self.metadata = metadata
        self.message = message
        self.endOfStream = endOfStream
        self.window = window
    }
}

extension OutgoingFrame {
    /// Room for tags, lengths and numbers around the variable parts of a frame.
    private static let overhead = 96

    /// The most bytes that ``encode(into:)`` appends.
    public var byteCountMax: Int {
        switch self {
        case .open(_, let opening): Self.overhead + opening.byteCountMax
        case .data(_, let message, _): Self.overhead + (message?.encodedByteCountMax ?? 0)
        case .reply(_, let message, let metadata):
            Self.overhead + message.encodedByteCountMax + metadata.wireByteCount
        case .end(_, let status): Self.overhead + (status?.endByteCount ?? 0)
        case .goaway(let goaway): Self.overhead + goaway.status.message.utf8.count
        case .settings(let settings): Self.overhead + settings.wireByteCountMax
        case .deflated(_, let content): Self.overhead + content.encodedByteCountMax
        case .cancel, .window, .ping, .pong: Self.overhead
        }
    }

    /// Appends the frame with its length before it.
    ///
    /// - Parameter output: Has room for at least ``byteCountMax`` bytes.
    public func encode(into output: inout OutputRawSpan) {
        if case .reply(let call, let message, let metadata) = self, metadata.isEmpty {
            Self.encode(
                reply: message, byteCountMax: message.encodedByteCountMax, of: call, into: &output)
            return
        }
        let start = output.byteCount
        output.leave(Frame.lengthByteCount)
        switch self {
        case .open(let call, let opening):
            let width = WireSize.varint(UInt64(byteCountMax))
            let content = output.begin(call: call, kind: 2, width: width)
            opening.encode(into: &output)
            output.close(content, width: width)
        case .data(let call, let message, let endOfStream):
            let bound = message?.encodedByteCountMax ?? 0
            output.append(call: call, kind: 3, byteCountMax: bound) { output in
                output.append(field: 2, varint: endOfStream ? 1 : 0)
                if let message { output.append(field: 1, message, byteCountMax: bound) }
            }
        case .reply(let call, let message, let metadata):
            let bound = message.encodedByteCountMax
            output.append(call: call, kind: 4, byteCountMax: bound + metadata.wireByteCount) {
                metadata.encode(into: &$0)
                $0.append(field: 5, message, byteCountMax: bound)
            }
        case .end(let call, let status):
            output.append(field: 1, varint: UInt64(call))
            output.append(field: 4, byteCount: status?.endByteCount ?? 0)
            status?.encode(into: &output)
            status?.trailingMetadata.encode(into: &output)
        case .cancel(let call):
            output.append(field: 1, varint: UInt64(call))
            output.append(field: 5, byteCount: 0)
        case .window(let call, let bytes):
            output.append(field: 1, varint: UInt64(call))
            output.append(field: 6, number: UInt64(bytes))
        case .ping(let number): output.append(field: 7, number: number)
        case .pong(let number): output.append(field: 8, number: number)
        case .goaway(let goaway): goaway.encode(into: &output)
        case .settings(let settings): settings.encode(into: &output)
        case .deflated(let byteCount, let content):
            let bound = content.encodedByteCountMax
            let width = WireSize.varint(UInt64(bound + 16))
            output.append(varint: 11 << 3 | 2)
            output.leave(width)
            let start = output.byteCount
            output.append(field: 1, varint: UInt64(byteCount))
            output.append(field: 2, content, byteCountMax: bound)
            output.close(start, width: width)
        }
        output.patch(
            frameLength: output.byteCount - start - Frame.lengthByteCount, at: start)
    }

    /// The most bytes that ``encode(reply:byteCountMax:of:into:)`` appends around a reply.
    public static let replyOverhead = overhead

    /// Appends the end of a call with one reply: what ``reply(call:_:)`` encodes to.
    ///
    /// - Parameters:
    ///   - reply: The reply.
    ///   - byteCountMax: Its ``OutgoingMessage/encodedByteCountMax``, which costs a walk over it.
    ///   - call: The call.
    ///   - output: Has room for ``replyOverhead`` more bytes than that.
    public static func encode(
        reply: OutgoingMessage, byteCountMax: Int, of call: UInt32, into output: inout OutputRawSpan
    ) {
        // The message goes to its place first; what stands before it follows from its size.
        let width = WireSize.varint(UInt64(truncatingIfNeeded: byteCountMax + 16))
        let callWidth = WireSize.varint(UInt64(call))
        let headerCount = Frame.lengthByteCount + 1 + callWidth + 2 * (1 + width)
        let start = output.byteCount
        output.leave(headerCount)
        reply.encode(into: &output)
        let end = output.byteCount
        unsafe output.withUnsafeMutableBytes { memory, _ in
            var header = unsafe LeftBytes(memory, at: start)
            unsafe header.append(bigEndian: UInt32(end - start - Frame.lengthByteCount))
            unsafe header.append(byte: 1 << 3)
            unsafe header.append(varint: UInt64(call), width: callWidth)
            let content = end - start - headerCount
            unsafe header.append(byte: 4 << 3 | 2)
            unsafe header.append(varint: UInt64(content + 1 + width), width: width)
            unsafe header.append(byte: 5 << 3 | 2)
            unsafe header.append(varint: UInt64(content), width: width)
        }
    }

    /// The encoded frame as an array of bytes.
    public func encoded() -> [UInt8] {
        encodedArray(byteCountMax: byteCountMax) { encode(into: &$0) }
    }
}

extension OutputRawSpan {
    /// Appends the call, the tag of the kind and room for the length; returns where content begins.
    fileprivate mutating func begin(call: UInt32, kind: UInt64, width: Int) -> Int {
        append(field: 1, varint: UInt64(call))
        append(varint: kind << 3 | 2)
        leave(width)
        return byteCount
    }

    fileprivate mutating func close(_ content: Int, width: Int) {
        patch(varint: byteCount - content, width: width, at: content - width)
    }

    fileprivate mutating func append(
        call: UInt32, kind: UInt64, byteCountMax: Int, _ body: (inout OutputRawSpan) -> Void
    ) {
        let width = WireSize.varint(UInt64(byteCountMax + 16))
        let content = begin(call: call, kind: kind, width: width)
        body(&self)
        close(content, width: width)
    }

    /// Appends a message as a field, its length after it is known.
    fileprivate mutating func append(
        field number: UInt64, _ message: OutgoingMessage, byteCountMax: Int
    ) {
        let width = WireSize.varint(UInt64(byteCountMax))
        append(varint: number << 3 | 2)
        leave(width)
        let content = byteCount
        message.encode(into: &self)
        close(content, width: width)
    }

    fileprivate mutating func append(field kind: UInt64, number: UInt64) {
        append(field: kind, byteCount: WireSize.field(number))
        append(field: 1, varint: number)
    }
}

extension OutgoingOpening {
    fileprivate var byteCountMax: Int {
        var count = message?.encodedByteCountMax ?? 0
        if case .path(let path) = method { count += path.utf8.count }
        return count + metadata.wireByteCount
    }

    fileprivate func encode(into output: inout OutputRawSpan) {
        switch method {
        case .path(let path): output.append(field: 1, text: path)
        case .number(let number): output.append(field: 2, varint: UInt64(number))
        }
        output.append(field: 3, varint: timeout?.wireMicroseconds ?? 0)
        metadata.encode(into: &output)
        output.append(field: 6, varint: endOfStream ? 1 : 0)
        output.append(field: 7, varint: UInt64(window))
        if let message {
            output.append(field: 5, message, byteCountMax: message.encodedByteCountMax)
        }
    }
}

extension Status {
    /// The bytes of the `End` frame of a call that was not answered with a reply.
    fileprivate var endByteCount: Int { wireByteCount + trailingMetadata.wireByteCount }
}

extension Metadata {
    /// The bytes that ``encode(into:)`` appends.
    fileprivate var wireByteCount: Int {
        entries.reduce(0) { $0 + WireSize.field(byteCount: $1.wireByteCount) }
    }

    /// Appends the entries as field 4, which they are of `Open` and of `End`.
    fileprivate func encode(into output: inout OutputRawSpan) {
        for entry in entries {
            output.append(field: 4, byteCount: entry.wireByteCount)
            output.append(field: 1, text: entry.key)
            switch entry.value {
            case .text(let text): output.append(field: 2, text: text)
            case .bytes(let bytes): output.append(field: 3, bytes: bytes)
            }
        }
    }
}

extension Metadata.Entry {
    fileprivate var wireByteCount: Int {
        let valueCount =
            switch value {
            case .text(let text): text.utf8.count
            case .bytes(let bytes): bytes.count
            }
        return WireSize.fieldUnlessEmpty(byteCount: key.utf8.count)
            + WireSize.fieldUnlessEmpty(byteCount: valueCount)
    }
}

extension Frame.Goaway {
    fileprivate func encode(into output: inout OutputRawSpan) {
        let count =
            WireSize.field(UInt64(lastCall)) + WireSize.field(UInt64(status.code.rawValue))
            + WireSize.fieldUnlessEmpty(byteCount: status.message.utf8.count)
            + WireSize.field(drain.wireMicroseconds)
        output.append(field: 9, byteCount: count)
        output.append(field: 1, varint: UInt64(lastCall))
        output.append(field: 2, varint: UInt64(status.code.rawValue))
        output.append(field: 3, text: status.message)
        output.append(field: 4, varint: drain.wireMicroseconds)
    }
}

extension Frame.Settings {
    /// The name of what zlib does, RFC 1950, among the ways of compressing.
    static let deflate = "deflate"

    fileprivate var wireByteCountMax: Int {
        methods.values.reduce(agent.utf8.count + incarnation.count) { $0 + $1.utf8.count + 24 }
    }

    fileprivate func encode(into output: inout OutputRawSpan) {
        let width = WireSize.varint(UInt64(wireByteCountMax + 64))
        output.append(varint: 10 << 3 | 2)
        output.leave(width)
        let content = output.byteCount
        output.append(field: 1, varint: UInt64(frameBytesMax))
        output.append(field: 2, varint: UInt64(callsMax))
        output.append(field: 3, varint: UInt64(window))
        output.append(field: 4, text: agent)
        output.append(field: 5, bytes: incarnation)
        for (number, path) in methods.sorted(by: { $0.key < $1.key }) {
            let count =
                WireSize.field(UInt64(number))
                + WireSize.fieldUnlessEmpty(byteCount: path.utf8.count)
            output.append(field: 6, byteCount: count)
            output.append(field: 1, varint: UInt64(number))
            output.append(field: 2, text: path)
        }
        output.append(field: 7, varint: pingIntervalMin.wireMicroseconds)
        if takesDeflated { output.append(field: 8, text: Self.deflate) }
        output.close(content, width: width)
    }
}
