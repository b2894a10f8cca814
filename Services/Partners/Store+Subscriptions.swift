import Access
import ServiceKit
import Storage

// Subscriptions, and the payments that were told of.

private let subscriptionColumns: SQL = """
    id, organization_id, number, plan, courses, period_end, cancelled_at, created_at, updated_at,
    version
    """

extension Reading {
    func subscription(_ id: SubscriptionID) throws -> Subscription? {
        try row(
            "SELECT \(subscriptionColumns) FROM subscription WHERE id = \(id)",
            Subscription.init(row:))
    }

    /// The newest subscription of an organization.
    func newestSubscription(of organization: OrganizationID) throws -> Subscription? {
        try row(
            """
            SELECT \(subscriptionColumns) FROM subscription
            WHERE organization_id = \(organization) ORDER BY number DESC LIMIT 1
            """, Subscription.init(row:))
    }

    /// A payment that was told of, with what it paid for.
    func payment(
        _ id: String
    ) throws -> (subscription: Subscription, periodEnd: CalendarDay)? {
        let found = try row(
            "SELECT subscription_id, period_end FROM payment WHERE id = \(id)"
        ) { row in
            (
                try row.identifier(0, as: SubscriptionID.self),
                CalendarDay(daysSince1970: try row.int(1))
            )
        }
        guard let (id, periodEnd) = found else { return nil }
        guard let subscription = try subscription(id) else { throw Unreadable.payment }
        return (subscription, periodEnd)
    }
}

extension Transaction {
    func insert(_ subscription: Subscription) throws {
        try execute(
            """
            INSERT INTO subscription (id, organization_id, number, plan, courses, period_end,
                cancelled_at, created_at, updated_at, version)
            VALUES (\(subscription.id), \(subscription.organization), \(subscription.number),
                \(subscription.plan), \(CourseID.packed(subscription.courses)),
                \(subscription.periodEnd), \(subscription.cancelledAt),
                \(subscription.createdAt), \(subscription.updatedAt), \(subscription.version))
            """)
    }

    func update(_ subscription: Subscription) throws {
        try execute(
            """
            UPDATE subscription SET plan = \(subscription.plan),
                courses = \(CourseID.packed(subscription.courses)),
                period_end = \(subscription.periodEnd), cancelled_at = \(subscription.cancelledAt),
                updated_at = \(subscription.updatedAt), version = \(subscription.version)
            WHERE id = \(subscription.id)
            """)
    }

    func insert(
        _ payment: Payment, for subscription: SubscriptionID, at now: WallTime
    ) throws {
        try execute(
            """
            INSERT INTO payment (id, subscription_id, period_end, completed_at)
            VALUES (\(payment.id), \(subscription), \(payment.periodEnd), \(now))
            """)
    }
}

extension Subscription {
    fileprivate init(row: Row) throws {
        self.init(
            id: try row.identifier(0), organization: try row.identifier(1),
            number: try row.int64(2), plan: try row.text(3),
            courses: CourseID.unpacked(try row.bytes(4)), periodEnd: try row.dayOrNil(5),
            cancelledAt: try row.timeOrNil(6), createdAt: try row.time(7),
            updatedAt: try row.time(8), version: try row.int64(9))
    }
}
