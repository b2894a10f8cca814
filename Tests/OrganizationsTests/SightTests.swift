import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Organizations

/// What refuses a move or a restore may be set far above whoever asks: a refusal names only
/// organizations of which they may know, as a dry run does.
struct SightTests {
    private let installation: Installation
    private let platform: OrganizationsClient
    /// A region, a district below it, and in the district two places; the first has a school.
    private let region: Organization
    private let district: Organization
    private let north: Organization
    private let south: Organization
    private let school: Organization

    init() async throws {
        installation = try Installation()
        platform = try installation.platformOwner()
        let line = try await platform.chain("Region", "District", "North", "School")
        (region, district, north, school) = (line[0], line[1], line[2], line[3])
        south = try await platform.create("South", below: district)
    }

    /// Membership refuses under limits of the district and the region, in a dry run as well.
    private func fill() async {
        let gates = [district.id, region.id].map { place in
            AdmissionGate(
                code: "members_limit_reached", organizationID: place, kind: "members", used: 5,
                cap: 5, newcomers: 2)
        }
        func facts(_ place: Organization) -> [String: String] {
            ["at": place.id, "kind": "members", "used": "5", "cap": "5", "newcomers": "2"]
        }
        var status = Status.refusal(
            .membersLimitReached, "2 more do not fit.", metadata: facts(district),
            violations: gates.map { gate in
                StatusDetail.PreconditionViolation(
                    type: gate.code, subject: gate.organizationID,
                    description: "2 more do not fit.")
            })
        status.details.append(
            .errorInfo(
                reason: "members_limit_reached", domain: "guildhall", metadata: facts(region)))
        await installation.people.refuse(with: status)
        await installation.people.answer(with: MoveSubtreeReply(gates: gates))
    }

    @Test func `a move is refused by the places that its dry run tells`() async throws {
        await fill()
        let owner = try installation.user(Access.Grant(.owner, at: try district.organizationID))

        for (client, places) in [
            (owner, [district.id, ""]), (platform, [district.id, region.id]),
        ] {
            let tried = try await client.moveOrganization(
                MoveOrganizationRequest(id: school.id, newParentID: south.id, dryRun: true))
            let refused = try await refusal { try await client.move(school, below: south) }

            #expect(tried.obstacles.map(\.organizationID) == places)
            #expect(refused.reason == "members_limit_reached")
            #expect(refused.subjects == places)
            #expect(refused.facts.map { $0["at"] ?? "" } == places)
            // Numbers are told.
            #expect(refused.facts.map { $0["used"] } == ["5", "5"])
            #expect(refused.facts.map { $0["newcomers"] } == ["2", "2"])
        }
    }

    @Test func `a refusal that is answered again hides the same`() async throws {
        await fill()
        let owner = try installation.user(Access.Grant(.owner, at: try district.organizationID))
        let request = MoveOrganizationRequest(id: school.id, newParentID: south.id)

        for _ in 0..<2 {
            let refused = try await refusal {
                try await owner.moveOrganization(request, options: .key("move"))
            }
            #expect(refused.subjects == [district.id, ""])
        }
        #expect(await installation.people.moved.count == 1)
    }

    @Test func `a restore hides them as well, and names what is in the archive`() async throws {
        let admin = try installation.user(
            Access.Grant(.platformAdmin, at: try district.organizationID))
        let owner = try installation.user(Access.Grant(.owner, at: try district.organizationID))
        _ = try await platform.delete(north, cascade: true)
        let violations = [school, district, region].map { place in
            StatusDetail.PreconditionViolation(
                type: "members_limit_reached", subject: place.id, description: "Full.")
        }
        await installation.people.refuse(
            with: .refusal(
                .membersLimitReached, "Full.", metadata: ["at": school.id],
                violations: violations))

        let mine = try await refusal {
            try await admin.restoreOrganization(RestoreOrganizationRequest(id: north.id))
        }
        let all = try await refusal {
            try await platform.restoreOrganization(RestoreOrganizationRequest(id: north.id))
        }
        let hidden = try await refusal {
            try await owner.restoreOrganization(RestoreOrganizationRequest(id: north.id))
        }

        #expect(mine.subjects == [school.id, district.id, ""])
        #expect(mine.facts.map { $0["at"] } == [school.id])
        #expect(all.subjects == [school.id, district.id, region.id])
        #expect(hidden.reason == "not_found" && hidden.subjects.isEmpty)
    }

    @Test func `where a region is paused, those below are told that much alone`() async throws {
        _ = try await platform.deactivateOrganization(.init(id: region.id))
        let owner = try installation.user(Access.Grant(.owner, at: try district.organizationID))

        let mine = try await refusal { try await owner.move(school, below: south) }
        let all = try await refusal { try await platform.move(school, below: south) }

        #expect(mine.reason == "org_not_active" && all.reason == "org_not_active")
        #expect(mine.subjects == [""] && all.subjects == [region.id])
        #expect(mine.facts.map { $0["at"] } == [nil])
        #expect(all.facts.map { $0["at"] } == [region.id])
    }
}

extension Status {
    /// What each thing that refuses is about, in order.
    fileprivate var subjects: [String] {
        details.flatMap { detail -> [String] in
            guard case .preconditionFailure(let violations) = detail else { return [] }
            return violations.map(\.subject)
        }
    }

    /// The named facts of every reason, in order.
    fileprivate var facts: [[String: String]] {
        details.compactMap { detail in
            guard case .errorInfo(_, _, let metadata) = detail else { return nil }
            return metadata
        }
    }
}
