import ServiceKit

/// Among which organizations a title is unique.
enum NameScope: Int, Sendable {
    case siblings = 1
    case global = 2

    /// The scope with a number of the API.
    init(_ number: Int32, field: String) throws(FieldFault) {
        guard let scope = NameScope(rawValue: Int(number)) else {
            throw FieldFault(
                field: field, sentence: "Titles are unique among siblings or on the platform.")
        }
        self = scope
    }
}

extension Standing {
    /// Whether an organization that stands so keeps others from its title.
    var holdsTitle: Bool {
        switch self {
        case .present, .provisioning: true
        case .archived, .cancelled, .purged: false
        }
    }
}

/// What is set for the whole platform.
struct PlatformValues: Sendable, Hashable {
    var nameScope = NameScope.siblings
    /// Who receives what people write where no organization says who does; empty: never set.
    var contactReceivers: [String] = []
    /// Whether people who sign up and whom no email mask covers wait for approval.
    var signUpApproval = false
}

/// A setting of the platform that people may change.
enum PlatformField: String, CaseIterable, Sendable {
    case nameScope = "name_scope"
    case contactReceivers = "contact_receivers"
    case signUpApproval = "sign_up_approval"

    /// The fields that are answered and never taken.
    private static let answered: Set<String> = ["updated_at", "version", "etag"]

    /// The settings that a mask names.
    ///
    /// - Parameters:
    ///   - paths: The names.
    ///   - isImplied: Whether the names are those of what came in: what is only answered is passed
    ///     over then.
    /// - Returns: The settings.
    /// - Throws: ``Refusal/invalid(_:)`` with every name that is none, or of what is only answered.
    static func named(
        _ paths: [String], isImplied: Bool
    ) throws(Refusal) -> Set<PlatformField> {
        var faults: [FieldFault] = []
        var fields: Set<PlatformField> = []
        for path in paths {
            if let field = PlatformField(rawValue: path) {
                fields.insert(field)
            } else if answered.contains(path) {
                if !isImplied { faults.append(.maskNamesAnswered(path)) }
            } else {
                faults.append(.maskNamesNothing(path))
            }
        }
        guard faults.isEmpty else { throw .invalid(faults) }
        return fields
    }
}

/// Changes of settings of the platform, checked.
struct PlatformChange: Sendable, Hashable {
    private(set) var nameScope: NameScope?
    private(set) var contactReceivers: [String]?
    private(set) var signUpApproval: Bool?

    /// - Throws: ``Refusal/invalid(_:)`` with every setting that is wrong.
    init(
        _ fields: Set<PlatformField>, nameScope: Int32, contactReceivers: [String],
        signUpApproval: Bool, receiversMax: Int
    ) throws(Refusal) {
        var faults: [FieldFault] = []
        if fields.contains(.signUpApproval) { self.signUpApproval = signUpApproval }
        if fields.contains(.nameScope) {
            self.nameScope = faults.accept(
                nameScope, field: "settings.name_scope", as: NameScope.init(_:field:))
        }
        if fields.contains(.contactReceivers) {
            self.contactReceivers = faults.accept(
                contactReceivers, field: "settings.contact_receivers"
            ) { addresses, field throws(FieldFault) in
                let checked = try ContactAddress.list(addresses, field: field, most: receiversMax)
                guard !checked.isEmpty else {
                    throw FieldFault(
                        field: field, sentence: "Somebody must receive what people write.")
                }
                return checked
            }
        }
        guard faults.isEmpty else { throw .invalid(faults) }
    }

    /// The settings after the change.
    func applied(to values: PlatformValues) -> PlatformValues {
        PlatformValues(
            nameScope: nameScope ?? values.nameScope,
            contactReceivers: contactReceivers ?? values.contactReceivers,
            signUpApproval: signUpApproval ?? values.signUpApproval)
    }
}
