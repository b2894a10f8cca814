import ServiceKit

/// A field of a message that people may change; its raw value is its name in masks.
protocol ChangeableField: CaseIterable, Hashable, Sendable, RawRepresentable<String> {
    /// The fields of the message that are answered and never taken.
    static var answered: Set<String> { get }
}

extension ChangeableField {
    /// The fields that a mask names; without names, those that are not at their default.
    ///
    /// - Parameters:
    ///   - paths: The names.
    ///   - present: The fields of what came in that are not at their default.
    ///   - isImplied: Whether the names are those of what came in: what is only answered is passed
    ///     over then.
    /// - Returns: The fields.
    /// - Throws: ``Refusal/invalid(_:)`` with every name that is none, or of what is only answered.
    static func named(
        _ paths: [String], present: Set<Self>, isImplied: Bool
    ) throws(Refusal) -> Set<Self> {
        guard !paths.isEmpty else { return present }
        var faults: [FieldFault] = []
        var fields: Set<Self> = []
        for path in paths {
            if let field = Self(rawValue: path) {
                fields.insert(field)
            } else if !answered.contains(path) {
                faults.append(.maskNamesNothing(path))
            } else if !isImplied {
                faults.append(.maskNamesAnswered(path))
            }
        }
        guard faults.isEmpty else { throw .invalid(faults) }
        return fields
    }
}

extension FieldFault {
    /// An update mask names what is answered and never taken.
    fileprivate static func maskNamesAnswered(_ path: String) -> FieldFault {
        FieldFault(
            field: "update_mask", sentence: "“\(path)” is only answered, and cannot be changed.")
    }

    /// An update mask names what there is not.
    fileprivate static func maskNamesNothing(_ path: String) -> FieldFault {
        FieldFault(
            field: "update_mask",
            sentence: "“\(path.prefix(80))” is not a field that can be changed.")
    }
}
