import Access
import Messages
import RPC
import Storage
import Testing

@testable import Organizations

/// Preparing, committing and cancelling for workflows.
struct PreparationTests {
    private func preparation(
        _ title: String, of id: OrganizationID, below parent: String = ""
    ) -> PrepareOrganizationRequest {
        PrepareOrganizationRequest(
            id: id.text, parentID: parent, title: title, category: .academicK12, country: "US",
            origin: .sale)
    }

    @Test func `nobody but the workflow sees what is prepared`() async throws {
        let installation = try Installation()
        let (owner, partners) = (
            try installation.platformOwner(), try installation.service("partners")
        )
        let district = try await owner.create("District")
        let id: OrganizationID = installation.identifiers.next()

        let prepared = try await partners.prepareOrganization(
            preparation("School", of: id, below: district.id))

        #expect(prepared.status == .provisioning)
        #expect(prepared.effectiveState == .provisioning)
        #expect(prepared.origin == .sale)
        let get = try await refusal {
            try await owner.getOrganization(GetOrganizationRequest(id: id.text))
        }
        #expect(get.reason == "not_found")
        let list = try await owner.listOrganizations(
            ListOrganizationsRequest(parent: district.id))
        #expect(list.organizations.isEmpty)
        #expect(list.totalSize == 0)
        let seen = try await partners.getOrganization(GetOrganizationRequest(id: id.text))
        #expect(seen == prepared)
        let child = try await refusal {
            try await owner.createOrganization(.named("Class", below: id.text))
        }
        #expect(child.reason == "not_found")
        let update = try await refusal {
            try await owner.updateOrganization(
                UpdateOrganizationRequest(organization: Organization(id: id.text, title: "X")))
        }
        #expect(update.reason == "not_found")
    }

    @Test func `a title that is being prepared is taken`() async throws {
        let installation = try Installation()
        let partners = try installation.service("partners")
        let owner = try installation.platformOwner()
        _ = try await partners.prepareOrganization(
            preparation("School", of: installation.identifiers.next()))

        let created = try await refusal { try await owner.create("SCHOOL") }
        let prepared = try await refusal {
            try await partners.prepareOrganization(
                preparation("school", of: installation.identifiers.next()))
        }

        #expect(created.reason == "name_taken")
        #expect(prepared.reason == "name_taken")
    }

    @Test func `a commit makes the organization visible`() async throws {
        let installation = try Installation()
        let partners = try installation.service("partners")
        let owner = try installation.platformOwner()
        let id: OrganizationID = installation.identifiers.next()
        _ = try await partners.prepareOrganization(preparation("School", of: id))
        let request = CommitOrganizationRequest(id: id.text)

        let committed = try await partners.commitOrganization(request, options: .key("a"))
        let replayed = try await partners.commitOrganization(request, options: .key("a"))
        let again = try await partners.commitOrganization(request, options: .key("b"))

        #expect(committed.status == .active)
        #expect(committed.version == 2)
        #expect(replayed == committed)
        #expect(again == committed)
        let seen = try await owner.getOrganization(GetOrganizationRequest(id: id.text))
        #expect(seen == committed)
    }

    @Test func `a commit of what was never prepared is refused for good`() async throws {
        let installation = try Installation()
        let partners = try installation.service("partners")
        let id: OrganizationID = installation.identifiers.next()

        let refused = try await refusal {
            try await partners.commitOrganization(CommitOrganizationRequest(id: id.text))
        }

        #expect(refused.code == .notFound)
        #expect(!refused.isTransient)
    }

    @Test func `cancelling frees the title and tells the feed`() async throws {
        let installation = try Installation()
        let partners = try installation.service("partners")
        let id: OrganizationID = installation.identifiers.next()
        _ = try await partners.prepareOrganization(
            preparation("School", of: id), options: .key("step"))
        let cancellation = CancelPreparationRequest(id: id.text, preparationKey: "step")

        _ = try await partners.cancelPreparation(cancellation)
        _ = try await partners.cancelPreparation(cancellation)

        let commit = try await refusal {
            try await partners.commitOrganization(CommitOrganizationRequest(id: id.text))
        }
        #expect(commit.code == .notFound)
        let late = try await refusal {
            try await partners.prepareOrganization(
                preparation("School", of: id), options: .key("step"))
        }
        #expect(late.reason == "command_cancelled")
        _ = try await installation.platformOwner().create("School")
        let nodes = try await installation.nodes()
        #expect(nodes.map(\.removed) == [false, true, false])
        #expect(nodes.map(\.version) == [1, 2, 1])
    }

