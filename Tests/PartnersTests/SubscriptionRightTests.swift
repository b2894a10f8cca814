import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Partners

/// Who manages a subscription, who reads it, and who tells of payments.
@Suite(.serialized) struct SubscriptionRightTests {
    private let bench: Bench
    private let district: OrganizationID
    private let school: OrganizationID

    init() throws {
        bench = try Bench()
        district = bench.plant("District")
        school = bench.plant("School", below: district)
    }

    @Test(arguments: [Access.Role.platformAdmin, .partner, .owner, .billingAdmin])
    func `roles that pay begin, read, and cancel it`(role: Access.Role) async throws {
        let caller = bench.person(role, at: district)

        try await bench.life { life in
            let begun = try await life.subscribe(school, by: caller)
            #expect(try await life.subscription(of: school, by: caller) == begun)
            let cancelled = try await life.cancelSubscription(of: school, by: caller)
            #expect(cancelled.state == .cancelled)
        }
    }

    @Test(arguments: [Access.Role.reseller, .orgAdmin])
    func `roles that look after it read it`(role: Access.Role) async throws {
        let caller = bench.person(role, at: district)

        try await bench.life { life in
            await expect(refusing: "forbidden") { try await life.subscribe(school, by: caller) }
            let begun = try await life.subscribe(school)
            #expect(try await life.subscription(of: school, by: caller) == begun)
            await expect(refusing: "forbidden") {
                try await life.cancelSubscription(of: school, by: caller)
            }
        }
    }

    @Test(arguments: [Access.Role.manager, .userAdmin, .teacher, .student, .member])
    func `nobody else in the organization sees it`(role: Access.Role) async throws {
        let caller = bench.person(role, at: school)

        try await bench.life { life in
            _ = try await life.subscribe(school)
            await expect(refusing: "forbidden") {
                try await life.subscription(of: school, by: caller)
            }
            await expect(refusing: "forbidden") {
                try await life.cancelSubscription(of: school, by: caller)
            }
        }
    }

    @Test func `services follow the feed, and read no subscription`() async throws {
        try await bench.life { life in
            _ = try await life.subscribe(school)
            await expect(refusing: "forbidden") {
                try await life.subscription(of: school, by: .service)
            }
        }
    }

    @Test func `while the organization is paused only those above it and those who pay go on`()
        async throws
    {
        bench.tell(school, below: district, status: .inactive)
        let (owner, admin) = (bench.person(.owner, at: school), bench.person(.orgAdmin, at: school))
        let (payer, above) = (
            bench.person(.billingAdmin, at: school), bench.person(.owner, at: district)
        )

        try await bench.life { life in
            for caller in [owner, admin] {
                let refused = await life.status { try await life.subscribe(school, by: caller) }
                let isOwner = caller.isSame(as: owner)
                #expect(refused?.reason == (isOwner ? "org_not_active" : "forbidden"))
            }
            let begun = try await life.subscribe(school, by: payer)
            for caller in [owner, admin] {
                await expect(refusing: "org_not_active") {
                    try await life.subscription(of: school, by: caller)
                }
            }
            #expect(try await life.subscription(of: school, by: payer) == begun)
            #expect(try await life.subscription(of: school, by: above) == begun)
            _ = try await life.cancelSubscription(of: school, by: above)
            // What takes payments is of the platform: a pause is none of its business.
            _ = try await life.subscribe(school, by: above)
            #expect(try await life.pay("p1", for: school, until: "2026-01-31").state == .active)
        }
    }

    @Test func `unknown, out of scope and archived organizations answer the same`() async throws {
        let archived: OrganizationID = bench.identifiers.next()
        bench.tell(archived, below: district, archived: true)
        let elsewhere = bench.plant("Elsewhere")
        let owner = bench.person(.owner, at: elsewhere)

        try await bench.life { life in
            let nobody: OrganizationID = bench.identifiers.next()
            let answers = [
                await life.status { try await life.subscription(of: nobody) },
                await life.status { try await life.subscription(of: archived) },
                await life.status { try await life.subscription(of: school, by: owner) },
                await life.status { try await life.subscribe(nobody) },
                await life.status { try await life.subscribe(archived) },
                await life.status { try await life.subscribe(school, by: owner) },
                await life.status { try await life.cancelSubscription(of: archived) },
                await life.status { try await life.pay("p", for: nobody, until: "2026-01-31") },
                await life.status { try await life.pay("p", for: archived, until: "2026-01-31") },
            ]

            #expect(answers.allSatisfy { $0?.reason == "not_found" })
            #expect(Set(answers.map { $0?.message }).count == 1)
        }
    }

