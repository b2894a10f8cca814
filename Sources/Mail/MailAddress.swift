/// An email address as mail servers take it: printable ASCII, without quotation.
///
/// What could end a line or a header is in none, so that nothing can be added to a mail by an
/// address.
public struct MailAddress: Sendable, Hashable {
    /// No server takes a longer one.
    public static let bytesMax = 254

    /// As `ada@example.org`.
    public let text: String

    /// The address in a text; nil when it is none that can be written to.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.bytesMax, parts.count == 2,
            (1...64).contains(parts[0].count), parts[0].allSatisfy(Self.isAtom),
            !parts[1].isEmpty, parts[1].allSatisfy(Self.isHostName),
            // Dots stand between parts of a name.
            parts.allSatisfy({ part in
                part.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
                    .allSatisfy { !$0.isEmpty }
            })
        else { return nil }
        self.text = text
    }

    /// The part after the at sign.
    var domain: Substring { text.split(separator: "@").last ?? "localhost" }

    /// What an address may hold before the at sign without quotation (RFC 5322, atext), and dots.
    private static func isAtom(_ byte: UInt8) -> Bool {
        isHostName(byte) || "!#$%&'*+/=?^_`{|}~".utf8.contains(byte)
    }

    /// What a name of a host consists of, and dots.
    static func isHostName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}

/// An address with the name of whoever it belongs to.
public struct Mailbox: Sendable, Hashable {
    /// What it is called; empty when it has no name.
    public let name: String
    /// Where it is.
    public let address: MailAddress

    /// The most Unicode scalars of a name.
    private static let nameScalarsMax = 120

    /// A mailbox as it is typed: `Guildhall <no-reply@example.org>`, or the address alone; nil
    /// when it is neither.
    public init?(_ text: String) {
        guard let open = text.lastIndex(of: "<") else {
            guard let address = MailAddress(text) else { return nil }
            (name, self.address) = ("", address)
            return
        }
        let name = text[..<open].split(separator: " ").joined(separator: " ")
        guard text.hasSuffix(">"), name.unicodeScalars.count <= Self.nameScalarsMax,
            !Letter.hasControls(name),
            let address = MailAddress(String(text[text.index(after: open)...].dropLast()))
        else { return nil }
        (self.name, self.address) = (name, address)
    }
}
