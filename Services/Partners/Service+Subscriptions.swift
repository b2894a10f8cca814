import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service: SubscriptionsService {
    func createSubscription(
        _ request: CreateSubscriptionRequest, _ context: CallContext
    ) async throws -> Messages.Subscription {
        let principal = try context.principal
        let order = try SubscriptionOrder(request)
        let id: SubscriptionID = identifiers.next()
        let now = context.now
        try await learn(of: order.organization, on: now.day, for: request, context)
        return try await database.command(context, request) { transaction in
            let place = try transaction.place(
                of: order.organization, for: principal, on: now.day)
            try place.requireSubscriptionRight()
            let subscription = try Subscription.begun(
                id, of: order.organization,
                after: try transaction.newestSubscription(of: order.organization),
                plan: order.plan, courses: order.courses, at: now)
            try transaction.expectKnown(order.courses, "course_ids")
            try transaction.insert(subscription)
            return try transaction.publish(subscription, at: now)
        }
    }

    func getSubscription(
        _ request: GetSubscriptionRequest, _ context: CallContext
    ) async throws -> Messages.Subscription {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let day = context.now.day
        try await learn(of: id, on: day)
        return try database.readInline { snapshot in
            let place = try snapshot.place(of: id, for: principal, on: day)
            try place.requireSubscriptionRight(meeting: [.view])
            return Messages.Subscription(try snapshot.existingSubscription(of: id), on: day)
        }
    }

    func updateSubscription(
        _ request: UpdateSubscriptionRequest, _ context: CallContext
    ) async throws -> Messages.Subscription {
        let asked = request.subscription ?? Messages.Subscription()
        let id = try OrganizationID(
            requestText: asked.organizationID, field: "subscription.organization_id")
        let change = try SubscriptionChange(request, isImplied: context.isMaskImplied)
        let now = context.now
        return try await changeSubscription(
            of: id, for: request, context
        ) { current, place, transaction in
            try context.requireMatch(version: current.version, etag: asked.etag)
            let next = try current.changed(by: change, at: now)
            if current.givesUnpaid(next.courses) { try place.requireGift() }
            if next.courses != current.courses {
                try transaction.expectKnown(next.courses, "subscription.course_ids")
            }
            return next
        }
    }

    func cancelSubscription(
        _ request: CancelSubscriptionRequest, _ context: CallContext
    ) async throws -> Messages.Subscription {
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let now = context.now
        return try await changeSubscription(of: id, for: request, context) { current, _, _ in
            try context.requireMatch(version: current.version)
            return try current.cancelled(at: now)
        }
    }

    func completePayment(
        _ request: CompletePaymentRequest, _ context: CallContext
    ) async throws -> Messages.Subscription {
        let principal = try context.principal
        try Caller(principal).expectStaff()
        let payment = try Payment(request)
        let now = context.now
        try await learn(of: payment.organization, on: now.day, for: request, context)
        return try await database.command(context, request) { transaction in
            if let (paid, periodEnd) = try transaction.payment(payment.id) {
                // Whatever has become of the organization: what is told again changes nothing.
                guard paid.organization == payment.organization, periodEnd == payment.periodEnd
                else { throw Refusal.subscription(.paymentMismatch) }
                return Messages.Subscription(paid, on: now.day)
            }
            _ = try transaction.place(of: payment.organization, for: principal, on: now.day)
            let current = try transaction.existingSubscription(of: payment.organization)
            let next = try current.paid(by: payment, at: now)
            try transaction.insert(payment, for: current.id, at: now)
            guard next != current else { return Messages.Subscription(current, on: now.day) }
            try transaction.update(next)
            return try transaction.publish(next, at: now)
        }
    }

    /// Changes the newest subscription of an organization, once for each key.
    private func changeSubscription(
        of id: OrganizationID, for request: some Message, _ context: CallContext,
        _ change: @escaping @Sendable (Subscription, Place, Transaction) throws -> Subscription
    ) async throws -> Messages.Subscription {
        let principal = try context.principal
        let now = context.now
        try await learn(of: id, on: now.day, for: request, context)
        return try await database.command(context, request) { transaction in
            let place = try transaction.place(of: id, for: principal, on: now.day)
            try place.requireSubscriptionRight()
            let current = try transaction.existingSubscription(of: id)
            let next = try change(current, place, transaction)
            guard next != current else { return Messages.Subscription(current, on: now.day) }
            try transaction.update(next)
            return try transaction.publish(next, at: now)
        }
    }
}

extension Reading {
    fileprivate func existingSubscription(of id: OrganizationID) throws -> Subscription {
        guard let subscription = try newestSubscription(of: id) else {
            throw Refusal.subscription(.absent)
        }
        return subscription
    }

    /// Refuses courses that are not there.
    fileprivate func expectKnown(_ courses: [CourseID], _ field: String) throws {
        var check = FieldCheck()
        for (index, id) in courses.enumerated() {
            check.expect(
                try course(id) != nil, "\(field)[\(index)]", "There is no such course.")
        }
        try check.finish()
    }
}

extension Transaction {
    /// Puts a subscription's state into the feed.
    ///
    /// - Returns: The subscription as callers see it.
    fileprivate func publish(
        _ subscription: Subscription, at now: WallTime
    ) throws -> Messages.Subscription {
        let message = Messages.Subscription(subscription, on: now.day)
        try publish(
            kind: Messages.Subscription.messageName, aggregate: subscription.id.bytes,
            version: subscription.version, body: message.encoded(), at: subscription.updatedAt)
        return message
    }
}
