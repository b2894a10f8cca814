import ServiceKit

extension Country {
    /// The country in a field that must not be empty.
    init(_ input: String, field: String) throws(FieldFault) {
        guard !input.isEmpty else {
            throw FieldFault(field: field, sentence: "Please choose a country.")
        }
        guard let country = Country(input) else {
            throw FieldFault(
                field: field,
                sentence: "The country must be a code of ISO 3166-1 alpha-2, such as “US”.")
        }
        self = country
    }
}