    @Test func `a payment told again changes nothing, whatever has become of the organization`()
        async throws
    {
        try await bench.life { life in
            _ = try await life.subscribe(school)
            let paid = try await life.pay("p1", for: school, until: "2026-01-31")
            bench.tell(school, below: district, archived: true)
            try await life.catchUp()

            await expect(refusing: "not_found") { try await life.subscription(of: school) }
            #expect(try await life.pay("p1", for: school, until: "2026-01-31") == paid)
            await expect(refusing: "payment_mismatch") {
                try await life.pay("p1", for: district, until: "2026-01-31")
            }
            await expect(refusing: "not_found") {
                try await life.pay("p2", for: school, until: "2026-02-28")
            }
        }
    }

    @Test func `staff and programs of the platform tell of payments, and nobody else`()
        async throws
    {
        let key = APIKeyID(high: 3, low: 3)

        try await bench.life { life in
            _ = try await life.subscribe(school)
            for caller in [
                TestCaller.stranger, .service, bench.person(.owner, at: school),
                bench.person(.billingAdmin, at: district), bench.person(.partner, at: district),
                bench.person(.platformAdmin, at: district),
                .program(key, [Access.Grant(.billingAdmin, at: school)]),
            ] {
                await expect(refusing: "forbidden") {
                    try await life.pay("p1", for: school, until: "2026-01-31", by: caller)
                }
            }
            let program = TestCaller.program(key, [Access.Grant(.globalAdmin)])
            let paid = try await life.pay("p1", for: school, until: "2026-01-31", by: program)
            #expect(paid.state == .active)
            #expect(
                try await life.pay("p2", for: school, until: "2026-02-28", by: .admin).periodEnd
                    == "2026-02-28")
        }
    }

    @Test(
        arguments: [
            (CreateSubscriptionRequest(), ["organization_id", "plan"]),
            (CreateSubscriptionRequest(organizationID: "x", plan: "a"), ["organization_id"]),
            (
                CreateSubscriptionRequest(
                    organizationID: BadInputTests.id, plan: BadInputTests.long,
                    courseIDs: ["x", BadInputTests.id, BadInputTests.id]),
                ["plan", "course_ids[0]", "course_ids[2]"]
            ),
        ] as [(CreateSubscriptionRequest, [String])])
    func `a subscription with wrong fields is refused`(
        request: CreateSubscriptionRequest, fields: [String]
    ) async throws {
        try await bench.life { life in
            let status = await life.status {
                try await life.subscriptions.createSubscription(request, options: life.options())
            }
            #expect(status?.reason == "validation")
            #expect(status?.fields == fields)
        }
    }

    @Test(
        arguments: [
            (CompletePaymentRequest(), ["payment_id", "organization_id", "period_end"]),
            (payment { $0.paymentID = " " }, ["payment_id"]),
            (payment { $0.paymentID = "a\u{7}b" }, ["payment_id"]),
            (payment { $0.paymentID = String(repeating: "x", count: 201) }, ["payment_id"]),
            (payment { $0.periodEnd = "2026-02-29" }, ["period_end"]),
            (payment { $0.periodEnd = "31.01.2026" }, ["period_end"]),
            (payment { $0.organizationID = "" }, ["organization_id"]),
        ] as [(CompletePaymentRequest, [String])])
    func `a payment with wrong fields is refused`(
        request: CompletePaymentRequest, fields: [String]
    ) async throws {
        try await bench.life { life in
            let status = await life.status {
                try await life.subscriptions.completePayment(request, options: life.options())
            }
            #expect(status?.reason == "validation")
            #expect(status?.fields == fields)
        }
    }

    private static func payment(
        _ change: (inout CompletePaymentRequest) -> Void
    ) -> CompletePaymentRequest {
        var request = CompletePaymentRequest(
            paymentID: "p1", organizationID: BadInputTests.id, periodEnd: "2026-01-31")
        change(&request)
        return request
    }
}

extension TestCaller {
    fileprivate func isSame(as other: TestCaller) -> Bool {
        guard case .person(let mine, _) = self, case .person(let theirs, _) = other else {
            return false
        }
        return mine == theirs
    }
}
