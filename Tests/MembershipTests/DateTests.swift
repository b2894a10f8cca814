import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Membership

/// What ends by the calendar alone, without an event.
@Suite struct `an organization with a last day` {
    /// A hall at noon of a day.
    private func hall(_ day: CalendarDay) throws -> Hall {
        let hall = try Hall()
        let noon = WallTime(startOf: day).advanced(by: .seconds(12 * 3_600))
        hall.clock.advance(by: .microseconds(noon.microseconds - hall.clock.now.microseconds))
        return hall
    }

    private var lastDay: CalendarDay {
        get throws { try #require(CalendarDay(year: 2030, month: 2, day: 28)) }
    }

    /// Moves the clock to an instant before or after the end of a day.
    private func move(_ hall: Hall, toEndOf day: CalendarDay, plus distance: Duration) {
        let end = WallTime(startOf: day.advanced(by: 1)).advanced(by: distance)
        hall.clock.advance(by: .microseconds(end.microseconds - hall.clock.now.microseconds))
    }

    @Test func `admits in the last millisecond of that day and nobody in the first of the next`()
        async throws
    {
        let day = try lastDay
        let hall = try hall(day)
        let school = try await hall.organization(expiresOn: day)
        try await hall.admit(to: school)
        move(hall, toEndOf: day, plus: .milliseconds(-1))
        try await hall.admit(to: school)

        move(hall, toEndOf: day, plus: .zero)
        let refused = await refusal { try await hall.admit(to: school) }

        #expect(refused?.reason == "org_not_active")
        #expect(refused?.facts == ["at": school.text, "state": "expired"])
        try await expectInvariants(hall)
    }

    @Test func `closes everything below it, when a trial ends, too`() async throws {
        let day = try lastDay
        let hall = try hall(day.advanced(by: 1))
        let district = try await hall.organization(trialUntil: day)
        let school = try await hall.organization(below: district)

        let refused = await refusal { try await hall.admit(to: school) }
        let explained = try await hall.platformOwner.explainAdmission(
            ExplainAdmissionRequest(organizationID: school.text))

        #expect(refused?.reason == "org_not_active")
        #expect(refused?.facts == ["at": district.text, "state": "trial_ended"])
        #expect(explained.gates.map(\.code) == ["org_not_active"])
        #expect(explained.gates.map(\.organizationID) == [district.text])
    }

    @Test func `keeps its people, whose rights are suspended from the next day on`() async throws {
        let day = try lastDay
        let hall = try hall(day)
        let school = try await hall.organization(expiresOn: day)
        let ada = try await hall.admit(to: school, as: [.manager])
        let manager = hall.acting(ada, [Access.Grant(.manager, at: school)])
        let list = ListMembersRequest(organizationID: school.text)
        #expect(try await manager.listMembers(list).totalSize == 1)

        move(hall, toEndOf: day, plus: .zero)
        let suspended = await refusal { try await manager.listMembers(list) }
        let me = try await manager.getMe(GetMeRequest())

        #expect(suspended?.reason == "org_not_active")
        #expect(suspended?.facts["at"] == school.text)
        #expect(me.grants.map(\.organizationID) == [school.text])
        #expect(me.memberships.map(\.organizationID) == [school.text])
        #expect(try await hall.platformOwner.listMembers(list).totalSize == 1)
    }
}

@Suite struct `an archived organization` {
    @Test func `does not exist for people, nor does what is below, and services still see it`()
        async throws
    {
        let hall = try Hall()
        let district = try await hall.organization()
        let school = try await hall.organization(below: district)
        let ada = try await hall.admit(to: school, as: [.manager])
        let other = try await hall.organization()
        try await hall.admit(ada, to: other)
        try await hall.organization(district, archived: true)

        let refusals = [
            await refusal { try await hall.admit(to: school) },
            await refusal {
                try await hall.platformOwner.listMembers(
                    ListMembersRequest(organizationID: school.text))
            },
            await refusal {
                try await hall.platformOwner.updateCaps(
                    UpdateCapsRequest(organizationID: district.text, members: 1))
            },
            await refusal {
                try await hall.acting(ada, [Access.Grant(.manager, at: school)]).getMember(
                    GetMemberRequest(organizationID: school.text, userID: ada.text))
            },
        ]
        #expect(refusals.map { $0?.code } == Array(repeating: .notFound, count: 4))
        #expect(Set(refusals.map { $0?.message }) == ["There is no such organization."])
        let seen = try await hall.service("partners").getSeats(
            GetSeatsRequest(organizationID: school.text))
        #expect(seen.organizationID == school.text)
        // Roles there end, and are not only suspended.
        let me = try await hall.acting(ada, []).getMe(GetMeRequest())
        #expect(me.grants.map(\.organizationID) == [other.text])
        #expect(me.memberships.map(\.organizationID) == [other.text])
    }
}
