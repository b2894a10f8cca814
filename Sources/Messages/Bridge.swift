internal import CMessages
internal import CProtobufC
internal import RPC

/// A message with a struct of protobuf-c; every generated message is one.
protocol Bridged: Message {
    /// The C struct.
    associatedtype Lowered

    /// What the pre-check knows of the message, protobuf-c's descriptor included.
    static var shape: UnsafePointer<message_shape> { get }

    /// Writes the fields in the order of their numbers.
    func encode(with writer: inout MessageWriter)

    /// Reads the value out of a C struct.
    init(lifting lowered: UnsafePointer<Lowered>)
}

/// Encodes messages straight into the outgoing buffer, and decodes them through protobuf-c.
///
/// What is ours is known to be well formed, so that a single pass over the Swift value writes it;
/// what others sent goes through the pre-check and a library that has seen hostile bytes before.
enum Codec {
    /// Appends an encoded message.
    @inline(__always)
    static func append<Value: Bridged>(_ value: Value, to output: inout OutputRawSpan) {
        unsafe output.withUnsafeMutableBytes { memory, count in
            // Without any memory there is no message but an empty one.
            guard let start = memory.baseAddress else { return }
            var writer = unsafe MessageWriter(start + count, end: start + memory.count)
            unsafe value.encode(with: &writer)
            count = unsafe writer.position - start
        }
    }

    /// Decodes a message: pre-check, unpack into an arena, lift.
    static func decode<Value: Bridged>(
        _ bytes: RawSpan, _ limits: DecodingLimits
    ) throws(DecodingFault) -> Value {
        try unsafe bytes.withUnsafeBytes { (buffer) throws(DecodingFault) in
            let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let count = buffer.count
            try unsafe precheck(Value.shape, start, count, limits)
            return try unsafe Arena.with(bytesMax: limits.arenaBytesMax) {
                (arena) throws(DecodingFault) in
                let message = unsafe protobuf_c_message_unpack(
                    Value.shape.pointee.descriptor, &arena.arena.pointee.allocator, count, start)
                guard let message = unsafe message else {
                    throw unsafe DecodingFault(
                        arena.isExhausted ? .tooLarge : .malformed, at: Value.messageName)
                }
                let lowered = unsafe UnsafeRawPointer(message)
                    .assumingMemoryBound(to: Value.Lowered.self)
                return unsafe Value(lifting: lowered)
            }
        }
    }

    /// Refuses bytes that protobuf-c must not see.
    private static func precheck(
        _ shape: UnsafePointer<message_shape>, _ start: UnsafePointer<UInt8>?, _ count: Int,
        _ limits: DecodingLimits
    ) throws(DecodingFault) {
        var check = unsafe message_check()
        unsafe check.fields_left = max(0, limits.fieldsMax)
        unsafe check.unknown_fields_left = max(0, limits.unknownFieldsMax)
        unsafe check.depth_left = max(0, limits.depthMax)
        guard unsafe message_precheck(&check, shape, start, count) != MESSAGE_FAULT_NONE else {
            return
        }
        throw unsafe DecodingFault(reason(check.fault), at: location(check))
    }

    private static func reason(_ fault: message_fault) -> DecodingFault.Reason {
        switch fault {
        case MESSAGE_FAULT_TRUNCATED: .truncated
        case MESSAGE_FAULT_WRONG_TYPE: .wrongType
        case MESSAGE_FAULT_DUPLICATE_FIELD: .duplicateField
        case MESSAGE_FAULT_TOO_DEEP: .tooDeep
        case MESSAGE_FAULT_TOO_MANY_FIELDS: .tooManyFields
        case MESSAGE_FAULT_TOO_MANY_UNKNOWN_FIELDS: .tooManyUnknownFields
        case MESSAGE_FAULT_INVALID_TEXT: .invalidText
        default: .malformed
        }
    }

    private static func location(_ check: message_check) -> String? {
        guard let shape = unsafe check.shape, let name = unsafe shape.pointee.name else {
            return nil
        }
        let message = unsafe String(cString: name)
        guard let field = unsafe check.field?.pointee.name else { return message }
        return unsafe "\(message).\(String(cString: field))"
    }
}
