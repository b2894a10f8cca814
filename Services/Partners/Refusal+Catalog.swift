import Access
import RPC
import ServiceKit

/// What is refused about the catalog.
enum CatalogRefusal: Sendable, Hashable {
    /// With what there can be no more of, and how many there are.
    case full(String, Int64)
    case moduleInUse
    /// With the chapter that has a course.
    case chapterInUse(Chapter)

    var status: Status {
        switch self {
        case .full(let things, let limit):
            .refusal(.validation, "There can be at most \(limit) \(things).")
        case .moduleInUse:
            .refusal(.moduleInUse, "The module has courses. Delete or move them first.")
        case .chapterInUse(let chapter):
            .refusal(
                .chapterInUse,
                "The chapter “\(chapter.title.text)” has courses. Delete or move them first.",
                metadata: ["chapter": chapter.id.text])
        }
    }
}

/// What is refused about subscriptions and their payments.
enum SubscriptionRefusal: Sendable, Hashable {
    case absent
    /// There is one that is neither cancelled nor over.
    case exists
    /// With the state in which it is no longer changed or paid.
    case closed(SubscriptionState)
    /// The payment is for less than was paid for; with the last day of that.
    case paidUntil(CalendarDay)
    /// The payment is for a period after which even the grace is over.
    case paymentTooLate
    case paymentTooFarAhead
    /// A payment of this name was told of with other content.
    case paymentMismatch

    var status: Status {
        switch self {
        case .absent: .notFound("The organization has no subscription.")
        case .exists:
            .refusal(
                .subscriptionExists,
                "The organization has a subscription. Cancel it before another begins.")
        case .closed(let state):
            .refusal(
                .subscriptionClosed,
                "The subscription is \(state.word). Begin another to go on.",
                metadata: ["state": state.word])
        case .paidUntil(let day):
            .invalid("period_end", "All days until \(day.text) were paid for already.")
        case .paymentTooLate:
            .refusal(
                .dateInPast,
                """
                The period was over more than \(SubscriptionLimits.graceDays) days ago: it would \
                give nothing any more.
                """, fields: [.init(field: "period_end", description: "This is long past.")])
        case .paymentTooFarAhead:
            .invalid(
                "period_end",
                "A payment reaches at most \(SubscriptionLimits.daysAheadMax) days ahead.")
        case .paymentMismatch:
            .refusal(
                .paymentMismatch, "This payment was told of with another organization or day.")
        }
    }
}

extension SubscriptionState {
    /// The state as a sentence and a program name it.
    fileprivate var word: String {
        switch self {
        case .pendingPayment: "pending_payment"
        case .active: "active"
        case .pastDue: "past_due"
        case .cancelled: "cancelled"
        case .ended: "ended"
        }
    }
}
