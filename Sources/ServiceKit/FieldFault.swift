public import RPC

/// A field of a request that is not acceptable, with the sentence that says why.
public struct FieldFault: Error, Sendable, Hashable {
    /// The path of the field, such as `colors.primary`.
    public let field: String
    /// What is wrong, for a person.
    public let sentence: String

    /// A field that is not acceptable.
    public init(field: String, sentence: String) {
        self.field = field
        self.sentence = sentence
    }
}

extension Status {
    /// Refuses a request for every field that is wrong: `INVALID_ARGUMENT`, reason `validation`.
    public static func invalid(_ faults: [FieldFault]) -> Status {
        refusal(
            .validation, faults.map(\.sentence).joined(separator: " "),
            fields: faults.map {
                StatusDetail.FieldViolation(field: $0.field, description: $0.sentence)
            })
    }
}
