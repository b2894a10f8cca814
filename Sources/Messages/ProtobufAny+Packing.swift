public import RPC

extension ProtobufAny {
    /// What type URLs begin with.
    private static let typePrefix = "type.googleapis.com/"

    /// A message of any type, packed.
    public init(packing message: some Message) {
        self.init(
            typeURL: Self.typePrefix + type(of: message).messageName, value: message.encoded())
    }

    /// Whether it holds a message of a type; the name after the last slash decides.
    public func holds<Value: Message>(_ type: Value.Type) -> Bool {
        guard let slash = typeURL.utf8.lastIndex(of: UInt8(ascii: "/")) else { return false }
        return typeURL.utf8[slash...].dropFirst().elementsEqual(Value.messageName.utf8)
    }

    /// The message that it holds, if that is of a type.
    ///
    /// - Parameters:
    ///   - type: The type that is looked for.
    ///   - limits: What the message may cost at most.
    /// - Returns: The message; nil when it is of another type.
    /// - Throws: ``RPC/DecodingFault`` naming what is wrong with the message.
    public func unpacked<Value: Message>(
        as type: Value.Type = Value.self, limits: DecodingLimits = .standard
    ) throws(DecodingFault) -> Value? {
        guard holds(type) else { return nil }
        return try Value(decoding: value, limits: limits)
    }
}