    @Test func `a preparation whose reply is gone is cancelled all the same`() async throws {
        let installation = try Installation()
        let partners = try installation.service("partners")
        let id: OrganizationID = installation.identifiers.next()
        _ = try await partners.prepareOrganization(
            preparation("School", of: id), options: .key("step"))

        for _ in 1...2 {
            try await installation.database.write { try $0.execute("DELETE FROM storage_reply") }
            _ = try await partners.cancelPreparation(
                CancelPreparationRequest(id: id.text, preparationKey: "step"))
        }

        let commit = try await refusal {
            try await partners.commitOrganization(CommitOrganizationRequest(id: id.text))
        }
        #expect(commit.code == .notFound)
        #expect(try await installation.nodes().map(\.removed) == [false, true])
        // Its title is free again.
        _ = try await installation.platformOwner().create("School")
    }

    @Test func `a preparation that arrives after its cancellation makes nothing`()
        async throws
    {
        let installation = try Installation()
        let partners = try installation.service("partners")
        let id: OrganizationID = installation.identifiers.next()

        _ = try await partners.cancelPreparation(
            CancelPreparationRequest(id: id.text, preparationKey: "step"))
        let late = try await refusal {
            try await partners.prepareOrganization(
                preparation("School", of: id), options: .key("step"))
        }

        #expect(late.reason == "command_cancelled")
        #expect(try await installation.nodes().isEmpty)
    }

    @Test func `a commit cannot be cancelled`() async throws {
        let installation = try Installation()
        let partners = try installation.service("partners")
        let id: OrganizationID = installation.identifiers.next()
        _ = try await partners.prepareOrganization(
            preparation("School", of: id), options: .key("step"))
        let committed = try await partners.commitOrganization(
            CommitOrganizationRequest(id: id.text))

        let refused = try await refusal {
            try await partners.cancelPreparation(
                CancelPreparationRequest(id: id.text, preparationKey: "step"))
        }

        #expect(refused.code == .failedPrecondition)
        let seen = try await partners.getOrganization(GetOrganizationRequest(id: id.text))
        #expect(seen == committed)
    }

    @Test func `an identifier that was used is refused`() async throws {
        let installation = try Installation()
        let partners = try installation.service("partners")
        let id: OrganizationID = installation.identifiers.next()
        _ = try await partners.prepareOrganization(
            preparation("One", of: id), options: .key("one"))

        let used = try await refusal {
            try await partners.prepareOrganization(preparation("Two", of: id))
        }
        _ = try await partners.cancelPreparation(
            CancelPreparationRequest(id: id.text, preparationKey: "one"))
        let spent = try await refusal {
            try await partners.prepareOrganization(preparation("Two", of: id))
        }

        #expect(used.reason == "identifier_taken")
        #expect(spent.reason == "identifier_taken")
    }

    @Test func `nothing is prepared below a paused organization`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let district = try await owner.create("District")
        _ = try await owner.deactivateOrganization(
            DeactivateOrganizationRequest(id: district.id))

        let refused = try await refusal {
            try await installation.service("partners").prepareOrganization(
                preparation(
                    "School", of: installation.identifiers.next(), below: district.id))
        }

        #expect(refused.reason == "org_not_active")
    }

    @Test func `every wrong field of a preparation is refused`() async throws {
        let partners = try Installation().service("partners")
        let request = PrepareOrganizationRequest(id: "x", title: "A")

        let id = try await refusal { try await partners.prepareOrganization(request) }
        let fields = try await refusal {
            try await partners.prepareOrganization(
                PrepareOrganizationRequest(id: UserID(high: 1, low: 1).text, title: ""))
        }
        let origin = try await refusal {
            try await partners.prepareOrganization(
                PrepareOrganizationRequest(
                    id: UserID(high: 1, low: 1).text, title: "A", category: .academicK12,
                    country: "US"))
        }

        #expect(id.invalidFields == ["id"])
        #expect(fields.invalidFields == ["title", "category", "country"])
        #expect(origin.invalidFields == ["origin"])
    }

    @Test(arguments: ["branding", "gateway"])
    func `other services prepare nothing`(name: String) async throws {
        let installation = try Installation()
        let service = try installation.service(name)
        let id: OrganizationID = installation.identifiers.next()

        let prepare = try await refusal {
            try await service.prepareOrganization(preparation("A", of: id))
        }
        let commit = try await refusal {
            try await service.commitOrganization(CommitOrganizationRequest(id: id.text))
        }
        let cancel = try await refusal {
            try await service.cancelPreparation(
                CancelPreparationRequest(id: id.text, preparationKey: "k"))
        }

        #expect([prepare, commit, cancel].allSatisfy { $0.code == .permissionDenied })
    }
}
