import Access
import ServiceKit

/// Whether a custom URL leads to its organization.
enum CustomURLState: Int, Sendable {
    case enabled = 1
    /// Shut down; still its organization's.
    case disabled = 2
    /// Given up, or released by the archive.
    case released = 3
}

/// The part of a custom URL that an organization chooses: lower-case letters, digits, hyphens.
struct Slug: Sendable, Hashable {
    static let charactersMin = 3
    static let charactersMax = 40

    let text: String

    /// The slug in a field.
    ///
    /// - Throws: ``Refusal/slugInvalid(_:)``, ``Refusal/slugReserved(_:)``.
    init(_ input: String) throws(Refusal) {
        guard (Slug.charactersMin...Slug.charactersMax).contains(input.utf8.count) else {
            throw .slugInvalid(
                """
                A custom URL has \(Slug.charactersMin) to \(Slug.charactersMax) letters, digits \
                and hyphens.
                """)
        }
        let hyphen = UInt8(ascii: "-")
        // Letters beyond ASCII have small forms within it; they are no letters here.
        guard
            input.utf8.allSatisfy({ byte in
                Slug.isLetter(byte | 0x20) && byte >= 0x41 || Slug.isDigit(byte) || byte == hyphen
            })
        else {
            throw .slugInvalid("A custom URL consists of the letters a to z, digits and hyphens.")
        }
        let text = input.lowercased()
        guard text.utf8.first != hyphen, text.utf8.last != hyphen, !text.contains("--") else {
            throw .slugInvalid(
                "A custom URL begins and ends with a letter or digit; hyphens stand alone.")
        }
        guard !text.utf8.allSatisfy(Slug.isDigit) else {
            throw .slugInvalid("A custom URL consists not only of digits.")
        }
        guard !ReservedPaths.segments.contains(text) else { throw .slugReserved(text) }
        self.text = text
    }

    /// The slug in a text by which something is looked for; nil when no custom URL is like it.
    static func known(_ input: String) -> Slug? {
        // What is wrong with it matters to whoever enters one alone.
        try? Slug(input)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

/// The time in which a custom URL that was given up is nobody's but its former organization's: who
/// follows an old link must not come to another organization.
enum Quarantine {
    /// Through this day after the one of the release.
    static let days = 90

    /// The first day whose releases are still in quarantine.
    static func start(on today: CalendarDay) -> CalendarDay {
        CalendarDay(daysSince1970: today.daysSince1970 - days)
    }
}
