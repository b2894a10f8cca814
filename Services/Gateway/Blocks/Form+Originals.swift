// A form that is sent while somebody else changes what it shows: what stood in it goes along, so
// that what was typed is told from what was only there.

extension Form {
    /// The field with the version that a form shows.
    static let etagField = "etag"

    /// The name of the field with what stood in another one when the form was shown.
    static func original(_ name: String) -> String { "was.\(name)" }

    /// What stood in fields when the form was shown, to be sent along with it.
    func originals(of names: [String]) -> [(name: String, value: String)] {
        names.map { name in
            let original = Self.original(name)
            return (name: original, value: has(original) ? self[original] : self[name])
        }
    }

    /// Whether a field stands in the form, be it a box that is not ticked.
    func carries(_ name: String) -> Bool { has(name) || has(Self.original(name)) }

    /// Whether something else stands in a field than when the form was shown.
    func isTouched(_ name: String) -> Bool {
        self[name].trimmed != self[Self.original(name)].trimmed
    }

    /// The form once somebody else has changed what it shows: what was not touched is as they have
    /// it now, and what was typed stays.
    ///
    /// - Parameters:
    ///   - kept: The form as it stands with what is kept by now, and its version.
    ///   - names: The fields of the form.
    /// - Returns: The form to be sent again.
    func merged(with kept: Form, _ names: [String]) -> Form {
        var result = self
        for name in names {
            if !isTouched(name) { result.take(name, from: kept) }
            result[Self.original(name)] = kept[name]
        }
        result[Self.etagField] = kept[Self.etagField]
        return result
    }

    /// Where a form differs from what is kept.
    ///
    /// - Parameters:
    ///   - kept: The form as it stands with what is kept by now.
    ///   - fields: The fields that are compared.
    ///   - nothing: What a person reads where nothing is kept.
    /// - Returns: The fields that differ, with what is kept in them.
    func differences(
        from kept: Form, _ fields: [Field], nothing: String
    ) -> [Notice.Difference] {
        fields.filter { self[$0.name].trimmed != kept[$0.name].trimmed }.map { field in
            let lines = kept[field.name].split(separator: "\n").joined(separator: ", ")
            return Notice.Difference(
                id: field.id, label: field.label, kept: lines.isEmpty ? nothing : lines)
        }
    }
}
