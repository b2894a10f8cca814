import Access
import Messages
import RPC
import Storage
import Testing

@testable import Membership

@Suite struct `limits` {
    @Test func `one below use is accepted with a warning and refuses only the new`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        let branch = try await hall.organization(below: school)
        let ada = try await hall.admit(to: school)
        try await hall.admit(to: school)
        let client = hall.platformOwner

        let caps = try await client.updateCaps(
            UpdateCapsRequest(organizationID: school.text, members: 1))

        #expect(caps.members == 1)
        #expect(caps.warnings.map(\.code) == ["over_limit"])
        #expect(await refusal { try await hall.admit(to: branch) } != nil)
        try await hall.admit(ada, to: branch)
        #expect(try await client.getCaps(GetCapsRequest(organizationID: school.text)) == caps)
    }

    @Test func `one above that of the parent is accepted with a warning`() async throws {
        let hall = try Hall()
        let district = try await hall.organization()
        let school = try await hall.organization(below: district)
        let client = hall.platformOwner
        _ = try await client.updateCaps(
            UpdateCapsRequest(organizationID: district.text, members: 10, teachers: 2))

        let caps = try await client.updateCaps(
            UpdateCapsRequest(organizationID: school.text, members: 11, students: 5, teachers: 2))

        #expect(caps.warnings.map(\.code) == ["ineffective_limit"])
        #expect(caps.warnings.first?.message.contains(district.text) == true)
    }

    @Test func `they can be removed, and each change raises the version`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        let client = hall.platformOwner
        let none = try await client.getCaps(GetCapsRequest(organizationID: school.text))
        _ = try await client.updateCaps(
            UpdateCapsRequest(organizationID: school.text, members: 0, students: 4))
        #expect(await refusal { try await hall.admit(to: school) } != nil)

        let caps = try await client.updateCaps(
            UpdateCapsRequest(organizationID: school.text, remove: ["members"]))

        #expect(none == Caps(organizationID: school.text, version: 1, etag: "v1"))
        #expect(caps.members == nil)
        #expect(caps.students == 4)
        #expect(caps.version == 3)
        try await hall.admit(to: school)
    }

    @Test func `use tells the organization's own counts and every limit above`() async throws {
        let hall = try Hall()
        let district = try await hall.organization()
        let school = try await hall.organization(below: district)
        _ = try await hall.platformOwner.updateCaps(
            UpdateCapsRequest(organizationID: district.text, students: 7))
        try await hall.admit(to: school, as: [.student])
        try await hall.admit(to: district)

        let usage = try await hall.platformOwner.getUsage(
            GetUsageRequest(organizationID: school.text))

        #expect(usage.people == 1)
        #expect(
            usage.caps == [
                CapUsage(organizationID: school.text, kind: "members", used: 1),
                CapUsage(organizationID: school.text, kind: "students", used: 1),
                CapUsage(organizationID: school.text, kind: "teachers", used: 0),
                CapUsage(organizationID: district.text, kind: "students", cap: 7, used: 1),
            ])
        #expect(usage.seats?.used == 1)
    }

    @Test func `a version that is not the one seen is refused`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        let client = hall.platformOwner
        let request = UpdateCapsRequest(organizationID: school.text, members: 5)
        let caps = try await client.updateCaps(request)
        var options = CallOptions()
        options.metadata[text: "if-match"] = "v1"

        let stale = await refusal { try await client.updateCaps(request, options: options) }
        options.metadata[text: "if-match"] = caps.etag
        _ = try await client.updateCaps(request, options: options)

        #expect(stale?.reason == "version_mismatch")
    }
}

@Suite struct `seats` {
    private func grant(
        _ hall: Hall, _ organization: OrganizationID, _ quantity: Int64, key: String,
        sale: String? = nil
    ) async throws -> Seats {
        var options = CallOptions()
        options.metadata[text: "idempotency-key"] = key
        return try await hall.service("partners").grantSeats(
            GrantSeatsRequest(
                organizationID: organization.text, quantity: quantity,
                saleID: sale ?? "sale of \(key)"), options: options)
    }

