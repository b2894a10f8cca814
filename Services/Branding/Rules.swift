import Access

/// A field of a request that is not acceptable, with the sentence that says why.
struct FieldFault: Error, Sendable, Hashable {
    let field: String
    let sentence: String
}

/// A color as `#rrggbb` in lower case.
struct Color: Sendable, Hashable {
    let text: String

    /// The color in the input, whose letters may be of either case; nil when it is none.
    init?(_ input: String) {
        let isColor =
            input.utf8.count == 7 && input.utf8.first == UInt8(ascii: "#")
            && input.utf8.dropFirst().allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte)
            }
        guard isColor else { return nil }
        text = input.lowercased()
    }
}

/// Something of an appearance that is set, inherited and reset by itself.
enum Field: Sendable, Hashable {
    case primary
    case secondary
    case advanced(String)
    case logo

    static let nameBytesMax = 40

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
            guard Field.isLegal(color) else { return nil }
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

    /// Whether an advanced color may have the name.
    static func isLegal(_ name: String) -> Bool {
        (1...nameBytesMax).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-")
            }
    }
}

/// Colors that somebody asks for, checked.
struct Palette: Sendable, Hashable {
    private(set) var colors: [Field: Color] = [:]

    init() {}

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
            guard Field.isLegal(name) else {
                let sentence = "A color's name is 1 to 40 lower-case letters, digits and dashes."
                faults.append(FieldFault(field: "colors.advanced", sentence: sentence))
                continue
            }
            take(text, as: .advanced(name), at: "colors.advanced.\(name)")
        }
        guard faults.isEmpty else { throw .invalid(faults) }
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
