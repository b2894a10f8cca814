import Access
import Messages
import RPC
import ServiceKit
import Storage

@testable import Membership

/// A district with two schools, limits and people.
struct District {
    let hall: Hall
    let district: OrganizationID
    let schools: [OrganizationID]

    init() async throws {
        hall = try Hall()
        district = try await hall.organization(title: "District")
        schools = [
            try await hall.organization(below: district),
            try await hall.organization(below: district),
        ]
    }

    func used(_ organization: OrganizationID, _ kind: CountKind = .members) async throws -> Int64 {
        try await hall.used(organization, kind)
    }

    func setLimit(_ members: Int64, students: Int64? = nil) async throws {
        _ = try await hall.platformOwner.updateCaps(
            UpdateCapsRequest(organizationID: district.text, members: members, students: students))
    }

    /// Archives or restores by event alone.
    func tell(_ organizations: [OrganizationID], archived: Bool) async throws {
        for organization in organizations {
            let parent = organization == district ? nil : district
            try await hall.organization(organization, below: parent, archived: archived)
        }
    }

    func restore(
        _ organizations: [OrganizationID], below parent: OrganizationID? = nil,
        blocked: Bool = false, key: String? = nil
    ) async throws {
        try await hall.restore(organizations, below: parent, blocked: blocked, key: key)
    }
}

extension Hall {
    /// How many are counted at an organization.
    func used(_ organization: OrganizationID, _ kind: CountKind = .members) async throws -> Int64 {
        try await database.read { snapshot in
            try snapshot.counters(at: [organization], for: nil).first { $0.kind == kind }?.used ?? 0
        }
    }

    func restore(
        _ organizations: [OrganizationID], below parent: OrganizationID? = nil,
        blocked: Bool = false, key: String? = nil
    ) async throws {
        var options = CallOptions()
        options.metadata[text: MetadataKey.idempotencyKey] = key
        _ = try await service("organizations").restoreSubtree(
            RestoreSubtreeRequest(
                organizationIDs: organizations.map(\.text), parentID: parent?.text ?? "",
                blocked: blocked), options: options)
    }

    /// The ledger of an organization, oldest first, without people.
    func ledger(_ organization: OrganizationID) async throws -> [String] {
        try await service("partners").listSeatLedger(
            ListSeatLedgerRequest(organizationID: organization.text, pageSize: 500)
        ).entries.reversed().map { "\($0.kind) \($0.operation) \($0.balanceAfter) \($0.cause)" }
    }

    func state(of user: UserID, in organization: OrganizationID) async throws -> MemberState {
        try await service("partners").getMember(
            GetMemberRequest(organizationID: organization.text, userID: user.text)
        ).state
    }
}
