import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Partners

/// What an organization pays for period by period.
///
/// The clock begins at 2026-01-01.
@Suite(.serialized) struct SubscriptionTests {
    private let bench: Bench
    private let district: OrganizationID
    private let school: OrganizationID

    init() throws {
        bench = try Bench()
        district = bench.plant("District")
        school = bench.plant("School", below: district)
    }

    @Test func `it gives nothing before it is paid, then until the grace after its period is over`()
        async throws
    {
        try await bench.life { life in
            let course = try await life.course("Scales", in: try await life.module("Music"))
            let begun = try await life.subscribe(school, to: [course])
            let paid = try await life.pay("p1", for: school, until: "2026-01-31")
            bench.clock.advance(by: .days(30))
            let lastDay = try await life.subscription(of: school)
            bench.clock.advance(by: .days(1))
            let overdue = try await life.subscription(of: school)
            bench.clock.advance(by: .days(13))
            let lastOfGrace = try await life.subscription(of: school)
            bench.clock.advance(by: .days(1))
            let ended = try await life.subscription(of: school)

            #expect(begun.state == .pendingPayment && begun.givesUntil == nil)
            #expect(begun.periodEnd == "" && begun.plan == "Everything" && begun.version == 1)
            #expect(begun.courseIDs == [course.id])
            #expect(paid.state == .active && paid.periodEnd == "2026-01-31")
            let until = try #require(CalendarDay(text: "2026-02-14")).daysSince1970
            #expect(paid.givesUntil == Int32(until) && paid.version == 2)
            #expect(lastDay == paid)
            #expect(overdue.state == .pastDue && overdue.givesUntil == Int32(until))
            #expect(lastOfGrace.state == .pastDue)
            #expect(ended.state == .ended && ended.version == 2)
        }
    }

    @Test func `a payment in the grace goes on with it, one after that does not`() async throws {
        try await bench.life { life in
            _ = try await life.subscribe(school)
            try await life.pay("p1", for: school, until: "2026-01-10")
            bench.clock.advance(by: .days(23))
            let overdue = try await life.subscription(of: school)
            let again = try await life.pay("p2", for: school, until: "2026-02-10")
            bench.clock.advance(by: .days(33))
            let late = await life.status {
                try await life.pay("p3", for: school, until: "2026-03-31")
            }
            let kept = try await life.subscription(of: school)

            #expect(overdue.state == .pastDue)
            #expect(again.state == .active && again.periodEnd == "2026-02-10")
            #expect(late?.reason == "subscription_closed")
            #expect(late?.message == "The subscription is ended. Begin another to go on.")
            #expect(kept.state == .ended && kept.periodEnd == "2026-02-10")
            try await life.expectSound()
        }
    }

    @Test func `a payment counts once, by its name, whatever keys it comes under`() async throws {
        let other = bench.plant("Other")

        try await bench.life { life in
            _ = try await life.subscribe(school)
            _ = try await life.subscribe(other)
            let first = try await life.pay("p1", for: school, until: "2026-01-31", key: "a")
            let same = try await life.pay("p1", for: school, until: "2026-01-31", key: "a")
            let again = try await life.pay("p1", for: school, until: "2026-01-31", key: "b")
            let next = try await life.pay("p2", for: school, until: "2026-02-28")
            let late = try await life.pay("p1", for: school, until: "2026-01-31", key: "c")
            for (organization, day) in [(other, "2026-01-31"), (school, "2026-02-28")] {
                let status = await life.status {
                    try await life.pay("p1", for: organization, until: day)
                }
                #expect(status?.reason == "payment_mismatch")
                #expect(status.map(ErrorReason.httpStatus(of:)) == 422)
            }

            #expect(same == first && again == first)
            #expect(next.periodEnd == "2026-02-28" && next.version == 3)
            #expect(late == next, "an old payment takes nothing back")
            #expect(try await life.subscription(of: other).state == .pendingPayment)
            #expect(try await life.subscriptionEvents(of: school).map(\.version) == [1, 2, 3])
            // Another payment for the same days is noted, and changes nothing.
            #expect(try await life.pay("p3", for: school, until: "2026-02-28") == next)
            try await life.expectSound()
        }
    }

