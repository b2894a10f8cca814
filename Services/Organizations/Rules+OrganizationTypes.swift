import Access
import ServiceKit

// Templates that organizations are based on. What they name beside themselves, other services have.

/// Who may give a type to organizations.
enum TypeVisibility: Int, Sendable {
    /// Whoever may set the type of an organization.
    case everyone = 1
    /// Staff of the platform; others do not see it.
    case staff = 2

    /// The visibility with a number of the API; 0 is everyone.
    init(_ number: Int32, field: String) throws(FieldFault) {
        guard let visibility = TypeVisibility(rawValue: number == 0 ? 1 : Int(number)) else {
            throw FieldFault(field: field, sentence: "There is no visibility \(number).")
        }
        self = visibility
    }
}

/// The roles by which people get something of a type, the strongest first.
enum BenefitRole: Int, Sendable, CaseIterable {
    case owner = 1
    case manager = 2
    case member = 3

    /// What people get where a type says nothing: owners take no seat.
    var standard: Benefit { Benefit(takesSeat: self != .owner) }
}

/// What people get in organizations of a type.
struct Benefit: Sendable, Hashable {
    var takesSeat: Bool
    var licenseTypes: [LicenseTypeID] = []
    var courses: [CourseID] = []
}

/// What people set at an organization type.
struct TypeDetails: Sendable, Hashable {
    var name: Title
    var visibility = TypeVisibility.everyone
    /// The type of seats; nil: the platform's.
    var seatType: SeatTypeID?
    var allowsSignUp = false
    var requiresApproval = false
    /// The modules that organizations begin with; nil: all.
    var modules: [ModuleID]?
    var benefits = Dictionary(uniqueKeysWithValues: BenefitRole.allCases.map { ($0, $0.standard) })

    /// What a new type is before anything is set.
    static let blank = TypeDetails(name: Title(stored: "", key: ""))

    /// Whether nothing differs, the name compared as bytes.
    func isWrittenLike(_ other: TypeDetails) -> Bool {
        self == other && name.text.utf8.elementsEqual(other.name.text.utf8)
    }
}

/// What came in for an organization type, unchecked.
struct TypeInput: Sendable, Hashable {
    struct Access: Sendable, Hashable {
        var allowsSignUp: Bool
        var requiresApproval: Bool
        var modules: [String]?
    }

    struct Benefit: Sendable, Hashable {
        var takesSeat: Bool
        var licenseTypes: [String]
        var courses: [String]
    }

    var name = ""
    var visibility: Int32 = 0
    var seatType = ""
    var access: Access?
    var benefits: [BenefitRole: Benefit] = [:]
    /// Where the fields stand in the request: empty, or a path with a dot.
    var prefix = ""
}

/// A field of a type that people may change, or a part of one.
enum TypeField: String, CaseIterable, Sendable {
    case name
    case visibility
    case seatType = "default_seat_type_id"
    case signUp = "access.signup_allowed"
    case approval = "access.requires_approval"
    case modules = "access.default_modules"
    case ownerBenefit = "seat_benefits.owner"
    case managerBenefit = "seat_benefits.manager"
    case memberBenefit = "seat_benefits.member"

    /// The fields that are answered and never taken.
    private static let answered: Set<String> = [
        "id", "created_at", "updated_at", "version", "etag", "removed",
    ]

    /// The fields that a mask names; without names, those that are not at their default.
    ///
    /// - Parameters:
    ///   - paths: The names.
    ///   - input: What came in.
    ///   - isImplied: Whether the names are those of what came in: what is only answered is passed
    ///     over then.
    /// - Returns: The fields.
    /// - Throws: ``Refusal/invalid(_:)`` with every name that is none, or of what is only answered.
    static func named(
        _ paths: [String], in input: TypeInput, isImplied: Bool
    ) throws(Refusal) -> Set<TypeField> {
        guard !paths.isEmpty else { return input.fieldsPresent }
        var faults: [FieldFault] = []
        var fields: Set<TypeField> = []
        for path in paths {
            if answered.contains(path) {
                if !isImplied { faults.append(.maskNamesAnswered(path)) }
                continue
            }
            let found = allCases.filter { field in
                field.rawValue == path || field.rawValue.hasPrefix("\(path).")
            }
            if found.isEmpty { faults.append(.maskNamesNothing(path)) }
            fields.formUnion(found)
        }
        guard faults.isEmpty else { throw .invalid(faults) }
        return fields
    }

