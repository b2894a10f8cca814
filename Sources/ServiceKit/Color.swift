internal import Encodings

/// A color as `#rrggbb` in lower case.
public struct Color: Sendable, Hashable {
    /// The most further colors that an organization has, beside the primary and the secondary.
    public static let furtherMax = 64
    /// The longest name of a further color, in bytes.
    public static let nameBytesMax = 40

    /// The color as it is kept.
    public let text: String

    /// The color in the input, whose letters may be of either case; nil when it is none.
    public init?(_ input: String) {
        guard input.utf8.count == 7, input.utf8.first == UInt8(ascii: "#") else { return nil }
        let text = input.lowercased()
        guard text.utf8.dropFirst().allSatisfy(Hexadecimal.isDigit) else { return nil }
        self.text = text
    }

    /// Whether a further color may have the name: lower-case letters, digits and dashes.
    public static func isName(_ name: String) -> Bool {
        (1...nameBytesMax).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-")
            }
    }
}
