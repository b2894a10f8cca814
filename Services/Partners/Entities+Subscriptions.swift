import Access
import ServiceKit
import Storage

// What an organization pays for period by period. What holds today follows from the day and from
// what is kept: nothing has to happen when a period ends.

/// Limits of subscriptions.
enum SubscriptionLimits {
    static let coursesMax = 500
    /// How long a subscription gives what it gave after its last paid day, in days.
    static let graceDays = 14
    /// How far ahead a payment may reach, in days: ten years, so that a slip of the pen in the
    /// year is noticed.
    static let daysAheadMax = 3_660
    /// The longest name of a payment, in characters.
    static let paymentCharactersMax = 200
}

/// How a subscription stands on a day.
enum SubscriptionState: Sendable, Hashable {
    case pendingPayment
    case active
    case pastDue
    case cancelled
    case ended

    /// Whether it can be changed, paid and cancelled, so that there is no place for another.
    var isOpen: Bool {
        switch self {
        case .pendingPayment, .active, .pastDue: true
        case .cancelled, .ended: false
        }
    }
}

/// What the people of an organization share.
struct Subscription: Sendable, Hashable {
    let id: SubscriptionID
    let organization: OrganizationID
    /// 1 for the first of the organization.
    let number: Int64
    private(set) var plan: String
    private(set) var courses: [CourseID]
    /// The last day that was paid for; nil before the first payment.
    private(set) var periodEnd: CalendarDay?
    private(set) var cancelledAt: WallTime?
    let createdAt: WallTime
    private(set) var updatedAt: WallTime
    private(set) var version: Int64
}

/// A field of a subscription that people may change.
enum SubscriptionField: String, ChangeableField {
    case plan
    case courses = "course_ids"

    static let answered: Set<String> = [
        "id", "organization_id", "state", "period_end", "gives_until", "created_at", "updated_at",
        "cancelled_at", "version", "etag",
    ]
}

/// What is to become of a subscription.
struct SubscriptionChange: Sendable, Hashable {
    var plan: String?
    var courses: [CourseID]?
}

/// That a period was paid for.
struct Payment: Sendable, Hashable {
    /// How it is called where it was made.
    let id: String
    let organization: OrganizationID
    let periodEnd: CalendarDay
}

extension Subscription {
    /// A subscription that begins.
    static func begun(
        _ id: SubscriptionID, of organization: OrganizationID, after newest: Subscription?,
        plan: String, courses: [CourseID], at now: WallTime
    ) throws(Refusal) -> Subscription {
        if let newest, newest.state(on: now.day).isOpen { throw .subscription(.exists) }
        return Subscription(
            id: id, organization: organization, number: (newest?.number ?? 0) + 1, plan: plan,
            courses: courses, createdAt: now, updatedAt: now, version: 1)
    }

    /// The last day on which it gives anything; nil when nothing was paid.
    var givesUntil: CalendarDay? {
        cancelledAt == nil
            ? periodEnd?.advanced(by: SubscriptionLimits.graceDays) : periodEnd
    }

    /// How it stands on a day.
    func state(on day: CalendarDay) -> SubscriptionState {
        guard let periodEnd, let givesUntil else {
            return cancelledAt == nil ? .pendingPayment : .cancelled
        }
        if day > givesUntil { return .ended }
        if cancelledAt != nil { return .cancelled }
        return day > periodEnd ? .pastDue : .active
    }

    /// The subscription with a change, as its next version; the same when nothing differs.
    func changed(by change: SubscriptionChange, at now: WallTime) throws(Refusal) -> Subscription {
        try expectOpen(on: now.day)
        var next = self
        if let plan = change.plan { next.plan = plan }
        if let courses = change.courses { next.courses = courses }
        return next == self ? self : next.succeeding(at: now)
    }

    /// Whether something was paid, and these courses have one that it was not paid for.
    func givesUnpaid(_ courses: [CourseID]) -> Bool {
        periodEnd != nil && !Set(courses).isSubset(of: self.courses)
    }

    /// The subscription once it is cancelled.
    func cancelled(at now: WallTime) throws(Refusal) -> Subscription {
        try expectOpen(on: now.day)
        var next = self
        next.cancelledAt = now
        return next.succeeding(at: now)
    }

    /// The subscription once a period is paid for; the same when that day was paid for already.
    func paid(by payment: Payment, at now: WallTime) throws(Refusal) -> Subscription {
        let today = now.day
        try expectOpen(on: today)
        if let periodEnd, payment.periodEnd < periodEnd {
            throw .subscription(.paidUntil(periodEnd))
        }
        guard payment.periodEnd.advanced(by: SubscriptionLimits.graceDays) >= today else {
            throw .subscription(.paymentTooLate)
        }
        guard payment.periodEnd <= today.advanced(by: SubscriptionLimits.daysAheadMax) else {
            throw .subscription(.paymentTooFarAhead)
        }
        var next = self
        next.periodEnd = payment.periodEnd
        return next == self ? self : next.succeeding(at: now)
    }

    private func expectOpen(on day: CalendarDay) throws(Refusal) {
        let state = state(on: day)
        guard state.isOpen else { throw .subscription(.closed(state)) }
    }

    private func succeeding(at now: WallTime) -> Subscription {
        var next = self
        next.updatedAt = max(now, updatedAt)
        next.version += 1
        return next
    }
}