    @Test func `none is left after the last, and a block frees one`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        let client = hall.platformOwner
        _ = try await client.updateSeats(
            UpdateSeatsRequest(organizationID: school.text, seatCount: 1))
        let ada = try await hall.admit(to: school)

        let refused = await refusal { try await hall.admit(to: school) }
        _ = try await client.blockMember(
            BlockMemberRequest(organizationID: school.text, userID: ada.text))
        try await hall.admit(to: school)

        #expect(refused?.reason == "seats_exhausted")
        #expect(
            refused?.facts == ["at": school.text, "kind": "seat", "used": "1", "cap": "1"])
        try await expectInvariants(hall)
    }

    @Test func `their number is raised up to the ceiling and lowered down to use`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        _ = try await grant(hall, school, 3, key: "grant")
        let manager = hall.acting(.manager, at: school)
        func resize(_ count: Int64) async -> Status? {
            await refusal {
                try await manager.updateSeats(
                    UpdateSeatsRequest(organizationID: school.text, seatCount: count))
            }
        }
        #expect(await resize(1) == nil)
        #expect(await resize(3) == nil)
        try await hall.admit(to: school)
        try await hall.admit(to: school)

        let above = await resize(4)
        let below = await resize(1)

        #expect(above?.reason == "above_ceiling")
        #expect(above?.code == .failedPrecondition)
        #expect(above?.facts == ["ceiling": "3"])
        #expect(below?.reason == "below_usage")
        #expect(below?.facts == ["used": "2"])
        #expect(await resize(2) == nil)
    }

    @Test func `a sale adds to number and ceiling once, also while the organization is prepared`()
        async throws
    {
        let hall = try Hall()
        let school = try await hall.organization(status: .provisioning)

        let first = try await grant(hall, school, 5, key: "one")
        let again = try await grant(hall, school, 5, key: "one")
        let second = try await grant(hall, school, 2, key: "two")

        #expect(first == again)
        #expect(first.seatCount == 5)
        #expect(first.seatCeiling == 5)
        #expect(second.seatCount == 7)
        #expect(second.seatCeiling == 7)
        #expect(await refusal { try await hall.admit(to: school) }?.code == .notFound)
    }

    @Test func `a grant to a node that has not arrived is to be tried again`() async throws {
        let hall = try Hall()
        let school: OrganizationID = hall.identifiers.next()

        let early = await refusal { try await grant(hall, school, 5, key: "one") }
        try await hall.organization(school, status: .provisioning)
        let late = try await grant(hall, school, 5, key: "one")

        #expect(early?.code == .unavailable)
        #expect(late.seatCount == 5)
    }

    @Test func `a grant is undone once, and never comes after it was undone`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        let partners = hall.service("partners")
        func cancel(_ key: String) async throws {
            _ = try await partners.cancelSeatGrant(
                CancelSeatGrantRequest(organizationID: school.text, grantKey: key))
        }
        _ = try await grant(hall, school, 5, key: "one")
        _ = try await grant(hall, school, 2, key: "two")

        try await cancel("one")
        try await cancel("one")
        try await cancel("never-seen")
        let late = await refusal { try await grant(hall, school, 9, key: "never-seen") }
        let seats = try await hall.platformOwner.getSeats(
            GetSeatsRequest(organizationID: school.text))

        #expect(seats.seatCount == 2)
        #expect(seats.seatCeiling == 2)
        #expect(late?.code == .aborted)
        try await expectInvariants(hall)
    }

    @Test func `a grant whose reply is gone is undone all the same, and once`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        _ = try await grant(hall, school, 5, key: "one")
        _ = try await grant(hall, school, 2, key: "two")
        try await hall.forgetReplies()

        for _ in 1...2 {
            _ = try await hall.service("partners").cancelSeatGrant(
                CancelSeatGrantRequest(organizationID: school.text, grantKey: "one"))
            try await hall.forgetReplies()
        }

        let seats = try await hall.platformOwner.getSeats(
            GetSeatsRequest(organizationID: school.text))
        #expect(seats.seatCount == 2)
        #expect(seats.seatCeiling == 2)
        try await expectInvariants(hall)
    }

    @Test func `a sale gives them once to an organization, under whichever key it comes again`()
        async throws
    {
        let hall = try Hall()
        let school = try await hall.organization()
        let other = try await hall.organization()

        let first = try await grant(hall, school, 5, key: "one", sale: "sale")
        let again = try await grant(hall, school, 5, key: "two", sale: "sale")
        let elsewhere = try await grant(hall, other, 5, key: "three", sale: "sale")
        let further = try await grant(hall, school, 2, key: "four", sale: "another")

        #expect(again == first)
        #expect(elsewhere.seatCount == 5)
        #expect(further.seatCount == 7)
        #expect(try await hall.ledger(school) == ["seat resize 5 sale", "seat resize 7 sale"])
    }

    @Test func `a sale that came again is undone by its last attempt, and by no earlier one`()
        async throws
    {
        let hall = try Hall()
        let school = try await hall.organization()
        let partners = hall.service("partners")
        func cancel(_ key: String) async throws -> Int64? {
            _ = try await partners.cancelSeatGrant(
                CancelSeatGrantRequest(organizationID: school.text, grantKey: key))
            return try await hall.platformOwner.getSeats(
                GetSeatsRequest(organizationID: school.text)
            ).seatCount
        }
        _ = try await grant(hall, school, 3, key: "before", sale: "before")
        _ = try await grant(hall, school, 5, key: "one", sale: "sale")
        _ = try await grant(hall, school, 5, key: "two", sale: "sale")

        #expect(try await cancel("one") == 8)
        #expect(try await cancel("two") == 3)
        // It may be sold anew.
        #expect(try await grant(hall, school, 5, key: "three", sale: "sale").seatCount == 8)
    }

    @Test func `only the service that sells may grant them`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        let request = GrantSeatsRequest(
            organizationID: school.text, quantity: 1, saleID: "sale-1")

        #expect(
            await refusal { try await hall.service("branding").grantSeats(request) }?.code
                == .permissionDenied)
        #expect(
            await refusal { try await hall.platformOwner.grantSeats(request) }?.code
                == .permissionDenied)
    }

    @Test func `the ledger tells every change, newest first`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        _ = try await grant(hall, school, 5, key: "one")
        let ada = try await hall.admit(to: school)
        let client = hall.platformOwner
        _ = try await client.removeMember(
            RemoveMemberRequest(organizationID: school.text, userID: ada.text))

        var entries: [SeatLedgerEntry] = []
        var token = ""
        repeat {
            let page = try await client.listSeatLedger(
                ListSeatLedgerRequest(
                    organizationID: school.text, pageSize: 2, pageToken: token))
            #expect(page.totalSize == 5)
            entries += page.entries
            token = page.nextPageToken
        } while !token.isEmpty

        #expect(
            entries.map { "\($0.kind) \($0.operation) \($0.balanceAfter) \($0.cause)" } == [
                "members release 0 membership", "seat release 0 membership",
                "members take 1 membership", "seat take 1 membership", "seat resize 5 sale",
            ])
        #expect(entries.dropLast().allSatisfy { $0.userID == ada.text })
    }

    @Test func `lines of the ledger are never changed or removed`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        try await hall.admit(to: school)

        await #expect(throws: (any Error).self) {
            try await hall.database.write { try $0.execute("DELETE FROM seat_ledger") }
        }
        await #expect(throws: (any Error).self) {
            try await hall.database.write {
                try $0.execute("UPDATE seat_ledger SET balance_after = 9")
            }
        }
    }
}
