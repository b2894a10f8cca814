// Every mention of a deprecated case is a warning, and a warning is an error here, but within what
// is itself deprecated. What is called through a protocol is not looked at for the mark: so the
// generated code that has to mention such a case stands in a deprecated witness.

/// An enum with a deprecated value.
protocol PartlyDeprecatedEnum {
    /// The value with a number.
    init(wireNumber: Int32)
    /// The number on the wire.
    var wireNumber: Int32 { get }
}

/// A oneof with a deprecated field.
protocol PartlyDeprecatedOneof {
    /// The most bytes that the chosen field takes.
    var encodedByteCountMax: Int { get }
}

extension Codec {
    /// The value of an enum.
    static func value<Enum: PartlyDeprecatedEnum>(_ number: Int32) -> Enum {
        Enum(wireNumber: number)
    }

    /// The number of an enum's value.
    static func number(of value: some PartlyDeprecatedEnum) -> Int32 {
        value.wireNumber
    }

    /// The most bytes that the chosen field of a oneof takes.
    static func bound(_ choice: some PartlyDeprecatedOneof) -> Int {
        choice.encodedByteCountMax
    }
}
