import Access
import ServiceKit

/// What a check makes of an input, the content of a field.
typealias Check<Input, Value> = (Input, _ field: String) throws(FieldFault) -> Value

/// What the check makes of an input.
///
/// - Throws: ``Refusal/invalid(_:)``.
func accept<Input, Value>(
    _ input: Input, field: String, as check: Check<Input, Value>
) throws(Refusal) -> Value {
    do {
        return try check(input, field)
    } catch {
        throw .invalid([error])
    }
}

extension [FieldFault] {
    /// What the check makes of an input, or nil after keeping the fault that it found.
    mutating func accept<Input, Value>(
        _ input: Input, field: String, as check: Check<Input, Value>
    ) -> Value? {
        do {
            return try check(input, field)
        } catch {
            append(error)
            return nil
        }
    }
}

/// Whether an organization is there.
enum Standing: Int, Sendable {
    case present = 1
    /// Prepared by a workflow: its title is taken, nobody sees it.
    case provisioning = 2
    case archived = 3
    /// A preparation that came to nothing; its identifier is spent.
    case cancelled = 4
    /// Gone after its time in the archive; its identifier is spent.
    case purged = 5
}

/// How an organization came to be.
enum Origin: Int, Sendable {
    case manual = 1
    case bulkImport = 2
    case api = 3
    case automatic = 4
    case signup = 5
    case sale = 6
    case partner = 7
}

/// What kind of customer an organization is.
enum Category: Int, Sendable {
    case academicK12 = 1
    case academicPostSecondary = 2
    case businessCompany = 3
    case businessTrainingCenter = 4
}

/// Where a category comes from.
enum CategorySource: Int, Sendable {
    case chosen = 1
    case inherited = 2
    case fallback = 3
}

/// What an organization calls itself; a label alone.
enum Kind: Int, Sendable {
    case school = 1
    case university = 2
    case lanCenter = 3
    case company = 4
    case trainingCenter = 5
    case other = 6
}

/// How far a discount for members reaches.
enum DiscountScope: Int, Sendable {
    case organization = 1
    case subtree = 2
}

/// What members pay less.
struct MemberDiscount: Sendable, Hashable {
    /// The least and the most, in hundredths of a percent.
    static let basisPoints = 0...10_000

    /// Hundredths of a percent; nil: not set.
    ///
    /// 0 is set, and ends inheritance.
    var basisPoints: Int?
    /// The last day.
    var until: CalendarDay?
    var scope = DiscountScope.organization

    /// What there is where nothing was set.
    static let none = MemberDiscount()
}

extension Origin {
    /// The origin with a number of the API.
    init(_ number: Int32, field: String) throws(FieldFault) {
        guard let origin = Origin(rawValue: Int(number)) else {
            throw FieldFault(field: field, sentence: "Please name how the organization came to be.")
        }
        self = origin
    }
}

extension Category {
    /// The category with a number of the API.
    init(_ number: Int32, field: String) throws(FieldFault) {
        guard number != 0 else {
            throw FieldFault(field: field, sentence: "Please choose a category.")
        }
        guard let category = Category(rawValue: Int(number)) else {
            throw FieldFault(field: field, sentence: "There is no category \(number).")
        }
        self = category
    }
}

extension Kind {
    /// The kind with a number of the API; nil for 0.
    static func optional(_ number: Int32, field: String) throws(FieldFault) -> Kind? {
        guard number != 0 else { return nil }
        guard let kind = Kind(rawValue: Int(number)) else {
            throw FieldFault(field: field, sentence: "There is no kind \(number).")
        }
        return kind
    }
}
