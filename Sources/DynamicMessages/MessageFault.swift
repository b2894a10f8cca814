/// Why a text or bytes are not an acceptable message of a type.
public struct MessageFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where it was found: a path such as `lines[0].quantity`, or empty for the whole.
    public let place: String
    /// What is wrong, in a sentence.
    public let sentence: String

    /// A fault at a place.
    public init(at place: String = "", _ sentence: String) {
        self.place = place
        self.sentence = sentence
    }

    /// Place and sentence in one line.
    public var description: String { place.isEmpty ? sentence : "\(place): \(sentence)" }
}

/// Why descriptors do not describe anything.
public struct SchemaFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, in a sentence.
    public let description: String
}
