import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Membership

@Suite struct `addresses of mails` {
    private func addresses(of organization: OrganizationID, _ hall: Hall) async throws -> [String] {
        try await hall.service("organizations").listMailAddresses(
            ListMailAddressesRequest(organizationID: organization.text)
        ).addresses
    }

    private func email(_ user: UserID, _ hall: Hall) async throws -> String {
        try await hall.platformOwner.getUser(GetUserRequest(id: user.text)).email
    }

    @Test func `are those of active owners, else of administrators and managers`() async throws {
        let hall = try Hall()
        let district = try await hall.organization()
        let school = try await hall.organization(below: district)
        // Who leads elsewhere, above as well, is not written to.
        try await hall.admit(to: district, as: [.owner])
        for role in [Messages.Role.student, .teacher, .userAdmin, .billingAdmin, .member] {
            try await hall.admit(to: school, as: [role])
        }
        #expect(try await addresses(of: school, hall) == [])

        let manager = try await hall.admit(to: school, as: [.manager])
        let administrator = try await hall.admit(to: school, as: [.orgAdmin, .teacher])
        let managers = [try await email(manager, hall), try await email(administrator, hall)]
        #expect(try await addresses(of: school, hall) == managers)
        _ = try await hall.platformOwner.blockMember(
            BlockMemberRequest(organizationID: school.text, userID: manager.text))
        #expect(try await addresses(of: school, hall) == [managers[1]])

        let owner = try await hall.admit(to: school, as: [.owner])
        #expect(try await addresses(of: school, hall) == [try await email(owner, hall)])

        let second = try await hall.admit(to: school, as: [.owner])
        _ = try await hall.platformOwner.removeMember(
            RemoveMemberRequest(organizationID: school.text, userID: owner.text))
        #expect(try await addresses(of: school, hall) == [try await email(second, hall)])
    }

    @Test func `are at most fifty`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        for _ in 0..<52 { try await hall.admit(to: school, as: [.owner]) }

        #expect(try await addresses(of: school, hall).count == 50)
    }

    @Test func `are for Organizations alone`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        let request = ListMailAddressesRequest(organizationID: school.text)

        let person = await refusal { try await hall.platformOwner.listMailAddresses(request) }
        let partner = await refusal {
            try await hall.service("partners").listMailAddresses(request)
        }
        let unknown = await refusal {
            try await addresses(of: OrganizationID(high: 9, low: 9), hall)
        }

        #expect(person?.code == .permissionDenied)
        #expect(partner?.code == .permissionDenied)
        #expect(unknown != nil)
    }
}
