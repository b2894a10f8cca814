/// One decoded frame; messages are ranges of the bytes it was decoded from, never copies.
///
/// `Protos/README.md` says what each frame means.
public enum Frame: Sendable, Hashable {
    /// Begins a call.
    case open(call: UInt32, Opening)
    /// A further message of a call that streams, or none and the end of the stream.
    case data(call: UInt32, message: Range<Int>?, endOfStream: Bool)
    /// Ends a call.
    case end(call: UInt32, Ending)
    /// The client no longer wants the call.
    case cancel(call: UInt32)
    /// The receiver of the frame may send more bytes of the call's messages.
    case window(call: UInt32, bytes: UInt32)
    /// Asks for a pong with the same number.
    case ping(number: UInt64)
    /// Answers a ping.
    case pong(number: UInt64)
    /// The sender takes no further calls.
    case goaway(Goaway)
    /// What the sender accepts.
    case settings(Settings)
    /// Another frame of so many bytes, compressed.
    case deflated(byteCount: Int, content: Range<Int>)

    /// The bytes that stand before a frame: its length, big-endian.
    public static let lengthByteCount = 4
    /// The first bytes of a connection, from the client: a name and the protocol's version.
    public static let preface: [UInt8] = Array("GHRPC/1\n".utf8)
    /// No frame is larger than this, whatever the settings.
    public static let byteCountHardMax = 1 << 20
    /// What a peer that announces no frame size accepts.
    public static let byteCountDefault = 1 << 20
    /// No peer may announce that it accepts less than this.
    public static let byteCountMin = 16 * 1_024
    /// Credit in bytes of a streaming call when neither settings nor opening name one.
    public static let windowDefault: UInt32 = 64 * 1_024

    /// What a call begins with.
    public struct Opening: Sendable, Hashable {
        /// The method.
        public var method: MethodReference
        /// The time the caller waits, in microseconds; 0 when it names none.
        public var timeoutMicroseconds: UInt64 = 0
        /// Beside the message.
        public var metadata = Metadata()
        /// The first message.
        public var message: Range<Int>?
        /// Whether the caller sends no further message.
        public var endOfStream = false
        /// Credit for replies; 0 is the value of the settings.
        public var window: UInt32 = 0

        /// The opening of the usual kind, in the general form, with its message elsewhere.
        public init(_ opening: PlainOpening, messageAt start: Int) {
            self.init(
                method: .number(opening.number),
                timeoutMicroseconds: opening.timeoutMicroseconds,
                message: start..<start + opening.message.count, endOfStream: true,
                window: opening.window)
        }

        init(
            method: MethodReference, timeoutMicroseconds: UInt64 = 0,
            metadata: Metadata = Metadata(), message: Range<Int>? = nil, endOfStream: Bool = false,
            window: UInt32 = 0
        ) {
            self.method = method
            self.timeoutMicroseconds = timeoutMicroseconds
            self.metadata = metadata
            self.message = message
            self.endOfStream = endOfStream
            self.window = window
        }

        /// More than a century is no other time.
        static let timeoutMicrosecondsMax: UInt64 = 1 << 52
        /// The time the caller waits; nil when it names none.
        public var timeout: Duration? { Duration(wireMicroseconds: timeoutMicroseconds) }
    }

    /// What a call ends with.
    public struct Ending: Sendable, Hashable {
        /// Success, or what went wrong, with the trailing metadata of either.
        public var status: Status
        /// The reply of a call with one reply that succeeded.
        public var reply: Range<Int>?
    }

    /// Why and how a connection ends.
    public struct Goaway: Sendable, Hashable {
        /// Calls with higher numbers were not begun.
        public var lastCall: UInt32
        /// Why.
        public var status: Status
        /// How long calls in flight may still take.
        public var drain: Duration

        /// The last frame of a connection, or the last but the ends of its calls.
        public init(lastCall: UInt32, status: Status, drain: Duration = .zero) {
            self.lastCall = lastCall
            self.status = status
            self.drain = drain
        }
    }

    /// What one side of a connection accepts; zero and empty are defaults.
    public struct Settings: Sendable, Hashable {
        /// The largest frame, in bytes after the length.
        public var frameBytesMax: UInt32 = 0
        /// The most calls in flight.
        public var callsMax: UInt32 = 0
        /// Credit in bytes of a streaming call.
        public var window: UInt32 = 0
        /// The program and its version, for logs.
        public var agent = ""
        /// Made at random with the server's database; another one is another database.
        public var incarnation: [UInt8] = []
        /// The paths of methods by number.
        public var methods: [UInt32: String] = [:]
        /// The shortest time between pings.
        public var pingIntervalMin: Duration = .zero
        /// Whether frames may come inside ``Frame/deflated(byteCount:content:)``.
        public var takesDeflated = false

        /// Settings that are all defaults.
        public init() {}
    }
}

/// How an `Open` frame names its method.
public enum MethodReference: Sendable, Hashable {
    /// By full name, such as `guildhall.rpc.v1.Health/Check`.
    case path(String)
    /// By the number that the server announced.
    case number(UInt32)
}

/// Why bytes are not an acceptable frame.
public enum FrameFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The bytes are no legal protobuf, or a field is not as declared.
    case wire(DecodingFault)
    /// The frame has no kind, or one that this side does not know.
    case noKind
    /// The frame has more than one kind.
    case severalKinds
    /// A frame of a call has no call number.
    case callMissing
    /// A frame that concerns the connection has a call number.
    case callUnexpected
    /// An opening names no method.
    case methodMissing
    /// An opening names its method twice.
    case methodTwice
    /// A data frame has neither a message nor the end of the stream.
    case dataMissing
    /// The announced frame size is below ``Frame/byteCountMin``.
    case frameSizeTooSmall

    /// The fault in a sentence.
    public var description: String {
        switch self {
        case .wire(let fault): "The frame is malformed: \(fault)."
        case .noKind: "The frame has no kind that is known."
        case .severalKinds: "The frame has more than one kind."
        case .callMissing: "The frame of a call has no call number."
        case .callUnexpected: "A frame that concerns the connection has a call number."
        case .methodMissing: "The opening names no method."
        case .methodTwice: "The opening names its method by path and by number."
        case .dataMissing: "The data frame has neither a message nor the end of the stream."
        case .frameSizeTooSmall:
            "The settings announce frames below \(Frame.byteCountMin) bytes."
        }
    }
}
