import Access
import ServiceKit

/// What a check makes of an input, the content of a field.
typealias Check<Input, Value> = (Input, _ field: String) throws(FieldFault) -> Value

/// What the check makes of an input.
///
/// - Throws: ``Refusal/invalid(_:)``.
func accept<Input, Value>(
    _ input: Input, field: String, as check: Check<Input, Value>
) throws(Refusal) -> Value {
    do {
        return try check(input, field)
    } catch {
        throw .invalid([error])
    }
}

extension [FieldFault] {
    /// What the check makes of an input, or nil after keeping the fault that it found.
    mutating func accept<Input, Value>(
        _ input: Input, field: String, as check: Check<Input, Value>
    ) -> Value? {
        do {
            return try check(input, field)
        } catch {
            append(error)
            return nil
        }
    }
}

/// What an organization was set to.
enum NodeStatus: Int, Sendable {
    case active = 1
    case inactive = 2
    case provisioning = 3
    case cancelled = 4
}

/// How an organization came to be.
enum Origin: Int, Sendable {
    case manual = 1
    case bulkImport = 2
    case api = 3
    case automatic = 4
    case signup = 5
    case sale = 6
    case partner = 7
}

/// What kind of customer an organization is.
enum Category: Int, Sendable {
    case academicK12 = 1
    case academicPostSecondary = 2
    case businessCompany = 3
    case businessTrainingCenter = 4
}

extension Origin {
    /// The origin with a number of the API.
    init(_ number: Int32, field: String) throws(FieldFault) {
        guard let origin = Origin(rawValue: Int(number)) else {
            throw FieldFault(field: field, sentence: "Please name how the organization came to be.")
        }
        self = origin
    }
}

/// An organization as its descendants see it.
struct Level: Sendable, Hashable {
    let id: OrganizationID
    let title: String
    let status: NodeStatus
}

/// An organization with its ancestors, the root first; never empty.
struct Line: Sendable, Hashable {
    /// Nothing hangs deeper in the tree.
    static let depthMax = 10

    let levels: [Level]

    init(_ levels: [Level]) {
        precondition(!levels.isEmpty, "a line holds at least its own organization")
        self.levels = levels
    }

    var ids: [OrganizationID] { levels.map(\.id) }
    var ancestors: ArraySlice<Level> { levels.dropLast() }
    var depth: Int { levels.count }

    /// The nearest organization, upwards from this one, that is not active; nil when all are.
    var obstacle: Level? { levels.last { $0.status != .active } }

    /// The line to the parent; nil for a root.
    var parents: Line? { levels.count > 1 ? Line(Array(ancestors)) : nil }

    /// The line with what its last organization has become.
    func replacing(_ level: Level) -> Line { Line(levels.dropLast() + [level]) }

    /// Refuses a child that may not hang here.
    func admitChild() throws(Refusal) {
        if let obstacle { throw .organizationNotActive(obstacle.id) }
        guard depth < Line.depthMax else { throw .depthExceeded }
    }
}

/// What somebody asks a new organization to be, checked.
struct Draft: Sendable, Hashable {
    let title: Title
    let description: Description
    let category: Category
    let country: Country

    /// A draft in which everything that is mandatory is there.
    init(title: String, description: String, category: Int32, country: String) throws(Refusal) {
        var faults: [FieldFault] = []
        let title = faults.accept(title, field: "title", as: Title.init)
        let description = faults.accept(
            description, field: "description", as: Description.init)
        let category = faults.accept(category, field: "category", as: Category.init)
        let country = faults.accept(country, field: "country", as: Country.init)
        guard let title, let description, let category, let country else {
            throw .invalid(faults)
        }
        self.title = title
        self.description = description
        self.category = category
        self.country = country
    }
}

/// What somebody asks to change; nil stays.
struct Change: Sendable, Hashable {
    var title: Title?
    var description: Description?
    var category: Category?
    var country: Country?
    /// Whether the mask names the parent, which must then be the one that there is.
    private(set) var isParentNamed = false

    /// The fields that can be named in an update mask.
    enum Field: String, CaseIterable {
        case title
        case description
        case category
        case country
    }

    /// The fields that are answered and never taken; the parent is none of these.
    ///
    /// Named in a mask they are passed over, so that what was read can be sent back with a change.
    private static let answered: Set<String> = [
        "id", "depth", "status", "effective_state", "state_reason", "origin", "created_at",
        "updated_at", "version", "etag", "path", "warnings",
    ]

    /// The change of the named fields; without names, of every field that is not at its default.
    init(
        naming paths: [String], title: String, description: String, category: Int32,
        country: String
    ) throws(Refusal) {
        var faults: [FieldFault] = []
        var fields: Set<Field> = []
        for path in paths {
            guard !Change.answered.contains(path) else { continue }
            if path == "parent_id" {
                isParentNamed = true
                continue
            }
            guard let field = Field(rawValue: path) else {
                let sentence = "“\(path.prefix(80))” is not a field that can be changed."
                faults.append(FieldFault(field: "update_mask", sentence: sentence))
                continue
            }
            fields.insert(field)
        }
        if paths.isEmpty {
            if !title.isEmpty { fields.insert(.title) }
            if !description.isEmpty { fields.insert(.description) }
            if category != 0 { fields.insert(.category) }
            if !country.isEmpty { fields.insert(.country) }
        }
        if fields.contains(.title) {
            self.title = faults.accept(
                title, field: "organization.title", as: Title.init)
        }
        if fields.contains(.description) {
            self.description = faults.accept(
                description, field: "organization.description", as: Description.init)
        }
        if fields.contains(.category) {
            self.category = faults.accept(
                category, field: "organization.category", as: Category.init)
        }
        if fields.contains(.country) {
            self.country = faults.accept(
                country, field: "organization.country", as: Country.init)
        }
        guard faults.isEmpty else { throw .invalid(faults) }
    }

    /// Refuses another parent than the one that there is.
    func requireParent(_ text: String, is parent: OrganizationID?) throws(Refusal) {
        guard isParentNamed, OrganizationID(text: text) != parent else { return }
        let sentence = "The parent of an organization is not changed in this way."
        throw .invalid([FieldFault(field: "organization.parent_id", sentence: sentence)])
    }

    /// Whether nothing but the title is asked for.
    var isTitleOnly: Bool { description == nil && category == nil && country == nil }
}

extension Category {
    /// The category with a number of the API.
    init(_ number: Int32, field: String) throws(FieldFault) {
        guard number != 0 else {
            throw FieldFault(field: field, sentence: "Please choose a category.")
        }
        guard let category = Category(rawValue: Int(number)) else {
            throw FieldFault(field: field, sentence: "There is no category \(number).")
        }
        self = category
    }
}
