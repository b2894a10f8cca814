import Access
import Messages
import RPC
import Testing

@testable import Organizations

/// Who may do what, and what is not told.
struct PermissionTests {
    @Test(arguments: [
        (Access.Role.platformOwner, true), (.globalAdmin, true), (.platformAdmin, true),
        (.partner, true), (.reseller, true), (.owner, false), (.orgAdmin, false),
        (.manager, false), (.teacher, false), (.member, false),
    ])
    func `roots are created by people of the platform and by sellers`(
        role: Access.Role, isAllowed: Bool
    ) async throws {
        let user = try Installation().user(Access.Grant(role))

        let outcome = await Result { try await user.create("Root") }

        #expect(((try? outcome.get()) != nil) == isAllowed)
        if isAllowed {
            let isSeller = role == .partner || role == .reseller
            #expect(try outcome.get().origin == (isSeller ? .partner : .manual))
        }
    }

    @Test func `outside of the scope everything is as unknown as what does not exist`()
        async throws
    {
        let installation = try Installation()
        let platform = try installation.platformOwner()
        let (mine, other) = (try await platform.create("Mine"), try await platform.create("Other"))
        let owner = try installation.user(Access.Grant(.owner, at: try mine.organizationID))
        let nobody: OrganizationID = installation.identifiers.next()

        var answers: [[Status]] = []
        for id in [other.id, nobody.text] {
            answers.append([
                try await refusal {
                    try await owner.getOrganization(GetOrganizationRequest(id: id))
                },
                try await refusal {
                    try await owner.listOrganizations(ListOrganizationsRequest(parent: id))
                },
                try await refusal {
                    try await owner.createOrganization(.named("A", below: id))
                },
                try await refusal {
                    try await owner.updateOrganization(
                        UpdateOrganizationRequest(organization: Organization(id: id, title: "A")))
                },
                try await refusal {
                    try await owner.activateOrganization(ActivateOrganizationRequest(id: id))
                },
                try await refusal {
                    try await owner.deactivateOrganization(DeactivateOrganizationRequest(id: id))
                },
                try await refusal {
                    try await owner.createEmailMask(
                        CreateEmailMaskRequest(organizationID: id, value: "a.com"))
                },
                try await refusal {
                    try await owner.listEmailMasks(ListEmailMasksRequest(organizationID: id))
                },
            ])
        }

        #expect(answers[0] == answers[1])
        #expect(answers[0].allSatisfy { $0.code == .notFound && $0.reason == "not_found" })
    }

    @Test func `a member sees its organization and changes nothing`() async throws {
        let installation = try Installation()
        let platform = try installation.platformOwner()
        let chain = try await platform.chain("District", "School", "Class")
        let member = try installation.user(
            Access.Grant(.member, at: try chain[1].organizationID))

        let seen = try await member.getOrganization(GetOrganizationRequest(id: chain[1].id))
        let child = try await refusal { try await member.create("A", below: chain[1]) }
        let below = try await refusal {
            try await member.getOrganization(GetOrganizationRequest(id: chain[2].id))
        }
        let above = try await refusal {
            try await member.getOrganization(GetOrganizationRequest(id: chain[0].id))
        }

        #expect(seen.title == "School")
        #expect(child.reason == "forbidden")
        #expect(below.reason == "not_found")
        #expect(above.reason == "not_found")
    }

    @Test func `a manager changes the title alone`() async throws {
        let installation = try Installation()
        let school = try await installation.platformOwner().create("School")
        let manager = try installation.user(
            Access.Grant(.manager, at: try school.organizationID))

        let renamed = try await manager.updateOrganization(
            UpdateOrganizationRequest(organization: Organization(id: school.id, title: "New")))
        let refused = try await refusal {
            try await manager.updateOrganization(
                UpdateOrganizationRequest(
                    organization: Organization(id: school.id, title: "A", country: "FR")))
        }

        #expect(renamed.title == "New")
        #expect(refused.reason == "forbidden")
    }

