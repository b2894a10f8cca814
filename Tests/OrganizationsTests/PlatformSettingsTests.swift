import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Organizations

/// Settings of the platform.
struct PlatformSettingsTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    private func platform(_ role: Access.Role = .globalAdmin) throws -> PlatformClient {
        PlatformClient(try installation.channel([Access.Grant(role)]))
    }

    private func setGlobal() async throws {
        _ = try await platform().updatePlatformSettings(
            .init(settings: PlatformSettings(nameScope: .global)))
    }

    @Test func `nothing comes back from the archive under a title that is taken by then`()
        async throws
    {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("District", "School")
        _ = try await owner.delete(chain[0], cascade: true)
        let other = try await owner.create("Other")
        _ = try await owner.create("School", below: other)
        try await setGlobal()

        let refused = try await refusal {
            try await owner.restoreOrganization(RestoreOrganizationRequest(id: chain[0].id))
        }

        #expect(refused.reason == "name_taken")
        #expect(try await owner.get(chain[0]).effectiveState == .archived)
        #expect(await installation.people.restored.isEmpty)
    }

    @Test func `titles are unique among siblings until it is set otherwise`() async throws {
        let before = try await platform().getPlatformSettings(.init())

        let after = try await platform().updatePlatformSettings(
            .init(
                settings: PlatformSettings(
                    nameScope: .global, contactReceivers: ["a@example.org", "A@example.org"],
                    etag: before.etag)))
        let stale = try await refusal {
            try await platform().updatePlatformSettings(
                .init(settings: PlatformSettings(nameScope: .siblings, etag: before.etag)))
        }

        #expect(before.nameScope == .siblings && before.contactReceivers.isEmpty)
        #expect(before.etag == "v1" && before.updatedAt == nil)
        #expect(after.nameScope == .global && after.contactReceivers == ["a@example.org"])
        #expect(after.version == 2 && after.updatedAt != nil)
        #expect(stale.reason == "version_mismatch")
        #expect(try await platform().getPlatformSettings(.init()) == after)
    }

    @Test func `receivers are never taken away again`() async throws {
        _ = try await platform().updatePlatformSettings(
            .init(settings: PlatformSettings(contactReceivers: ["a@example.org"])))

        let empty = try await refusal {
            try await platform().updatePlatformSettings(
                .init(
                    settings: PlatformSettings(),
                    updateMask: FieldMask(paths: ["contact_receivers"])))
        }
        let wrong = try await refusal {
            try await platform().updatePlatformSettings(
                .init(
                    settings: PlatformSettings(contactReceivers: ["a"]),
                    updateMask: FieldMask(paths: ["name_scope", "contact_receivers"])))
        }
        let unknown = try await refusal {
            try await platform().updatePlatformSettings(
                .init(updateMask: FieldMask(paths: ["etag", "color"])))
        }
        let implied = try await refusal {
            try await platform().updatePlatformSettings(
                .init(updateMask: FieldMask(paths: ["etag", "color"])), options: .impliedMask)
        }

        #expect(empty.invalidFields == ["settings.contact_receivers"])
        #expect(wrong.invalidFields == ["settings.name_scope", "settings.contact_receivers"])
        #expect(unknown.invalidFields == ["update_mask", "update_mask"])
        #expect(implied.invalidFields == ["update_mask"])
    }

    @Test func `on the whole platform a title is taken for creation, change and preparation`()
        async throws
    {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("District", "School")
        let other = try await owner.create("Other")
        let partners = try installation.service("partners")
        try await setGlobal()

        let created = try await refusal { try await owner.create("SCHOOL", below: other) }
        let changed = try await refusal {
            try await owner.update(other, paths: ["title"]) { $0.title = "school" }
        }
        let prepared = try await refusal {
            try await partners.prepareOrganization(
                PrepareOrganizationRequest(
                    id: OrganizationID(high: 1, low: 1).text, title: "School",
                    category: .academicK12, country: "US", origin: .sale))
        }
        _ = try await partners.prepareOrganization(
            PrepareOrganizationRequest(
                id: OrganizationID(high: 1, low: 2).text, title: "Prepared",
                category: .academicK12, country: "US", origin: .sale))
        let reserved = try await refusal { try await owner.create("prepared", below: other) }
        let same = try await owner.update(chain[1], paths: ["title", "description"]) {
            $0.description = "The only one."
        }
        let respelled = try await owner.update(chain[1], paths: ["title"]) { $0.title = "SCHOOL" }

        for refused in [created, changed, prepared, reserved] {
            #expect(refused.reason == "name_taken")
            #expect(
                refused.message == """
                    An organization with this name already exists. Please, type another name for \
                    your organization.
                    """)
        }
        #expect(same.description == "The only one." && respelled.title == "SCHOOL")
    }

    @Test func `names that are there stay, and the archive frees them`() async throws {
        let owner = try installation.platformOwner()
        let (one, other) = (try await owner.create("One"), try await owner.create("Other"))
        let first = try await owner.create("School", below: one)
        let second = try await owner.create("School", below: other)
        try await setGlobal()

        let kept = try await owner.update(second, paths: ["country"]) { $0.country = "DE" }
        _ = try await owner.delete(first)
        _ = try await owner.delete(second)
        let third = try await owner.create("School", below: one)

        #expect(kept.country == "DE")
        #expect(third.title == "School")
    }

    @Test(arguments: [
        (Access.Role.platformOwner, true), (.globalAdmin, true), (.platformAdmin, false),
        (.partner, false), (.owner, false), (.member, false),
    ])
    func `who reads and changes them`(role: Access.Role, isAllowed: Bool) async throws {
        let platform = try platform(role)

        let get = await answer { try await platform.getPlatformSettings(.init()) }
        let update = await answer { try await platform.updatePlatformSettings(.init()) }

        #expect((get != nil) == isAllowed)
        #expect((update != nil) == isAllowed)
    }
}
