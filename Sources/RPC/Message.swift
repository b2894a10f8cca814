/// A value that travels as one protobuf message.
///
/// Generated types conform; nothing outside `Messages` needs to conform by hand.
public protocol Message: Sendable, Hashable {
    /// The full protobuf name, such as `guildhall.organizations.v1.Organization`.
    static var messageName: String { get }

    /// The message with every field at its default.
    init()

    /// Decodes a message after the linear pre-check of its bytes.
    ///
    /// - Parameters:
    ///   - bytes: The encoded message, whole.
    ///   - limits: What a message may cost at most.
    /// - Throws: ``DecodingFault`` naming what is wrong; nothing is decoded by halves.
    init(decoding bytes: RawSpan, limits: DecodingLimits) throws(DecodingFault)

    /// The most bytes ``encode(into:)`` can append for this value.
    var encodedByteCountMax: Int { get }

    /// Appends the encoded message.
    ///
    /// - Parameter output: Has room for at least ``encodedByteCountMax`` bytes.
    func encode(into output: inout OutputRawSpan)
}

extension Message {
    /// Decodes a message from an array of bytes under the default limits.
    ///
    /// - Parameters:
    ///   - bytes: The encoded message, whole.
    ///   - limits: What a message may cost at most.
    /// - Throws: ``DecodingFault`` naming what is wrong.
    public init(
        decoding bytes: [UInt8], limits: DecodingLimits = .standard
    ) throws(DecodingFault) {
        try unsafe self.init(decoding: bytes.span.bytes, limits: limits)
    }

    /// The encoded message as an array of bytes.
    public func encoded() -> [UInt8] {
        let capacity = encodedByteCountMax
        // Filled through a raw view: the message writes bytes, not elements.
        return unsafe [UInt8](unsafeUninitializedCapacity: capacity) { memory, count in
            var output = unsafe OutputRawSpan(
                buffer: UnsafeMutableRawBufferPointer(memory), initializedCount: 0)
            encode(into: &output)
            count = unsafe output.finalize(for: UnsafeMutableRawBufferPointer(memory))
        }
    }
}

/// What decoding one message may cost: checked in one pass before any memory is taken.
///
/// The limits belong to the protocol, not to a server: a client in another language has to know
/// them, and what one server accepts every other must be able to pass on and to store. So they are
/// constants in the generated code, ``standard`` or ``bulk`` as the `.proto` file says of the
/// method; a setting would have to be carried to every handler with every call.
public struct DecodingLimits: Sendable, Hashable {
    /// The most fields in a message, those of its submessages included.
    public var fieldsMax: Int
    /// The deepest nesting of submessages; the message itself is level 1.
    public var depthMax: Int
    /// The most fields whose number the receiver does not know.
    public var unknownFieldsMax: Int
    /// The most bytes the arena may hand out for one message.
    public var arenaBytesMax: Int

    /// Limits with the given values.
    public init(fieldsMax: Int, depthMax: Int, unknownFieldsMax: Int, arenaBytesMax: Int) {
        self.fieldsMax = fieldsMax
        self.depthMax = depthMax
        self.unknownFieldsMax = unknownFieldsMax
        self.arenaBytesMax = arenaBytesMax
    }

    /// For ordinary methods: 4,096 fields, 8 levels, 16 unknown fields, 8 MiB of arena.
    public static let standard = DecodingLimits(
        fieldsMax: 4_096, depthMax: 8, unknownFieldsMax: 16, arenaBytesMax: 8 << 20)

    /// For methods marked bulk and for replies: 65,536 fields.
    public static let bulk = DecodingLimits(
        fieldsMax: 65_536, depthMax: 8, unknownFieldsMax: 16, arenaBytesMax: 64 << 20)
}

/// Why bytes are not an acceptable message.
public struct DecodingFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, from a closed list.
    public enum Reason: String, Sendable, Hashable {
        /// The bytes end inside a field, or a length reaches past their end.
        case truncated
        /// A tag or length is not a legal varint, or a field number is 0.
        case malformed
        /// A known field carries another wire type than its declaration.
        case wrongType
        /// A field that may occur once occurs twice.
        case duplicateField
        /// Submessages nest deeper than the limit.
        case tooDeep
        /// More fields than the limit.
        case tooManyFields
        /// More unknown fields than the limit.
        case tooManyUnknownFields
        /// A string holds a NUL or is not UTF-8.
        case invalidText
        /// The message would take more memory than the limit.
        case tooLarge
    }

    /// What is wrong.
    public let reason: Reason
    /// The message and field where it was found, such as `guildhall.rpc.v1.Frame.call`, if known.
    public let location: String?

    /// A fault at a place.
    public init(_ reason: Reason, at location: String? = nil) {
        self.reason = reason
        self.location = location
    }

    /// The reason and the place in one line, for errors and logs.
    public var description: String {
        guard let location else { return reason.rawValue }
        return "\(reason.rawValue) at \(location)"
    }
}