    @Test(arguments: [Access.Role.manager, .orgAdmin, .owner])
    func `what was read is sent back with a change of what the role may change`(
        role: Access.Role
    ) async throws {
        let installation = try Installation()
        let platform = try installation.platformOwner()
        var request = CreateOrganizationRequest.named("School")
        request.externalID = "school-1"
        request.expiresAt = "2030-01-01"
        request.salesRepEmail = "rep@example.org"
        let school = try await platform.createOrganization(request)
        let user = try installation.user(Access.Grant(role, at: try school.organizationID))
        let everything = FieldMask(paths: [
            "title", "description", "category", "country", "kind", "sales_rep_email", "services",
            "type_id", "trial", "expires_at", "external_id",
        ])

        let sent = try await user.get(school)
        let same = try await user.updateOrganization(
            UpdateOrganizationRequest(organization: sent, updateMask: everything))
        let renamed = try await user.updateOrganization(
            UpdateOrganizationRequest(
                organization: Organization(
                    id: sent.id, title: "New", category: sent.category, country: sent.country,
                    salesRepEmail: sent.salesRepEmail, expiresAt: sent.expiresAt,
                    externalID: sent.externalID),
                updateMask: everything))
        let refused = try await refusal {
            try await user.updateOrganization(
                UpdateOrganizationRequest(
                    organization: Organization(id: school.id, expiresAt: "2030-01-02")))
        }

        #expect(same.version == school.version)
        #expect(renamed.title == "New" && renamed.expiresAt == "2030-01-01")
        #expect(refused.reason == "forbidden")
    }

    @Test func `an administrator pauses what is below, not the own organization`()
        async throws
    {
        let installation = try Installation()
        let chain = try await installation.platformOwner().chain("District", "School")
        let admin = try installation.user(
            Access.Grant(.orgAdmin, at: try chain[0].organizationID))

        let below = try await admin.deactivateOrganization(
            DeactivateOrganizationRequest(id: chain[1].id))
        let own = try await refusal {
            try await admin.deactivateOrganization(
                DeactivateOrganizationRequest(id: chain[0].id))
        }

        #expect(below.status == .inactive)
        #expect(own.reason == "forbidden")
    }

    @Test func `an owner pauses the own organization`() async throws {
        let installation = try Installation()
        let school = try await installation.platformOwner().create("School")
        let owner = try installation.user(Access.Grant(.owner, at: try school.organizationID))

        let paused = try await owner.deactivateOrganization(
            DeactivateOrganizationRequest(id: school.id))

        #expect(paused.status == .inactive)
    }

    @Test func `services change nothing in their own name`() async throws {
        let installation = try Installation()
        let school = try await installation.platformOwner().create("School")
        let membership = try installation.service("membership")

        let create = try await refusal { try await membership.create("A", below: school) }
        let pause = try await refusal {
            try await membership.deactivateOrganization(
                DeactivateOrganizationRequest(id: school.id))
        }

        #expect(create.code == .permissionDenied)
        #expect(pause.code == .permissionDenied)
    }

    @Test func `people neither follow the feed nor resolve addresses`() async throws {
        let owner = try Installation().platformOwner()

        let watch = try await refusal { try await owner.watch(WatchRequest()) { _ in } }
        let head = try await refusal { try await owner.getFeedHead(GetFeedHeadRequest()) }
        let email = try await refusal {
            try await owner.resolveEmail(ResolveEmailRequest(email: "ada@company.com"))
        }

        #expect([watch, head, email].allSatisfy { $0.code == .permissionDenied })
    }

    @Test func `whoever does not say who calls is not answered`() async throws {
        let installation = try Installation()
        let school = try await installation.platformOwner().create("School")

        let refused = try await refusal {
            try await installation.stranger().getOrganization(
                GetOrganizationRequest(id: school.id))
        }

        #expect(refused.code == .unauthenticated)
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
