import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Partners

@Suite(.serialized) struct FulfilmentTests {
    /// What a caller cannot tell from success.
    static let lost: [Mishap] = [
        .lostRequest(.unavailable), .lostReply(.unavailable), .lostRequest(.deadlineExceeded),
        .lostReply(.deadlineExceeded), .lostReply(.unknown), .lostReply(.internal),
        .lostRequest(.resourceExhausted), .lostRequest(.permissionDenied),
    ]

    @Test(arguments: Step.forward, lost)
    func `a call whose outcome is unknown is repeated until it is known`(
        step: Step, mishap: Mishap
    ) async throws {
        let bench = try Bench()
        bench.neighbours.expect(mishap, mishap, at: step)

        let sale = try await bench.life { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            return try await life.settled(try await life.approve(registered))
        }

        bench.expectOneOfEverything(for: sale, seats: 70)
        #expect(bench.neighbours.world.arrivals[step] == 3)
    }

    @Test(arguments: Step.forward, [Mishap.silenceBefore, .silenceAfter])
    func `a process killed in the middle of a step leaves one of everything`(
        step: Step, silence: Mishap
    ) async throws {
        let bench = try Bench(approvalWait: .zero)
        bench.neighbours.expect(silence, at: step)

        let approved = try await bench.lifeUntilSilence { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            return try await life.approve(registered)
        }
        let sale = try await bench.life { life in try await life.settled(approved) }

        #expect(approved.state == .approved)
        bench.expectOneOfEverything(for: sale, seats: 70)
    }

    @Test func `a process killed at every step leaves one of everything`() async throws {
        let bench = try Bench(approvalWait: .zero)
        for step in Step.forward {
            bench.neighbours.expect(.silenceBefore, .silenceAfter, at: step)
        }

        let approved = try await bench.lifeUntilSilence { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            return try await life.approve(registered)
        }
        for _ in 1..<(2 * Step.forward.count) {
            try await bench.lifeUntilSilence { _ in }
        }
        let sale = try await bench.life { life in try await life.settled(approved) }

        bench.expectOneOfEverything(for: sale, seats: 70)
    }

    @Test(arguments: [Mishap.silenceBefore, .silenceAfter])
    func `a process killed while seats are granted grants them once`(
        silence: Mishap
    ) async throws {
        let bench = try Bench(approvalWait: .zero)
        let school = bench.plant("School")
        bench.neighbours.expect(silence, at: .grantSeats)

        let approved = try await bench.lifeUntilSilence { life in
            let registered = try await life.register(try await life.draft(to: school))
            return try await life.approve(registered)
        }
        let sale = try await bench.life { life in try await life.settled(approved) }

        #expect(sale.state == .fulfilled)
        #expect(bench.neighbours.world.seats == [school.text: 70])
        #expect(bench.neighbours.world.effects == [.grantSeats: 1])
    }

    @Test(arguments: Step.forward)
    func `a refusal at any step leaves nothing behind`(step: Step) async throws {
        let bench = try Bench()
        bench.neighbours.expect(.refusal("not_today"), at: step)

        let sale = try await bench.life { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            return try await life.settled(try await life.approve(registered))
        }

        bench.expectNothing(of: sale, code: "not_today")
        #expect(sale.refusal?.message == "Refused: not_today.")
    }

    @Test func `a refusal of an existing buyer's seats leaves nothing behind`() async throws {
        let bench = try Bench()
        let school = bench.plant("School")
        bench.neighbours.expect(.refusal("org_not_active"), at: .grantSeats)

        let sale = try await bench.life { life in
            let registered = try await life.register(try await life.draft(to: school))
            return try await life.settled(try await life.approve(registered))
        }

        #expect(sale.state == .draft)
        #expect(sale.refusal?.code == "org_not_active")
        #expect(sale.buyerOrganizationID == school.text)
        #expect(bench.neighbours.world.isEmpty)
    }

    @Test func `a taken name makes the sale a draft again, which can be sold once it is free`()
        async throws
    {
        let bench = try Bench()
        bench.neighbours.change { $0.committed["other"] = "Springfield" }

        try await bench.life { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            let refused = try await life.settled(try await life.approve(registered))
            #expect(refused.state == .draft)
            #expect(refused.refusal?.code == "name_taken")
            #expect(bench.neighbours.world.seats.isEmpty)
            #expect(bench.neighbours.world.appearances.isEmpty)

            bench.neighbours.change { $0.committed["other"] = nil }
            let again = try await life.register(refused)
            #expect(again.refusal == nil)
            let sale = try await life.settled(try await life.approve(again))
            bench.expectOneOfEverything(for: sale, seats: 70)
        }
    }

    @Test(
        arguments: [Step.cancelPreparation, .cancelSeatGrant, .cancelAppearance],
        [Mishap.lostRequest(.unavailable), .lostReply(.deadlineExceeded), .lostReply(.internal)])
    func `undoing is repeated until it is known to be done`(
        step: Step, mishap: Mishap
    ) async throws {
        let bench = try Bench()
        bench.neighbours.expect(.refusal("not_today"), at: .commitOrganization)
        bench.neighbours.expect(mishap, mishap, at: step)

        let sale = try await bench.life { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            return try await life.settled(try await life.approve(registered))
        }

        bench.expectNothing(of: sale, code: "not_today")
        #expect(bench.neighbours.world.effects[step] == 1)
    }

