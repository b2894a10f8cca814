public import RPC
@_spi(_Unicode) internal import Swift

/// Text as people type it, brought into the one form in which it is kept and compared.
///
/// Normalisation uses the standard library's own tables: Foundation's would cost every process the
/// memory of a second set.
public enum Text {
    /// What a text may hold beside ordinary characters.
    public enum Form: Sendable, Hashable {
        /// One line: no line breaks, no tabs.
        case line
        /// Line breaks (kept as LF) and tabs are fine.
        case paragraph
    }

    /// A text in the form in which it is kept: NFC, without white space at its ends.
    ///
    /// - Parameters:
    ///   - text: What came in.
    ///   - field: The path of the field, for the error.
    ///   - form: One line or more.
    ///   - lengths: How many Unicode scalars it may have, after normalisation.
    /// - Returns: The text to keep.
    /// - Throws: `INVALID_ARGUMENT` with the field: too short, too long, or with control,
    ///   direction-changing, unassigned or private characters.
    public static func accept(
        _ text: String, field: String, form: Form = .line, lengths: ClosedRange<Int>
    ) throws(Status) -> String {
        // Normalisation at most triples a text; what is far too long is not normalised at all.
        guard text.utf8.count <= 16 * max(lengths.upperBound, 16) else {
            throw tooLong(field, lengths)
        }
        let typed = form == .paragraph ? withUnixLines(text) : text
        let normalized = trimmed(normalized(typed))
        let count = normalized.unicodeScalars.count
        guard count <= lengths.upperBound else { throw tooLong(field, lengths) }
        guard count >= lengths.lowerBound else {
            let least = lengths.lowerBound
            throw Status.invalid(
                field, least == 1 ? "This must not be empty." : "At least \(least) characters.")
        }
        for scalar in normalized.unicodeScalars where !isAcceptable(scalar, in: form) {
            let number = String(scalar.value, radix: 16, uppercase: true)
            throw Status.invalid(field, "The character U+\(number) is not accepted here.")
        }
        return normalized
    }

    /// The text in Unicode normalization form C.
    public static func normalized(_ text: String) -> String {
        guard !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: text._nfc)
        return String(scalars)
    }

    /// A text such that two texts look the same to people just when their keys have equal bytes:
    /// folded in case, width and white space.
    public static func matchingKey(_ text: String) -> String {
        var folded = String.UnicodeScalarView()
        var isAfterSpace = true
        for scalar in normalized(text).unicodeScalars.flatMap(compatible) {
            if scalar.properties.isWhitespace {
                if !isAfterSpace { folded.append(" ") }
                isAfterSpace = true
            } else {
                folded.append(contentsOf: caseFolded(scalar))
                isAfterSpace = false
            }
        }
        if folded.last == " " { folded.removeLast() }
        return normalized(String(folded))
    }

    private static func caseFolded(_ scalar: Unicode.Scalar) -> String.UnicodeScalarView {
        // Upper first: sharp s becomes ss, final sigma becomes sigma.
        var folded = String.UnicodeScalarView()
        for upper in scalar.properties.uppercaseMapping.unicodeScalars {
            folded.append(contentsOf: upper.properties.lowercaseMapping.unicodeScalars)
        }
        return folded
    }

    /// The compatible forms that keyboards and copied text produce: full-width letters, ligatures,
    /// typographic spaces.
    private static func compatible(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        switch scalar.value {
        case 0xFF01...0xFF5E: Unicode.Scalar(scalar.value - 0xFEE0).map { [$0] } ?? [scalar]
        case 0xFB00: ["f", "f"]
        case 0xFB01: ["f", "i"]
        case 0xFB02: ["f", "l"]
        case 0xFB03: ["f", "f", "i"]
        case 0xFB04: ["f", "f", "l"]
        case 0xFB05, 0xFB06: ["s", "t"]
        default: [scalar]
        }
    }

    private static func withUnixLines(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        var isAfterReturn = false
        for scalar in text.unicodeScalars {
            if scalar == "\r" { scalars.append("\n") }
            if scalar != "\r", !(scalar == "\n" && isAfterReturn) { scalars.append(scalar) }
            isAfterReturn = scalar == "\r"
        }
        return String(scalars)
    }

    private static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let start = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let end = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[start...end])
    }

    /// Whether a character may stand in a text that people type and others read: none that moves
    /// the cursor, changes the direction of what follows, or means nothing to anybody else.
    public static func isAcceptable(_ scalar: Unicode.Scalar, in form: Form) -> Bool {
        switch scalar.value {
        case 0x0A, 0x09: return form == .paragraph
        case 0x200C, 0x200D: return true  // joiners: Persian, Hindi and emoji need them
        default: break
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
            .paragraphSeparator:
            return false
        default:
            return true
        }
    }

    private static func tooLong(_ field: String, _ lengths: ClosedRange<Int>) -> Status {
        Status.invalid(field, "At most \(lengths.upperBound) characters.")
    }
}
