import Access
import ServiceKit

/// What people set at an organization.
struct Details: Sendable, Hashable {
    var title: Title
    var description: Description
    var category: Category
    var categorySource = CategorySource.chosen
    var country: String
    var kind: Kind?
    var salesRepEmail = ""
    var services: [String] = []
    var type: OrganizationTypeID?
    var trialUntil: CalendarDay?
    var expiresOn: CalendarDay?
    var externalID: String?
    var discount = MemberDiscount.none

    /// Whether nothing differs, compared as bytes: texts that Swift holds equal may be written
    /// differently.
    func isWrittenLike(_ other: Details) -> Bool {
        self == other && title.text.utf8.elementsEqual(other.title.text.utf8)
            && description.text.utf8.elementsEqual(other.description.text.utf8)
    }

    /// The fields that are otherwise, those of people alone.
    func fields(differingFrom other: Details) -> Set<DetailsField> {
        let differences: [DetailsField: Bool] = [
            .title: !title.text.utf8.elementsEqual(other.title.text.utf8),
            .description: !description.text.utf8.elementsEqual(other.description.text.utf8),
            .category: category != other.category,
            .country: country != other.country,
            .kind: kind != other.kind,
            .salesRepEmail: salesRepEmail != other.salesRepEmail,
            .services: services != other.services,
            .type: type != other.type,
            .trial: trialUntil != other.trialUntil,
            .expiresAt: expiresOn != other.expiresOn,
            .externalID: externalID != other.externalID,
        ]
        return Set(differences.filter(\.value).keys)
    }
}

/// What came in for an organization, unchecked: the fields of a new one, or of a change.
struct DetailsInput: Sendable, Hashable {
    var title = ""
    var description = ""
    var category: Int32 = 0
    var country = ""
    var kind: Int32 = 0
    var salesRepEmail = ""
    var services: [String] = []
    var type = ""
    var isTrialEnabled = false
    var trialUntil = ""
    var expiresAt = ""
    var externalID = ""
    /// Where the fields stand in the request: empty, or a path with a dot.
    var prefix = ""
}

/// A field that people may change.
enum DetailsField: String, CaseIterable, Sendable {
    case title
    case description
    case category
    case country
    case kind
    case salesRepEmail = "sales_rep_email"
    case services
    case type = "type_id"
    case trial
    case expiresAt = "expires_at"
    case externalID = "external_id"

    /// Those that only roles which set type, trial and expiry may change.
    static let contractual: Set<DetailsField> = [.type, .trial, .expiresAt, .externalID]
}

/// Values of some fields, each checked by itself; what needs the day and what is kept comes later.
struct DetailsChange: Sendable, Hashable {
    var title: Title?
    var description: Description?
    var category: Category?
    var country: Country?
    var kind: Kind??
    var salesRepEmail: String?
    var services: [String]?
    var type: OrganizationTypeID??
    var trial: TrialWish?
    var expiresOn: CalendarDay??
    var externalID: String??
    /// Where the day of expiry stood.
    private let expiryField: String

    /// The values of the named fields.
    ///
    /// - Throws: ``Refusal/invalid(_:)`` with every field that is wrong.
    init(_ input: DetailsInput, fields: Set<DetailsField>) throws(Refusal) {
        var faults: [FieldFault] = []
        func path(_ field: DetailsField) -> String { input.prefix + field.rawValue }
        func value<Input, Value>(
            _ field: DetailsField, _ raw: Input, _ check: Check<Input, Value>
        ) -> Value? {
            guard fields.contains(field) else { return nil }
            return faults.accept(raw, field: path(field), as: check)
        }
        expiryField = path(.expiresAt)
        title = value(.title, input.title, Title.init(_:field:))
        description = value(.description, input.description, Description.init(_:field:))
        category = value(.category, input.category, Category.init)
        country = value(.country, input.country, Country.init)
        kind = value(.kind, input.kind, Kind.optional)
        salesRepEmail = value(
            .salesRepEmail, input.salesRepEmail, ContactAddress.optionalReceiver)
        services = value(.services, input.services, ServiceNames.check)
        type = value(.type, input.type, OrganizationTypeID.optionalField)
        expiresOn = value(.expiresAt, input.expiresAt, CalendarDay.optional)
        externalID = value(.externalID, input.externalID, ExternalIdentifier.optional)
        trial = value(.trial, input) { input, field throws(FieldFault) in
            try TrialWish(
                isEnabled: input.isTrialEnabled, validUntil: input.trialUntil, field: field)
        }
        guard faults.isEmpty else { throw .invalid(faults) }
    }

