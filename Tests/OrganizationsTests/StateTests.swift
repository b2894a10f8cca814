import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Activation, and what it does to everything below.
struct StateTests {
    @Test func `the state of an organization is that of the nearest paused one above`()
        async throws
    {
        let owner = try Installation().platformOwner()
        let chain = try await owner.chain("District", "Region", "School")
        for organization in chain.prefix(2) {
            _ = try await owner.deactivateOrganization(
                DeactivateOrganizationRequest(id: organization.id))
        }

        let school = try await owner.getOrganization(GetOrganizationRequest(id: chain[2].id))

        #expect(school.status == .active)
        #expect(school.effectiveState == .inactive)
        #expect(
            school.stateReason
                == StateReason(organizationID: chain[1].id, state: .inactive))
    }

    @Test func `activating makes everything below active at once`() async throws {
        let owner = try Installation().platformOwner()
        let chain = try await owner.chain("District", "School")
        _ = try await owner.deactivateOrganization(
            DeactivateOrganizationRequest(id: chain[0].id))

        let district = try await owner.activateOrganization(
            ActivateOrganizationRequest(id: chain[0].id))

        #expect(district.effectiveState == .active)
        let school = try await owner.getOrganization(GetOrganizationRequest(id: chain[1].id))
        #expect(school.effectiveState == .active)
        #expect(school.stateReason == nil)
    }

    @Test func `a deactivation is answered once Membership has followed`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")

        _ = try await owner.deactivateOrganization(DeactivateOrganizationRequest(id: school.id))

        let asked = try #require(installation.acknowledgements.heads.last)
        #expect(asked.sequence == installation.database.feed.head())
        #expect(asked.incarnation == installation.database.incarnation)
    }

    @Test func `a deactivation that is not acknowledged is stored, and asks again`()
        async throws
    {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        let request = DeactivateOrganizationRequest(id: school.id)
        installation.acknowledgements.setReachable(false)

        let refused = try await refusal {
            try await owner.deactivateOrganization(request, options: .key("once"))
        }

        #expect(refused.code == .aborted && refused.httpStatus == 503)
        #expect(refused.reason == "not_acknowledged")
        let stored = try await owner.getOrganization(GetOrganizationRequest(id: school.id))
        #expect(stored.status == .inactive)
        installation.acknowledgements.setReachable(true)
        let again = try await owner.deactivateOrganization(request, options: .key("once"))
        #expect(again == stored)
        #expect(installation.acknowledgements.heads.count == 1)
    }

    @Test func `activation and deactivation of another version than the one seen are refused`()
        async throws
    {
        let owner = try Installation().platformOwner()
        let school = try await owner.create("School")
        var stale = CallOptions()
        stale.metadata[text: MetadataKey.ifMatch] = "v7"
        var seen = CallOptions()
        seen.metadata[text: MetadataKey.ifMatch] = school.etag

        let activation = try await refusal {
            try await owner.activateOrganization(
                ActivateOrganizationRequest(id: school.id), options: stale)
        }
        let deactivation = try await refusal {
            try await owner.deactivateOrganization(
                DeactivateOrganizationRequest(id: school.id), options: stale)
        }
        let paused = try await owner.deactivateOrganization(
            DeactivateOrganizationRequest(id: school.id), options: seen)

        #expect(activation.reason == "version_mismatch")
        #expect(deactivation.reason == "version_mismatch")
        #expect(paused.status == .inactive)
    }

    @Test func `deactivating twice is one change`() async throws {
        let owner = try Installation().platformOwner()
        let school = try await owner.create("School")

        let first = try await owner.deactivateOrganization(
            DeactivateOrganizationRequest(id: school.id))
        let second = try await owner.deactivateOrganization(
            DeactivateOrganizationRequest(id: school.id))

        #expect(second == first)
        #expect(second.version == 2)
    }

    @Test func `people of a paused organization see it and why, and its owner ends the pause`()
        async throws
    {
        let installation = try Installation()
        let platform = try installation.platformOwner()
        let chain = try await platform.chain("School", "Branch")
        let id = try chain[0].organizationID
        let owner = try installation.user(Access.Grant(.owner, at: id))
        let member = try installation.user(Access.Grant(.member, at: id))
        _ = try await owner.deactivateOrganization(DeactivateOrganizationRequest(id: chain[0].id))

        let seen = try await member.getOrganization(GetOrganizationRequest(id: chain[0].id))
        let listed = try await member.listOrganizations(ListOrganizationsRequest())
        let inside = try await refusal {
            try await owner.listOrganizations(ListOrganizationsRequest(parent: chain[0].id))
        }
        let masks = try await refusal {
            try await owner.listEmailMasks(ListEmailMasksRequest(organizationID: chain[0].id))
        }
        let again = try await owner.activateOrganization(
            ActivateOrganizationRequest(id: chain[0].id))

        #expect(seen.effectiveState == .inactive)
        #expect(
            seen.stateReason == StateReason(organizationID: chain[0].id, state: .inactive))
        #expect(listed.organizations == [seen])
        #expect(inside.reason == "org_not_active")
        #expect(masks.reason == "org_not_active")
        #expect(again.effectiveState == .active)
    }

    @Test func `a pause that ends is not remembered against who asked during it`() async throws {
        let installation = try Installation()
        let school = try await installation.platformOwner().create("School")
        let owner = try installation.user(
            Access.Grant(.owner, at: try school.organizationID),
            as: installation.identifiers.next())
        _ = try await owner.deactivateOrganization(DeactivateOrganizationRequest(id: school.id))
        let rename = UpdateOrganizationRequest(
            organization: Organization(id: school.id, title: "New"))

        let during = try await refusal {
            try await owner.updateOrganization(rename, options: .key("once"))
        }
        _ = try await owner.activateOrganization(ActivateOrganizationRequest(id: school.id))
        let after = try await owner.updateOrganization(rename, options: .key("once"))

        #expect(during.reason == "org_not_active")
        #expect(after.title == "New")
    }

    @Test func `a paused organization is settled by roles above it`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("District", "School", "Branch")
        let district = try installation.user(
            Access.Grant(.owner, at: try chain[0].organizationID))
        let school = try installation.user(
            Access.Grant(.owner, at: try chain[1].organizationID))
        _ = try await owner.deactivateOrganization(
            DeactivateOrganizationRequest(id: chain[1].id))
        func rename(_ organization: Organization, to title: String) -> UpdateOrganizationRequest {
            UpdateOrganizationRequest(
                organization: Organization(id: organization.id, title: title))
        }

        let own = try await refusal {
            try await school.updateOrganization(rename(chain[1], to: "Own"))
        }
        let below = try await refusal {
            try await school.updateOrganization(rename(chain[2], to: "Below"))
        }
        let above = try await district.updateOrganization(rename(chain[1], to: "Above"))
        let staff = try await owner.updateOrganization(rename(chain[2], to: "Staff"))

        #expect(own.reason == "org_not_active")
        #expect(below.reason == "org_not_active")
        #expect(above.title == "Above")
        #expect(staff.title == "Staff")
    }
}
