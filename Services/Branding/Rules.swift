import Access
import ServiceKit

/// Something of an appearance that is set, inherited and reset by itself, in the order in which
/// fields are told.
enum Field: Sendable, Hashable, Comparable {
    case primary
    case secondary
    case advanced(String)
    case logo

    /// The field with a name such as `primary` or `advanced.link`; nil when there is none.
    init?(name: String) {
        switch name {
        case "primary": self = .primary
        case "secondary": self = .secondary
        case "logo": self = .logo
        default:
            let prefix = "advanced."
            guard name.utf8.starts(with: prefix.utf8) else { return nil }
            let color = String(name.dropFirst(prefix.count))
            guard Color.isName(color) else { return nil }
            self = .advanced(color)
        }
    }

    var name: String {
        switch self {
        case .primary: "primary"
        case .secondary: "secondary"
        case .advanced(let color): "advanced.\(color)"
        case .logo: "logo"
        }
    }
}

/// Colors that somebody asks for, checked.
struct Palette: Sendable, Hashable {
    private(set) var colors: [Field: Color] = [:]

    init() {}

    /// How many of the colors are further ones with names of their own.
    var advancedCount: Int { colors.advancedCount }

    /// - Throws: ``Refusal/invalid(_:)`` with every color that is none.
    init(
        primary: String?, secondary: String?, advanced: [String: String]
    ) throws(Refusal) {
        var faults: [FieldFault] = []
        func take(_ text: String, as field: Field, at path: String) {
            if let color = Color(text) {
                colors[field] = color
            } else {
                let sentence = "A color is written as #rrggbb, such as #0b5fff."
                faults.append(FieldFault(field: path, sentence: sentence))
            }
        }
        if let primary { take(primary, as: .primary, at: "colors.primary") }
        if let secondary { take(secondary, as: .secondary, at: "colors.secondary") }
        for (name, text) in advanced.sorted(by: { $0.key < $1.key }) {
            guard Color.isName(name) else {
                let sentence = "A color's name is 1 to 40 lower-case letters, digits and dashes."
                faults.append(FieldFault(field: "colors.advanced", sentence: sentence))
                continue
            }
            take(text, as: .advanced(name), at: "colors.advanced.\(name)")
        }
        guard faults.isEmpty else { throw .invalid(faults) }
    }
}

extension [Field: Color] {
    /// How many of the colors are further ones with names of their own.
    var advancedCount: Int {
        keys.count { if case .advanced = $0 { true } else { false } }
    }
}

/// How an organization came to be, as far as white label depends on it.
enum OriginKind: Sendable, Hashable {
    /// Made by people of the platform or for them.
    case platform
    /// Brought by a seller, a sale or a sign-up.
    case sales

    /// What holds until somebody switches it.
    var whiteLabel: Bool { self == .platform }
}

/// What one organization contributes to the appearance of those below it.
struct Layer: Sendable, Hashable {
    let organization: OrganizationID
    /// Off: the values are kept but do not count.
    let whiteLabel: Bool
    let values: [Field: String]
}

/// A value with where it comes from.
struct SourcedText: Sendable, Hashable {
    let value: String
    /// nil for the platform's own.
    let organization: OrganizationID?
    /// Levels upward; the platform counts as one above the root.
    let distance: Int
}

/// The values that hold at the end of a path: for each field the nearest one upwards that is set
/// where white label is on, else the platform's.
///
/// - Parameters:
///   - layers: The organization and its ancestors, the root first.
///   - platform: What holds when nobody has set anything.
/// - Returns: The values by field; a field that nobody has set is missing.
func effectiveValues(
    of layers: [Layer], platform: [Field: String]
) -> [Field: SourcedText] {
    var effective = platform.mapValues { value in
        SourcedText(value: value, organization: nil, distance: layers.count)
    }
    for (depth, layer) in layers.enumerated() where layer.whiteLabel {
        for (field, value) in layer.values {
            effective[field] = SourcedText(
                value: value, organization: layer.organization,
                distance: layers.count - 1 - depth)
        }
    }
    return effective
}

/// A value that would hold no longer, and the one that would; nil: there is none.
struct ValueChange: Sendable, Hashable {
    let field: Field
    let from: SourcedText?
    let to: SourcedText?
}

/// What holds otherwise: another value, or one that another organization sets, be it the same; how
/// far off it is set does not matter.
///
/// - Returns: The changes in the order primary, secondary, advanced by name, logo.
func changes(
    from before: [Field: SourcedText], to after: [Field: SourcedText]
) -> [ValueChange] {
    Set(before.keys).union(after.keys).sorted().compactMap { field in
        let change = ValueChange(field: field, from: before[field], to: after[field])
        let isSame =
            change.from?.value == change.to?.value
            && change.from?.organization == change.to?.organization
        return isSame ? nil : change
    }
}