    /// The details after the change, and the fields that are kept otherwise than they were sent.
    ///
    /// - Parameters:
    ///   - details: What is kept now.
    ///   - today: The day of the call.
    /// - Returns: Both.
    /// - Throws: ``Refusal/dateInPast(field:)``, ``Refusal/trialNeedsDate(field:)``.
    func applied(
        to details: Details, today: CalendarDay
    ) throws(Refusal) -> (details: Details, normalized: [String]) {
        var next = details
        var normalized: [String] = []
        if let title { next.title = title }
        if let description { next.description = description }
        if let category {
            if category != next.category { next.categorySource = .chosen }
            next.category = category
        }
        if let country { next.country = country.code }
        if let kind { next.kind = kind }
        if let salesRepEmail { next.salesRepEmail = salesRepEmail }
        if let services { next.services = services }
        if let type { next.type = type }
        if let externalID { next.externalID = externalID }
        if let trial { next.trialUntil = try trial.decide(kept: next.trialUntil, today: today) }
        if let expiresOn {
            let expiry = try ExpiryRule.decide(
                expiresOn, kept: next.expiresOn, today: today, field: expiryField)
            next.expiresOn = expiry.day
            if expiry.isNormalized { normalized.append(DetailsField.expiresAt.rawValue) }
        }
        return (next, normalized)
    }
}

extension Details {
    /// What a new organization is, of fields in which everything that is mandatory is there.
    static func new(
        _ input: DetailsInput, today: CalendarDay
    ) throws(Refusal) -> (details: Details, normalized: [String]) {
        let change = try DetailsChange(input, fields: Set(DetailsField.allCases))
        guard let title = change.title, let description = change.description,
            let category = change.category, let country = change.country
        else { preconditionFailure("every field was asked for") }
        let plain = Details(
            title: title, description: description, category: category, country: country.code)
        return try change.applied(to: plain, today: today)
    }
}

extension Details {
    /// What an organization of an outside system is: category and country may be left out, and are
    /// then the parent's, else a company's in no country.
    static func provisioned(
        _ input: DetailsInput, externalID: String, below parent: Details?
    ) throws(Refusal) -> Details {
        var fields: Set<DetailsField> = [.title]
        if input.category != 0 { fields.insert(.category) }
        if !input.country.isEmpty { fields.insert(.country) }
        let change = try DetailsChange(input, fields: fields)
        guard let title = change.title else { preconditionFailure("the title was asked for") }
        var details = Details(
            title: title, description: Description(stored: ""),
            category: change.category ?? parent?.category ?? .businessCompany,
            country: change.country?.code ?? parent?.country ?? "")
        if change.category == nil {
            details.categorySource = parent == nil ? .fallback : .inherited
        }
        details.externalID = externalID
        return details
    }
}

extension Details {
    /// What an organization is that its founder makes in a sign-up: the category may be left out,
    /// and is then a company's; so may the country.
    static func signedUp(_ input: DetailsInput) throws(Refusal) -> Details {
        var fields: Set<DetailsField> = [.title, .description, .kind]
        if input.category != 0 { fields.insert(.category) }
        if !input.country.isEmpty { fields.insert(.country) }
        let change = try DetailsChange(input, fields: fields)
        guard let title = change.title, let description = change.description,
            let kind = change.kind
        else { preconditionFailure("these fields were asked for") }
        return Details(
            title: title, description: description,
            category: change.category ?? .businessCompany,
            categorySource: change.category == nil ? .fallback : .chosen,
            country: change.country?.code ?? "", kind: kind)
    }
}