    @Test(
        arguments: [Step.cancelPreparation, .cancelSeatGrant, .cancelAppearance],
        [Mishap.silenceBefore, .silenceAfter])
    func `a process killed while it undoes goes on undoing`(
        step: Step, silence: Mishap
    ) async throws {
        let bench = try Bench(approvalWait: .zero)
        bench.neighbours.expect(.refusal("not_today"), at: .commitOrganization)
        bench.neighbours.expect(silence, at: step)

        let approved = try await bench.lifeUntilSilence { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            return try await life.approve(registered)
        }
        let sale = try await bench.life { life in try await life.settled(approved) }

        bench.expectNothing(of: sale, code: "not_today")
    }

    @Test(arguments: Step.forward.dropLast())
    func `a request that arrives after it was cancelled has no effect`(
        step: Step
    ) async throws {
        let bench = try Bench(approvalWait: .zero)
        bench.neighbours.expect(.late, at: step)
        bench.neighbours.change { $0.outages = [step] }

        let sale = try await bench.life { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            let approved = try await life.approve(registered)
            for await _ in bench.neighbours.silences { break }
            bench.clock.advance(by: .seconds(601))
            return try await life.settled(approved)
        }
        let refused = bench.neighbours.deliverLate()

        #expect(refused == 1)
        bench.expectNothing(of: sale, code: "unavailable")
        #expect(sale.refusal?.message == FulfilSale.refusedWithoutWords)
    }

    @Test func `the last step is asked again for as long as it takes`() async throws {
        let bench = try Bench(approvalWait: .zero)
        bench.neighbours.change { $0.outages = [.commitOrganization] }

        let sale = try await bench.life { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            let approved = try await life.approve(registered)
            bench.clock.advance(by: .seconds(90_000))
            let waiting = try await life.sale(approved.id)
            #expect(waiting.state == .approved)
            bench.neighbours.change { $0.outages = [] }
            return try await life.settled(approved)
        }

        bench.expectOneOfEverything(for: sale, seats: 70)
    }

    @Test func `an organization without colors of its own is not given any`() async throws {
        let bench = try Bench()

        let sale = try await bench.life { life in
            let partner = try await life.createPartner()
            let product = try await life.createProduct()
            let draft = try await life.client.createSale(
                CreateSaleRequest(
                    partnerID: partner.id,
                    newOrganization: Messages.NewOrganization(
                        title: "Plain", category: .businessCompany, country: "DE"),
                    lines: [Messages.SaleLine(productID: product.id, quantity: 1)]),
                options: life.options())
            let registered = try await life.register(draft)
            return try await life.settled(try await life.approve(registered))
        }

        #expect(sale.state == .fulfilled)
        #expect(bench.neighbours.world.arrivals[.prepareAppearance] == nil)
        #expect(bench.neighbours.world.seats == [sale.buyerOrganizationID: 10])
    }

    @Test func `each attempt to fulfil a sale names another organization`() async throws {
        let bench = try Bench()
        bench.neighbours.expect(.refusal("not_today"), at: .commitOrganization)

        try await bench.life { life in
            let first = try await life.register(try await life.draftToNewOrganization())
            let refused = try await life.settled(try await life.approve(first))
            let second = try await life.register(refused)
            let sale = try await life.settled(try await life.approve(second))

            let removed = bench.neighbours.world.nodes.filter(\.removed).map(\.id)
            #expect(sale.state == .fulfilled)
            #expect(removed.count == 1)
            #expect(!removed.contains(sale.buyerOrganizationID))
        }
    }

    @Test func `many sales at once are all fulfilled once`() async throws {
        let bench = try Bench()
        for step in Step.forward {
            for _ in 0..<10 {
                bench.neighbours.expect(
                    .lostReply(.unavailable), .lostRequest(.deadlineExceeded), at: step)
            }
        }

        try await bench.life { life in
            var registered: [Messages.Sale] = []
            for number in 0..<25 {
                let draft = try await life.draftToNewOrganization("District \(number)")
                registered.append(try await life.register(draft))
            }
            try await withThrowingTaskGroup(of: Messages.Sale.self) { group in
                for sale in registered {
                    group.addTask { try await life.settled(try await life.approve(sale)) }
                }
                for try await sale in group { #expect(sale.state == .fulfilled) }
            }
        }

        let world = bench.neighbours.world
        #expect(world.prepared.isEmpty)
        #expect(world.committed.count == 25)
        #expect(world.seats.values.allSatisfy { $0 == 70 })
        #expect(world.appearances.count == 25)
        #expect(Step.forward.allSatisfy { world.effects[$0] == 25 })
    }
}

extension Bench {
    /// Runs the service until one of the others falls silent, then kills it.
    @discardableResult
    fileprivate func lifeUntilSilence<Result: Sendable>(
        _ body: (Life) async throws -> Result
    ) async throws -> Result {
        try await life { life in
            let result = try await body(life)
            for await _ in neighbours.silences { break }
            return result
        }
    }
}
