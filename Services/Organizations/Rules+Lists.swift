import Access
import ServiceKit

/// What a list of organizations is ordered by.
enum ListKey: String, Sendable, Hashable {
    case updated = "updated_at"
    case title
    case members
}

/// The order of a list; organizations that are equal in it are told apart by their number.
struct ListOrder: Sendable, Hashable {
    let key: ListKey
    let isDescending: Bool

    /// The latest changed first.
    static let standard = ListOrder(key: .updated, isDescending: true)

    init(key: ListKey, isDescending: Bool) {
        self.key = key
        self.isDescending = isDescending
    }

    /// The order in a field; the standard one when it is empty.
    init(_ input: String, field: String) throws(FieldFault) {
        guard !input.isEmpty else {
            self = .standard
            return
        }
        let words = input.split(separator: " ").map(String.init)
        guard let first = words.first, let key = ListKey(rawValue: first),
            words.count == 1 || (words.count == 2 && ["asc", "desc"].contains(words[1]))
        else {
            throw FieldFault(
                field: field,
                sentence: "Please order by “updated_at”, “title” or “members”, with or without "
                    + "“desc”.")
        }
        self.init(key: key, isDescending: words.last == "desc")
    }
}

/// The part of a title that is looked for, as keys of titles are written.
struct TitlePart: Sendable, Hashable {
    /// Shorter parts are found by looking at titles in turn.
    static let indexedCharactersMin = 3

    let key: String

    /// The part in a field; nil when nothing is looked for.
    static func optional(_ input: String, field: String) throws(FieldFault) -> TitlePart? {
        guard input.utf8.count <= 16 * Title.charactersMax,
            input.unicodeScalars.count <= Title.charactersMax
        else {
            throw FieldFault(
                field: field,
                sentence: "Please look for at most \(Title.charactersMax) characters.")
        }
        let key = Title.key(of: input)
        return key.isEmpty ? nil : TitlePart(key: key)
    }

    /// Whether an index finds it: by characters in a row, none of which stands for others in a
    /// pattern.
    var isIndexed: Bool {
        key.unicodeScalars.split { $0 == "%" || $0 == "_" }
            .contains { $0.count >= Self.indexedCharactersMin }
    }

    /// Whether a title with this key has the part.
    func occurs(in titleKey: String) -> Bool {
        let (whole, part) = (Array(titleKey.utf8), Array(key.utf8))
        guard part.count <= whole.count else { return false }
        return (0...(whole.count - part.count)).contains { start in
            whole[start..<(start + part.count)].elementsEqual(part)
        }
    }
}

/// Which organizations a list shows, beside where they are.
struct ListFilter: Sendable, Hashable {
    var part: TitlePart?
    /// Changed at this instant or later, in microseconds since 1970.
    var updatedMin = Int64.min
    /// Changed before this instant.
    var updatedEnd = Int64.max
    /// Only those in this state; nil: all but the archive.
    var state: OrganizationState?

    /// Whether every present organization is shown.
    var showsAll: Bool { self == ListFilter() }

    /// Whether every present organization is shown whose title has the part.
    var showsAllWithPart: Bool { self == ListFilter(part: part) }

    /// Whether the archive is listed.
    var isOfArchive: Bool { state == .archived }

    /// Whether an organization is shown, as far as it alone tells.
    func shows(titleKey: String, updated: Int64) -> Bool {
        updated >= updatedMin && updated < updatedEnd && part?.occurs(in: titleKey) ?? true
    }

    /// Whether an organization is shown, its ancestors included.
    func shows(_ line: Line) -> Bool {
        guard let state else { return !line.isArchived }
        return line.state == state
    }
}
