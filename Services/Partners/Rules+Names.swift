import ServiceKit

/// A name as it is shown, and the key by which it is unique.
struct Name: Sendable, Hashable {
    static let charactersMax = 120

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
        let key = Text.matchingKey(text)
        guard !key.isEmpty, text.unicodeScalars.count <= Name.charactersMax else { return nil }
        self.init(text: text, key: key)
    }
}
