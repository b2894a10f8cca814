import ServiceKit

/// A name as it is shown, and the key by which it is unique.
struct Name: Sendable, Hashable {
    static let charactersMax = 120
    /// Some characters become many in the key, which page tokens carry.
    static let keyBytesMax = 4 * charactersMax

    /// In normal form C, with one space between words.
    let text: String
    /// Equal for names that a person reads as the same.
    let key: String

    init(text: String, key: String) {
        self.text = text
        self.key = key
    }

    /// The name, or nil when it is empty, too long, or holds a control character.
    init?(_ given: String) {
        // Bounded first: the rest looks at every character several times.
        guard given.utf8.count <= 16 * Name.charactersMax,
            given.unicodeScalars.allSatisfy({ Text.isAcceptable($0, in: .line) })
        else { return nil }
        let words = given.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let text = Text.normalized(words)
        // What cannot be seen tells no names apart.
        var visible = String.UnicodeScalarView()
        visible.append(
            contentsOf: text.unicodeScalars.filter { !$0.properties.isDefaultIgnorableCodePoint })
        let key = Text.matchingKey(String(visible))
        guard !key.isEmpty, text.unicodeScalars.count <= Name.charactersMax,
            key.utf8.count <= Name.keyBytesMax
        else { return nil }
        self.init(text: text, key: key)
    }
}