/// Which fields of an organization an update names.
struct UpdateMask: Sendable, Hashable {
    private(set) var fields: Set<DetailsField> = []
    /// Whether the parent is named, which must then be the one that there is.
    private(set) var isParentNamed = false

    /// The fields that are answered and never taken; the parent is none of these.
    private static let answered: Set<String> = [
        "id", "depth", "status", "effective_state", "state_reason", "origin", "created_at",
        "updated_at", "version", "etag", "path", "warnings", "member_count", "category_source",
        "archived_at", "normalized", "member_discount",
    ]

    /// The parts of fields that a mask may name; the whole field is changed.
    private static let parts: [String: DetailsField] = [
        "trial.enabled": .trial, "trial.valid_until": .trial,
    ]

    /// The mask of the named fields; without names, of every field that is not at its default.
    ///
    /// - Parameters:
    ///   - paths: The names.
    ///   - input: What came in.
    ///   - isImplied: Whether the names are those of what came in, and nobody chose them: what is
    ///     only answered is passed over then.
    /// - Throws: ``Refusal/invalid(_:)`` with every name that is none, or of what is only answered.
    init(naming paths: [String], in input: DetailsInput, isImplied: Bool) throws(Refusal) {
        var faults: [FieldFault] = []
        for path in paths {
            if path == "parent_id" {
                isParentNamed = true
            } else if let field = DetailsField(rawValue: path) ?? Self.parts[path] {
                fields.insert(field)
            } else if Self.answered.contains(path) {
                if !isImplied { faults.append(.maskNamesAnswered(path)) }
            } else {
                faults.append(.maskNamesNothing(path))
            }
        }
        guard faults.isEmpty else { throw .invalid(faults) }
        if paths.isEmpty { fields = input.fieldsPresent }
    }

    /// Refuses another parent than the one that there is.
    func requireParent(_ text: String, is parent: OrganizationID?) throws(Refusal) {
        guard isParentNamed, OrganizationID(text: text) != parent else { return }
        let sentence = "An organization gets another parent by being moved."
        throw .invalid([FieldFault(field: "organization.parent_id", sentence: sentence)])
    }
}

extension FieldFault {
    /// An update mask names what is answered and never taken.
    static func maskNamesAnswered(_ path: String) -> FieldFault {
        FieldFault(
            field: "update_mask", sentence: "“\(path)” is only answered, and cannot be changed.")
    }

    /// An update mask names what there is not.
    static func maskNamesNothing(_ path: String) -> FieldFault {
        FieldFault(
            field: "update_mask",
            sentence: "“\(path.prefix(80))” is not a field that can be changed.")
    }
}

extension DetailsInput {
    /// The fields that are not at their default.
    fileprivate var fieldsPresent: Set<DetailsField> {
        var present: Set<DetailsField> = []
        if !title.isEmpty { present.insert(.title) }
        if !description.isEmpty { present.insert(.description) }
        if category != 0 { present.insert(.category) }
        if !country.isEmpty { present.insert(.country) }
        if kind != 0 { present.insert(.kind) }
        if !salesRepEmail.isEmpty { present.insert(.salesRepEmail) }
        if !services.isEmpty { present.insert(.services) }
        if !type.isEmpty { present.insert(.type) }
        if isTrialEnabled || !trialUntil.isEmpty { present.insert(.trial) }
        if !expiresAt.isEmpty { present.insert(.expiresAt) }
        if !externalID.isEmpty { present.insert(.externalID) }
        return present
    }
}
