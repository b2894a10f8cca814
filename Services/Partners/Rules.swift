import ServiceKit

/// A discount in hundredths of a percent.
struct BasisPoints: Sendable, Hashable {
    static let none = BasisPoints(verified: 0)
    static let whole: Int64 = 10_000

    let value: Int64

    private init(verified: Int64) {
        value = verified
    }

    /// The discount, or nil when it is not from 0 to 10000.
    init?(_ given: Int64) {
        guard (0...BasisPoints.whole).contains(given) else { return nil }
        value = given
    }
}

/// Checks the fields of one request, and names every wrong one at once.
struct FieldCheck {
    /// Of more wrong fields the first are named.
    static let faultsMax = 50

    private(set) var faults: [FieldFault] = []

    /// The value if there is one; else the field is wrong.
    mutating func require<Value>(_ value: Value?, _ field: String, _ sentence: String) -> Value? {
        expect(value != nil, field, sentence)
        return value
    }

    /// The field is wrong unless the condition holds.
    mutating func expect(_ condition: Bool, _ field: String, _ sentence: String) {
        guard !condition, faults.count < Self.faultsMax else { return }
        faults.append(FieldFault(field: field, sentence: sentence))
    }

    /// Refuses when a field was wrong.
    func finish() throws(Refusal) {
        guard faults.isEmpty else { throw .invalid(faults) }
    }
}

/// Where a partner may sell.
struct Region: Sendable, Hashable {
    /// The most countries of a region.
    static let countryCountMax = 250

    /// Countries in the order of their codes; none: everywhere.
    let countries: [String]

    /// The region, or nil when a code is not that of a country.
    init?(_ given: [String]) {
        let known = given.compactMap { Country($0)?.code }
        guard given.count <= Region.countryCountMax, known.count == given.count
        else { return nil }
        countries = Set(known).sorted()
    }

    func covers(_ country: String) -> Bool {
        countries.isEmpty || countries.contains(country)
    }
}
