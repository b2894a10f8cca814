import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Deleting archives: what happens to an organization, to what hangs below it and to its name.
struct ArchiveTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    @Test func `an organization with children is kept unless all go`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("District", "School", "Class")

        let refused = try await refusal { try await owner.delete(chain[0]) }
        let archived = try await owner.delete(chain[0], cascade: true)

        #expect(refused.reason == "has_children")
        #expect(archived.effectiveState == .archived)
        #expect(archived.archivedAt == Timestamp(installation.clock.now))
        for organization in chain {
            #expect(try await owner.get(organization).effectiveState == .archived)
        }
        let nodes = try await installation.nodes().suffix(3)
        #expect(nodes.allSatisfy { $0.archived && !$0.removed && $0.status == .active })
        #expect(nodes.map(\.title) == ["District", "School", "Class"])
    }

    @Test func `to its people it is no longer there`() async throws {
        let platform = try installation.platformOwner()
        let chain = try await platform.chain("District", "School")
        let owner = try installation.user(Access.Grant(.owner, at: try chain[0].organizationID))
        _ = try await owner.delete(chain[1])

        let get = try await refusal { try await owner.get(chain[1]) }
        let update = try await refusal {
            try await owner.update(chain[1], paths: ["title"]) { $0.title = "X" }
        }
        let list = try await owner.listOrganizations(
            ListOrganizationsRequest(parent: chain[0].id))
        let archive = try await owner.listOrganizations(
            ListOrganizationsRequest(state: .archived))

        #expect(get.reason == "not_found" && update.reason == "not_found")
        #expect(list.organizations.isEmpty && list.totalSize == 0)
        #expect(archive.organizations.isEmpty)
    }

    @Test func `those who may restore find it in the archive, the latest first`() async throws {
        let owner = try installation.platformOwner()
        var made: [Organization] = []
        for title in ["a", "b", "c"] { made.append(try await owner.create(title)) }
        for organization in [made[1], made[2], made[0]] {
            installation.clock.advance(by: .seconds(1))
            _ = try await owner.delete(organization)
        }

        let pages = try await owner.pages(below: nil, size: 2, orderBy: "") {
            $0.state = .archived
        }
        let live = try await owner.listOrganizations(ListOrganizationsRequest())
        let update = try await refusal {
            try await owner.update(made[0], paths: ["title"]) { $0.title = "X" }
        }

        #expect(pages.flatMap(\.organizations).map(\.title) == ["a", "c", "b"])
        #expect(live.organizations.isEmpty && live.totalSize == 0)
        #expect(update.reason == "wrong_state" && update.message.contains("archive"))
    }

    @Test func `who sees the archive reads what is there, and changes nothing but by a restore`()
        async throws
    {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        let other = try await owner.create("Other")
        let channel = try installation.channel([Access.Grant(.platformOwner)])
        let (hooks, contacts) = (HooksClient(channel), ContactsClient(channel))
        let (urls, discounts) = (CustomUrlsClient(channel), MemberDiscountsClient(channel))
        let hook = try #require(try await hooks.create(at: school).hook)
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: school.id, value: "school.example"))
        _ = try await owner.delete(school)

        let id = school.id
        #expect(try await owner.get(school).effectiveState == .archived)
        #expect(try await hooks.listHooks(.init(organizationID: id)).hooks.map(\.id) == [hook.id])
        _ = try await hooks.listHookDeliveries(.init(organizationID: id, hookID: hook.id))
        #expect(try await contacts.getContactReceivers(.init(organizationID: id)).own.isEmpty)
        #expect(try await urls.listCustomUrls(.init(organizationID: id)).customURLs.isEmpty)
        #expect(try await owner.listEmailMasks(.init(organizationID: id)).emailMasks.isEmpty)
        _ = try await discounts.getMemberDiscount(.init(organizationID: id))

        let refusals = [
            try await refusal { try await owner.delete(school) },
            try await refusal { try await owner.activateOrganization(.init(id: id)) },
            try await refusal { try await owner.deactivateOrganization(.init(id: id)) },
            try await refusal {
                try await owner.moveOrganization(.init(id: id, newParentID: other.id))
            },
            try await refusal { try await hooks.create(at: school) },
            try await refusal {
                try await hooks.testHook(.init(organizationID: id, id: hook.id))
            },
            try await refusal {
                try await contacts.setContactReceivers(.init(organizationID: id))
            },
            try await refusal {
                try await discounts.setMemberDiscount(.init(organizationID: id))
            },
            try await refusal {
                try await owner.createEmailMask(.init(organizationID: id, value: "b.example"))
            },
        ]
        let below = [
            try await refusal { try await owner.create("Class", below: school) },
            try await refusal {
                try await owner.moveOrganization(.init(id: other.id, newParentID: id))
            },
        ]

        #expect(refusals.map(\.reason) == Array(repeating: "wrong_state", count: 9))
        #expect(refusals.allSatisfy { $0.message.contains("archive") })
        #expect(below.map(\.reason) == ["parent_archived", "parent_archived"])
        _ = try await owner.restoreOrganization(.init(id: id))
        _ = try await owner.create("Class", below: school)
    }

    @Test func `who sees the archive lists what is below a parent there, and nobody else`()
        async throws
    {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("District", "School")
        _ = try await owner.delete(chain[0], cascade: true)
        let (id, district) = (chain[0].id, try #require(OrganizationID(text: chain[0].id)))

        let present = try await owner.listOrganizations(ListOrganizationsRequest(parent: id))
        let archived = try await owner.listOrganizations(
            ListOrganizationsRequest(parent: id, state: .archived))
        #expect(present.organizations.isEmpty)
        #expect(archived.organizations.map(\.id) == [chain[1].id])

        for stranger in [
            try installation.user(Access.Grant(.owner, at: district)),
            try installation.service("partners"),
        ] {
            let refused = try await refusal {
                try await stranger.listOrganizations(ListOrganizationsRequest(parent: id))
            }
            #expect(refused.reason == "not_found")
        }
    }

    @Test func `services find nothing of the archive to change or to put something below`()
        async throws
    {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        _ = try await owner.delete(school)
        let partners = try installation.service("partners")

        let refused = try await refusal {
            try await partners.prepareOrganization(
                PrepareOrganizationRequest(
                    id: installation.identifiers.next(OrganizationID.self).text,
                    parentID: school.id, title: "Sold", category: .academicK12, country: "US",
                    origin: .sale), options: .key("sold"))
        }

        #expect(refused.reason == "not_found")
    }

    @Test func `its title and its domains are free`() async throws {
        let owner = try installation.platformOwner()
        let first = try await owner.create("School")
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: first.id, value: "school.example"))
        _ = try await owner.delete(first)

        let second = try await owner.create("School")
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: second.id, value: "school.example"))

        let resolved = try await installation.service("membership").resolveEmail(
            ResolveEmailRequest(email: "a@school.example"))
        #expect(resolved.organizationID == second.id)
    }

    @Test func `the answer waits until nobody is admitted there`() async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        installation.acknowledgements.setReachable(false)

        let unanswered = try await refusal {
            try await owner.deleteOrganization(
                DeleteOrganizationRequest(id: school.id), options: .key("delete"))
        }
        installation.acknowledgements.setReachable(true)
        let replayed = try await owner.deleteOrganization(
            DeleteOrganizationRequest(id: school.id), options: .key("delete"))

        #expect(unanswered.reason == "not_acknowledged")
        #expect(replayed.effectiveState == .archived)
        let head = try await installation.database.feed.events(after: 0, limit: 10).last
        #expect(installation.acknowledgements.heads.last?.sequence == head?.sequence)
    }

    @Test func `an owner deletes, a manager does not`() async throws {
        let platform = try installation.platformOwner()
        let school = try await platform.create("School")
        let manager = try installation.user(Access.Grant(.manager, at: try school.organizationID))
        let owner = try installation.user(Access.Grant(.owner, at: try school.organizationID))

        let refused = try await refusal { try await manager.delete(school) }
        let archived = try await owner.delete(school)

        #expect(refused.reason == "forbidden")
        #expect(archived.effectiveState == .archived)
    }

    @Test func `more at once than the limit are refused, and nothing is archived`()
        async throws
    {
        var limits = Limits()
        limits.archiveMax = 3
        let installation = try Installation(limits: limits)
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("1", "2", "3", "4")

        let refused = try await refusal { try await owner.delete(chain[0], cascade: true) }
        let archived = try await owner.delete(chain[1], cascade: true)

        #expect(refused.reason == "validation")
        #expect(archived.effectiveState == .archived)
        #expect(try await owner.get(chain[0]).effectiveState == .active)
    }

    @Test func `a clock that jumps by years takes nothing out of the archive`() async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        try await installation.database.noteRunningTime(at: installation.clock.now)
        _ = try await owner.delete(school, cascade: true)

        for _ in 1...10 {
            installation.jump(by: .seconds(365 * 86_400))
            try await installation.database.noteRunningTime(at: installation.clock.now)
            try await installation.upkeep().round(at: installation.clock.now)
        }

        #expect(try await owner.get(school).effectiveState == .archived)
    }

    @Test func `after 90 days it is gone for good, and its identifier stays spent`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("District", "School")
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: chain[1].id, value: "school.example"))
        _ = try await owner.delete(chain[0], cascade: true)
        let day: Duration = .seconds(86_400)
        installation.clock.advance(by: .milliseconds(1))
        try await installation.database.noteRunningTime(at: installation.clock.now)

        installation.clock.advance(by: day * 90 - .milliseconds(1))
        try await installation.upkeep().round(at: installation.clock.now)
        let kept = try await owner.get(chain[1])
        installation.clock.advance(by: .milliseconds(1))
        try await installation.upkeep().round(at: installation.clock.now)
        let gone = try await refusal { try await owner.get(chain[1]) }
        let archive = try await owner.listOrganizations(ListOrganizationsRequest(state: .archived))
        let restore = try await refusal {
            try await owner.restoreOrganization(RestoreOrganizationRequest(id: chain[0].id))
        }

        #expect(kept.effectiveState == .archived && kept.title == "School")
        #expect(gone.reason == "not_found" && restore.reason == "not_found")
        #expect(archive.organizations.isEmpty)
        let told = try await installation.nodes().suffix(2)
        #expect(told.allSatisfy { $0.removed && !$0.archived && $0.title == "-" })
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `counts of lists follow`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("1", "2", "3")
        _ = try await owner.create("4", below: chain[0])
        _ = try await owner.delete(chain[1], cascade: true)

        let below = try await owner.listOrganizations(
            ListOrganizationsRequest(parent: chain[0].id))
        let all = try await owner.listOrganizations(ListOrganizationsRequest(subtree: true))
        let findings = try await installation.findings()

        #expect(below.totalSize == 1 && below.organizations.map(\.title) == ["4"])
        #expect(all.totalSize == 2)
        #expect(findings.isEmpty)
    }
}

extension OrganizationsClient {
    func delete(_ organization: Organization, cascade: Bool = false) async throws -> Organization {
        try await deleteOrganization(
            DeleteOrganizationRequest(id: organization.id, cascade: cascade))
    }
}
