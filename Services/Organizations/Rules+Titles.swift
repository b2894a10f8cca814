import Foundation
import ServiceKit

/// The title of an organization, with the key by which siblings are told apart.
struct Title: Sendable, Hashable {
    static let charactersMax = 120
    static let keyBytesMax = 4 * charactersMax

    /// As it is shown: in normal form C, without white space around it.
    let text: String
    /// Equal for titles that a person reads as the same: compatibility characters are resolved,
    /// white space is folded, case is folded, invisible characters are left out.
    let key: String
    /// What titles are ordered by: the key with plain letters.
    var order: String { TitleOrder.text(of: key) }

    init(_ input: String, field: String) throws(FieldFault) {
        try self.init(input, field: field, called: "title")
    }

    /// A name that is told apart like titles.
    static func name(_ input: String, field: String) throws(FieldFault) -> Title {
        try Title(input, field: field, called: "name")
    }

    // The noun is what people call it.
    private init(_ input: String, field: String, called noun: String) throws(FieldFault) {
        let tooLong = FieldFault(
            field: field,
            sentence: "The \(noun) may have at most \(Title.charactersMax) characters.")
        // Bounded first: the rest looks at every character several times.
        guard input.utf8.count <= 16 * Title.charactersMax else { throw tooLong }
        guard input.unicodeScalars.allSatisfy({ Text.isAcceptable($0, in: .line) }) else {
            throw FieldFault(
                field: field,
                sentence: "The \(noun) must not contain control or direction-changing characters.")
        }
        let text = String(input.trimmed).precomposedStringWithCanonicalMapping
        let key = Title.key(of: text)
        guard !key.isEmpty else {
            throw FieldFault(field: field, sentence: "Please type a \(noun).")
        }
        // Some characters become many in the key, which page tokens carry.
        guard text.unicodeScalars.count <= Title.charactersMax, key.utf8.count <= Title.keyBytesMax
        else { throw tooLong }
        self.text = text
        self.key = key
    }

    /// A title as it is stored.
    init(stored text: String, key: String) {
        self.text = text
        self.key = key
    }

    /// The key of a title: Unicode's normal form KC with case folded, white space folded.
    static func key(of text: String) -> String {
        // Of ASCII, case and white space are all there is to fold.
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            return text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
        let plain = String(
            String.UnicodeScalarView(
                text.precomposedStringWithCompatibilityMapping.unicodeScalars.lazy.filter {
                    !$0.properties.isDefaultIgnorableCodePoint
                }))
        // Folding may leave what normal form KC would write otherwise, hence once more.
        let folded = plain.caseFolded.precomposedStringWithCompatibilityMapping
        return folded.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}

/// What an organization says of itself.
struct Description: Sendable, Hashable {
    static let charactersMax = 2_000

    let text: String

    /// A description as it is stored.
    init(stored text: String) {
        self.text = text
    }

    init(_ input: String, field: String) throws(FieldFault) {
        guard input.utf8.count <= 4 * Description.charactersMax,
            input.unicodeScalars.count <= Description.charactersMax
        else {
            throw FieldFault(
                field: field,
                sentence:
                    "The description may have at most \(Description.charactersMax) characters.")
        }
        let isLegal = input.unicodeScalars.allSatisfy { scalar in
            scalar == "\r" || Text.isAcceptable(scalar, in: .paragraph)
        }
        guard isLegal else {
            throw FieldFault(
                field: field,
                sentence: """
                    The description must not contain control or direction-changing characters.
                    """)
        }
        text = String(input.trimmed).precomposedStringWithCanonicalMapping
    }
}

extension String {
    /// Without white space at both ends.
    fileprivate var trimmed: Substring {
        guard let start = firstIndex(where: { !$0.isWhitespace }),
            let end = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return self[start...end]
    }

    /// With Unicode's full case folding, so that “Straße” and “STRASSE” become one.
    fileprivate var caseFolded: String {
        var folded = ""
        for scalar in unicodeScalars {
            // The dotless i has no other case in Unicode's folding.
            if scalar == "\u{131}" {
                folded.unicodeScalars.append(scalar)
                continue
            }
            for lower in scalar.properties.lowercaseMapping.unicodeScalars {
                for upper in lower.properties.uppercaseMapping.unicodeScalars {
                    folded += upper.properties.lowercaseMapping
                }
            }
        }
        return folded
    }
}
