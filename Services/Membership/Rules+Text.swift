import EmailDomains

/// What text from outside must look like.
enum TextRules {
    static let emailBytesMax = 254
    static let nameLengths = 1...120
    static let passwordCharactersMin = 8
    static let passwordBytesMax = 256

    /// The address, given in NFC, in the form in which it is kept: in lower case, its domain in
    /// the ASCII form that masks of domains have, too; nil when it is none.
    static func email(_ text: String) -> String? {
        let typed = trimmed(text).lowercased()
        // Sizes before anything is converted: what is kept is checked once more.
        guard (3...EmailDomain.inputBytesMax).contains(typed.utf8.count) else { return nil }
        let parts = typed.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, isLocalPart(parts[0]),
            let domain = EmailDomain.ascii(parts[1]), isDomain(domain[...])
        else { return nil }
        let address = "\(parts[0])@\(domain)"
        return address.utf8.count <= emailBytesMax ? address : nil
    }

    private static func isLocalPart(_ part: Substring) -> Bool {
        let dot = UInt8(ascii: ".")
        guard (1...64).contains(part.utf8.count), !part.hasPrefix("."), !part.hasSuffix("."),
            !zip(part.utf8, part.utf8.dropFirst()).contains(where: { $0 == dot && $1 == dot })
        else { return false }
        return part.unicodeScalars.allSatisfy { scalar in
            guard scalar.isASCII else { return isPrintable(scalar) }
            let punctuation = "!#$%&'*+-/=?^_`{|}~."
            return scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                || punctuation.unicodeScalars.contains(scalar)
        }
    }

    /// Whether text is a domain as it stands in addresses that are kept: at least two labels of
    /// ASCII in lower case.
    static func isDomain(_ part: Substring) -> Bool {
        let labels = part.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count >= 2 else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
                && label.last != UInt8(ascii: "-")
                && label.allSatisfy { byte in
                    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                        || byte == UInt8(ascii: "-")
                }
        }
    }

    /// Whether a password may be set.
    static func isAcceptable(password: String) -> Bool {
        password.count >= passwordCharactersMin && password.utf8.count <= passwordBytesMax
    }

    private static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }

    // Neither control characters nor those that turn the direction of the text around them.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
        default:
            !(0x202A...0x202E).contains(scalar.value)
                && !(0x2066...0x2069).contains(scalar.value)
        }
    }
}