    @Test func `a payment is for days to come, within reason, and not for fewer than before`()
        async throws
    {
        try await bench.life { life in
            _ = try await life.subscribe(school)
            let tooLate = await life.status {
                try await life.pay("p1", for: school, until: "2025-12-17")
            }
            // The last day of its grace is today.
            let justInTime = try await life.pay("p1", for: school, until: "2025-12-18")
            try await life.pay("p2", for: school, until: "2026-03-31")
            let before = await life.status {
                try await life.pay("p3", for: school, until: "2026-03-30")
            }
            let tooFar = await life.status {
                try await life.pay("p4", for: school, until: "2036-01-10")
            }

            #expect(tooLate?.reason == "date_in_past" && tooLate?.fields == ["period_end"])
            #expect(justInTime.state == .pastDue)
            #expect(before?.reason == "validation" && before?.fields == ["period_end"])
            #expect(tooFar?.reason == "validation" && tooFar?.fields == ["period_end"])
            #expect(
                try await life.pay("p5", for: school, until: "2036-01-09").state == .active)
        }
    }

    @Test func `cancelled it gives what was paid for, and another can begin`() async throws {
        try await bench.life { life in
            let first = try await life.subscribe(school)
            await expect(refusing: "subscription_exists") { try await life.subscribe(school) }
            try await life.pay("p1", for: school, until: "2026-01-31")
            await expect(refusing: "subscription_exists") { try await life.subscribe(school) }
            let cancelled = try await life.cancelSubscription(of: school)
            await expect(refusing: "subscription_closed") {
                try await life.pay("p2", for: school, until: "2026-02-28")
            }
            await expect(refusing: "subscription_closed") {
                try await life.cancelSubscription(of: school)
            }
            await expect(refusing: "subscription_closed") {
                try await life.change(school) { $0.plan = "More" }
            }
            let second = try await life.subscribe(school)
            let newest = try await life.subscription(of: school)
            let unpaid = try await life.cancelSubscription(of: school)
            bench.clock.advance(by: .days(31))
            let third = try await life.subscribe(school)

            #expect(cancelled.id == first.id && cancelled.state == .cancelled)
            #expect(cancelled.cancelledAt != nil)
            let end = try #require(CalendarDay(text: "2026-01-31"))
            #expect(cancelled.givesUntil == Int32(end.daysSince1970), "without grace")
            #expect(second.id != first.id && newest == second)
            #expect(unpaid.state == .cancelled && unpaid.givesUntil == nil)
            #expect(third.state == .pendingPayment)
            try await life.expectSound()
        }
    }

    @Test func `cancelled in its grace it is over at once`() async throws {
        try await bench.life { life in
            _ = try await life.subscribe(school)
            try await life.pay("p1", for: school, until: "2026-01-10")
            bench.clock.advance(by: .days(10))

            let cancelled = try await life.cancelSubscription(of: school)

            #expect(cancelled.state == .ended && cancelled.periodEnd == "2026-01-10")
        }
    }

    @Test func `without a subscription there is none to read, change, cancel or pay`() async throws
    {
        try await bench.life { life in
            let answers = [
                await life.status { try await life.subscription(of: school) },
                await life.status { try await life.cancelSubscription(of: school) },
                await life.status { try await life.change(school) { $0.plan = "More" } },
                await life.status { try await life.pay("p1", for: school, until: "2026-01-31") },
            ]

            for answer in answers {
                #expect(answer?.reason == "not_found")
                #expect(answer?.message == "The organization has no subscription.")
            }
            // The name of a payment that was refused is not spent.
            _ = try await life.subscribe(school)
            #expect(try await life.pay("p1", for: school, until: "2026-01-31").state == .active)
        }
    }

    @Test func `plan and courses change by masks, and courses have to be there`() async throws {
        try await bench.life { life in
            let music = try await life.module("Music")
            let scales = try await life.course("Scales", in: music)
            let keys = try await life.course("Keys", in: music)
            let begun = try await life.subscribe(school, to: [keys])
            let more = try await life.change(school) { $0.courseIDs = [scales.id, keys.id] }
            let renamed = try await life.change(school, "plan") {
                $0.plan = " More  of it "
                $0.courseIDs = []
            }
            try await life.delete(keys)
            let planAlone = try await life.change(school) { $0.plan = "Less" }
            let gone = await life.status {
                try await life.change(school) { $0.courseIDs = [keys.id] }
            }
            let twice = await life.status {
                try await life.change(school) { $0.courseIDs = [scales.id, scales.id] }
            }
            let tooMany = await life.status {
                try await life.change(school) {
                    $0.courseIDs = Array(repeating: scales.id, count: 501)
                }
            }
            let stale = await life.status {
                try await life.change(school) {
                    $0.plan = "x"
                    $0.etag = begun.etag
                }
            }
            let answered = await life.status { try await life.change(school, "state") { _ in } }
            let none = try await life.change(school, "course_ids") { _ in }

            #expect(more.courseIDs == [scales.id, keys.id] && more.plan == "Everything")
            #expect(renamed.plan == "More of it" && renamed.courseIDs == more.courseIDs)
            #expect(planAlone.plan == "Less" && planAlone.courseIDs == more.courseIDs)
            #expect(gone?.fields == ["subscription.course_ids[0]"])
            #expect(twice?.fields == ["subscription.course_ids[1]"])
            #expect(tooMany?.fields.first == "subscription.course_ids")
            #expect(stale?.reason == "version_mismatch")
            #expect(answered?.fields == ["update_mask"])
            #expect(none.courseIDs.isEmpty && none.plan == "Less")
            #expect(try await life.change(school) { $0.plan = "Less" } == none, "nothing changes")
            let unknown = Messages.Course(id: bench.identifiers.next(CourseID.self).text)
            let refused = await life.status { try await life.subscribe(district, to: [unknown]) }
            #expect(refused?.fields == ["course_ids[0]"])
        }
    }

    @Test func `once it was paid, its own people add no courses`() async throws {
        let owners = [Access.Role.owner, .billingAdmin].map { bench.person($0, at: district) }
        let agent: UserID = bench.identifiers.next()

        try await bench.life { life in
            let music = try await life.module("Music")
            let scales = try await life.course("Scales", in: music)
            let keys = try await life.course("Keys", in: music)
            _ = try await life.subscribe(school)
            for (owner, course) in zip(owners, [scales, keys]) {
                let unpaid = try await life.change(school, by: owner) {
                    $0.courseIDs = [course.id]
                }
                #expect(unpaid.courseIDs == [course.id], "nothing was paid")
            }
            try await life.pay("p1", for: school, until: "2026-01-31")
            for owner in owners {
                for wanted in [[scales.id], [keys.id, scales.id]] {
                    let refused = await life.status {
                        try await life.change(school, by: owner) {
                            $0.plan = "More"
                            $0.courseIDs = wanted
                        }
                    }
                    #expect(refused?.reason == "forbidden")
                    #expect(refused?.message.hasPrefix("The subscription was paid") == true)
                }
                let same = try await life.change(school, by: owner) {
                    $0.plan = "Named"
                    $0.courseIDs = [keys.id]
                }
                #expect(same.plan == "Named" && same.courseIDs == [keys.id])
            }
            let none = try await life.change(school, "course_ids", by: owners[1]) { _ in }
            #expect(none.courseIDs.isEmpty)
            await expect(refusing: "forbidden") {
                try await life.change(school, by: owners[0]) { $0.courseIDs = [keys.id] }
            }

            let partner = try await life.createPartner(user: agent)
            let seller = try #require(PartnerID(text: partner.id))
            try await life.database.write { [district] transaction in
                try transaction.assign(district, to: seller, at: WallTime(microseconds: 0))
            }
            for giver in [
                TestCaller.admin, bench.person(.platformAdmin, at: district),
                bench.person(.partner, at: district), .person(agent, []),
            ] {
                let more = try await life.change(school, by: giver) {
                    $0.courseIDs = [keys.id, scales.id]
                }
                #expect(more.courseIDs == [keys.id, scales.id])
                _ = try await life.change(school, "course_ids", by: giver) { _ in }
            }
        }
    }

    @Test func `each change is an event with its whole state`() async throws {
        try await bench.life { life in
            let begun = try await life.subscribe(school)
            let paid = try await life.pay("p1", for: school, until: "2026-01-31")
            let changed = try await life.change(school) { $0.plan = "More" }
            let cancelled = try await life.cancelSubscription(of: school)

            let told = try await life.subscriptionEvents(of: school)

            #expect(told == [begun, paid, changed, cancelled])
            #expect(told.map(\.version) == [1, 2, 3, 4])
        }
    }

    @Test func `of many that begin at once exactly one does`() async throws {
        try await bench.life { life in
            let begun = await withTaskGroup(of: Status?.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        await life.status { try await life.subscribe(school) }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }

            #expect(begun.count { $0 == nil } == 1)
            #expect(begun.count { $0?.reason == "subscription_exists" } == 7)
        }
    }

    @Test func `what was paid is there after a restart, and a payment is known`() async throws {
        try await bench.life { life in
            _ = try await life.subscribe(school)
            try await life.pay("p1", for: school, until: "2026-01-31")
        }
        try await bench.life { life in
            #expect(try await life.subscription(of: school).state == .active)
            #expect(try await life.pay("p1", for: school, until: "2026-01-31").version == 2)
            try await life.expectSound()
        }
    }

    @Test func `verifying finds a period that no payment gives`() async throws {
        try await bench.life { life in
            _ = try await life.subscribe(school)
            try await life.pay("p1", for: school, until: "2026-01-31")
            let periods = try #require(verifiers.first { $0.name == "periods of subscriptions" })
            try await life.database.write { transaction in
                try transaction.execute("UPDATE subscription SET period_end = period_end + 30")
            }

            let (findings, report) = AsyncStream<Findings>.makeStream()
            try await life.database.verify([periods]) { report.yield($0) }
            report.finish()

            var differences: [String] = []
            for await found in findings { differences += found.differences }
            #expect(differences.count == 1)
        }
    }
}

extension Life {
    /// Changes what the closure sets; without names what is not at its default.
    fileprivate func change(
        _ organization: OrganizationID, _ paths: String..., by caller: TestCaller = .owner,
        to change: (inout Messages.Subscription) -> Void
    ) async throws -> Messages.Subscription {
        var asked = Messages.Subscription(organizationID: organization.text)
        change(&asked)
        return try await subscriptions.updateSubscription(
            UpdateSubscriptionRequest(
                subscription: asked, updateMask: paths.isEmpty ? nil : FieldMask(paths: paths)),
            options: options(caller))
    }

    fileprivate func subscriptionEvents(
        of organization: OrganizationID
    ) async throws -> [Messages.Subscription] {
        try await told(Messages.Subscription.self, named: Messages.Subscription.messageName)
            .filter { $0.organizationID == organization.text }
    }
}

extension Duration {
    static func days(_ count: Int) -> Duration { .seconds(86_400 * count) }
}
