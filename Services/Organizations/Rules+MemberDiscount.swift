import Access
import ServiceKit

/// A discount as somebody wants to set it, checked as far as the day does not matter.
struct MemberDiscountWish: Sendable, Hashable {
    private let discount: MemberDiscount

    /// - Throws: ``Refusal/invalid(_:)`` with every field that is wrong.
    init(basisPoints: Int32?, expiresOn: String, appliesTo: Int32) throws(Refusal) {
        var faults: [FieldFault] = []
        if let basisPoints, !MemberDiscount.basisPoints.contains(Int(basisPoints)) {
            faults.append(
                FieldFault(
                    field: "basis_points",
                    sentence: "A discount is from 0 to 10000 hundredths of a percent."))
        }
        let until = faults.accept(expiresOn, field: "expires_on", as: CalendarDay.optional)
        let scope = faults.accept(appliesTo, field: "applies_to", as: DiscountScope.init(_:field:))
        if basisPoints == nil, !expiresOn.isEmpty || appliesTo != 0 {
            faults.append(
                FieldFault(
                    field: "basis_points", sentence: "Please say how much people pay less."))
        }
        guard faults.isEmpty, let until, let scope else { throw .invalid(faults) }
        discount = MemberDiscount(
            basisPoints: basisPoints.map { Int($0) }, until: until, scope: scope)
    }

    /// What is to be kept.
    ///
    /// - Throws: ``Refusal/dateInPast(field:)`` for a last day that is over and not kept already.
    func decide(kept: MemberDiscount, today: CalendarDay) throws(Refusal) -> MemberDiscount {
        if let until = discount.until, until < today, until != kept.until {
            throw .dateInPast(field: "expires_on")
        }
        return discount
    }
}

extension DiscountScope {
    /// The scope with a number of the API; 0 is the organization itself.
    init(_ number: Int32, field: String) throws(FieldFault) {
        guard let scope = DiscountScope(rawValue: number == 0 ? 1 : Int(number)) else {
            throw FieldFault(field: field, sentence: "There is no scope \(number).")
        }
        self = scope
    }
}

extension MemberDiscount {
    /// Whether its last day is over.
    func isExpired(on day: CalendarDay) -> Bool { until.map { $0 < day } ?? false }
}

/// What people of an organization pay less, and where that is set.
struct EffectiveDiscount: Sendable, Hashable {
    let basisPoints: Int
    /// The organization at which it is set; nil: nowhere.
    let source: OrganizationID?

    /// The discount that holds on a day: an organization's own, which is 0 once it has expired;
    /// else that of the nearest ancestor that gives one to everything below and has not expired.
    ///
    /// - Parameters:
    ///   - line: The organization first, then its ancestors, nearest first.
    ///   - day: The day.
    init(along line: [(OrganizationID, MemberDiscount)], on day: CalendarDay) {
        if let (id, own) = line.first, let basisPoints = own.basisPoints {
            self.basisPoints = own.isExpired(on: day) ? 0 : basisPoints
            source = id
            return
        }
        for (id, discount) in line.dropFirst() {
            guard let basisPoints = discount.basisPoints, discount.scope == .subtree,
                !discount.isExpired(on: day)
            else { continue }
            self.basisPoints = basisPoints
            source = id
            return
        }
        basisPoints = 0
        source = nil
    }
}