    /// The field with what people get by a role.
    static func benefit(of role: BenefitRole) -> TypeField {
        switch role {
        case .owner: .ownerBenefit
        case .manager: .managerBenefit
        case .member: .memberBenefit
        }
    }
}

extension TypeInput {
    fileprivate var fieldsPresent: Set<TypeField> {
        var present = Set(benefits.keys.map(TypeField.benefit))
        if !name.isEmpty { present.insert(.name) }
        if visibility != 0 { present.insert(.visibility) }
        if !seatType.isEmpty { present.insert(.seatType) }
        if access != nil { present.formUnion([.signUp, .approval, .modules]) }
        return present
    }
}

extension TypeDetails {
    /// The details with the named fields as they came in.
    ///
    /// - Throws: ``Refusal/invalid(_:)`` with every field that is wrong.
    func changed(
        _ fields: Set<TypeField>, to input: TypeInput
    ) throws(Refusal) -> TypeDetails {
        var faults: [FieldFault] = []
        var next = self
        func path(_ field: TypeField) -> String { input.prefix + field.rawValue }
        if fields.contains(.name),
            let name = faults.accept(input.name, field: path(.name), as: Title.name)
        {
            next.name = name
        }
        if fields.contains(.visibility),
            let visibility = faults.accept(
                input.visibility, field: path(.visibility), as: TypeVisibility.init(_:field:))
        {
            next.visibility = visibility
        }
        if fields.contains(.seatType),
            let type = faults.accept(
                input.seatType, field: path(.seatType), as: SeatTypeID.optionalField)
        {
            next.seatType = type
        }
        if fields.contains(.signUp) { next.allowsSignUp = input.access?.allowsSignUp ?? false }
        if fields.contains(.approval) {
            next.requiresApproval = input.access?.requiresApproval ?? false
        }
        if fields.contains(.modules) {
            next.modules = input.access?.modules.flatMap { modules in
                faults.accept(modules, field: path(.modules), as: ModuleID.list)
            }
        }
        for role in BenefitRole.allCases {
            let field = TypeField.benefit(of: role)
            guard fields.contains(field) else { continue }
            next.benefits[role] = faults.accept(input.benefits[role], of: role, at: path(field))
        }
        guard faults.isEmpty else { throw .invalid(faults) }
        return next
    }
}

extension [FieldFault] {
    fileprivate mutating func accept(
        _ input: TypeInput.Benefit?, of role: BenefitRole, at path: String
    ) -> Benefit {
        guard let input else { return role.standard }
        return Benefit(
            takesSeat: input.takesSeat,
            licenseTypes: accept(
                input.licenseTypes, field: "\(path).license_types", as: LicenseTypeID.list) ?? [],
            courses: accept(input.courses, field: "\(path).courses", as: CourseID.list) ?? [])
    }
}

extension Identifier {
    /// The most identifiers of a list.
    static var listMax: Int { 500 }

    /// The identifiers in a field, each once, in order.
    static func list(_ texts: [String], field: String) throws(FieldFault) -> [Identifier] {
        guard texts.count <= listMax else {
            throw FieldFault(field: field, sentence: "At most \(listMax) identifiers.")
        }
        var found: Set<Identifier> = []
        for text in texts {
            guard let identifier = Identifier(text: text) else {
                throw FieldFault(field: field, sentence: "This is not a list of identifiers.")
            }
            found.insert(identifier)
        }
        return found.sorted()
    }
}
