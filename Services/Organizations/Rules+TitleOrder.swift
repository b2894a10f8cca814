import Foundation

/// The order of titles: “Ärzte” comes beside “Arzt” and not after “Zoo”.
///
/// It is the order of code points of the keys, with letters of Latin, Greek and Cyrillic without
/// their marks. Titles that are equal in it are told apart by number.
enum TitleOrder {
    /// What is ordered by.
    static func text(of key: String) -> String { plainText(of: key) ?? key }

    /// The key in plain letters; nil when it is in them.
    static func plainText(of key: String) -> String? {
        if key.utf8.allSatisfy({ $0 < 0x80 }) { return nil }
        var plain = String.UnicodeScalarView()
        for scalar in key.unicodeScalars { plain.append(contentsOf: plainLetters(of: scalar)) }
        let text = String(plain)
        return text.utf8.elementsEqual(key.utf8) ? nil : text
    }

    /// Marks above, below and through letters of any alphabet.
    private static let marks: ClosedRange<Unicode.Scalar> = "\u{300}"..."\u{36F}"
    /// Latin, Greek and Cyrillic; marks of other scripts may be vowels.
    private static let alphabets: [ClosedRange<Unicode.Scalar>] = [
        "\u{80}"..."\u{52F}", "\u{1E00}"..."\u{1FFF}",
    ]
    /// Letters that Unicode does not take apart.
    private static let whole: [Unicode.Scalar: [Unicode.Scalar]] = [
        "æ": ["a", "e"], "œ": ["o", "e"], "ø": ["o"], "đ": ["d"], "ð": ["d"], "ħ": ["h"],
        "ı": ["i"], "ł": ["l"], "ŧ": ["t"], "þ": ["t", "h"],
    ]
    /// A letter of its own, which comes after и as it is.
    private static let shortI: Unicode.Scalar = "й"

    private static func plainLetters(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        guard alphabets.contains(where: { $0.contains(scalar) }), scalar != shortI else {
            return [scalar]
        }
        if marks.contains(scalar) { return [] }
        let parts = String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars
        guard parts.first?.properties.isAlphabetic == true else { return [scalar] }
        return parts.filter { !marks.contains($0) }.flatMap { whole[$0] ?? [$0] }
    }
}
