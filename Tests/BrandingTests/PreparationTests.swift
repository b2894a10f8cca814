import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Branding

/// The appearance of an organization that is being sold.
struct PreparationTests {
    private func preparation(
        _ id: OrganizationID, _ colors: Colors? = Colors(primary: "#abcdef")
    ) -> PrepareAppearanceRequest {
        PrepareAppearanceRequest(organizationID: id.text, colors: colors)
    }

    @Test func `colors are prepared before the organization is there`() async throws {
        let installation = try Installation()
        let id: OrganizationID = installation.identifiers.next()
        let partners = try installation.service("partners")

        let prepared = try await partners.prepareAppearance(preparation(id))

        #expect(prepared.whiteLabel)
        #expect(prepared.colors?.primary == "#abcdef")
        installation.upstream.tell(
            OrganizationNode(id: id.text, title: "New", status: .active, origin: .sale, version: 1))
        let effective = try await installation.platformOwner().getEffectiveAppearance(
            GetEffectiveAppearanceRequest(organizationID: id.text))
        #expect(effective.primary?.value == "#abcdef")
        #expect(effective.primary?.source?.distance == 0)
    }

    @Test func `a sale without colors leaves the organization as its origin says`()
        async throws
    {
        let installation = try Installation()
        let id = try await installation.organization(.sale)

        let prepared = try await installation.service("partners").prepareAppearance(
            preparation(id, nil))

        #expect(!prepared.whiteLabel)
        let own = try await installation.platformOwner().getAppearance(
            GetAppearanceRequest(organizationID: id.text))
        #expect(!own.whiteLabel)
    }

    @Test func `cancelling takes everything back, and once`() async throws {
        let installation = try Installation()
        let id = try await installation.organization(.sale)
        let partners = try installation.service("partners")
        _ = try await partners.prepareAppearance(preparation(id), options: .key("step"))
        let cancellation = CancelAppearanceRequest(
            organizationID: id.text, preparationKey: "step")

        _ = try await partners.cancelAppearance(cancellation)
        _ = try await partners.cancelAppearance(cancellation)

        let late = try await refusal {
            try await partners.prepareAppearance(preparation(id), options: .key("step"))
        }
        #expect(late.reason == "command_cancelled")
        let events = try await installation.events()
        #expect(events.map(\.version) == [1, 2])
        #expect(events.last?.colors == Colors())
        #expect(events.last?.whiteLabel == false)
        let again = try await partners.prepareAppearance(preparation(id))
        #expect(again.version == 3)
    }

    @Test func `what was prepared goes all the same when its reply is gone, and once`()
        async throws
    {
        let installation = try Installation()
        let id = try await installation.organization(.sale)
        let partners = try installation.service("partners")
        _ = try await partners.prepareAppearance(preparation(id), options: .key("step"))

        for _ in 1...2 {
            try await installation.database.write { try $0.execute("DELETE FROM storage_reply") }
            _ = try await partners.cancelAppearance(
                CancelAppearanceRequest(organizationID: id.text, preparationKey: "step"))
        }

        let events = try await installation.events()
        #expect(events.map(\.version) == [1, 2])
        #expect(events.last?.colors == Colors())
    }

    @Test func `a preparation that arrives after its cancellation makes nothing`()
        async throws
    {
        let installation = try Installation()
        let id: OrganizationID = installation.identifiers.next()
        let partners = try installation.service("partners")

        _ = try await partners.cancelAppearance(
            CancelAppearanceRequest(organizationID: id.text, preparationKey: "step"))
        let late = try await refusal {
            try await partners.prepareAppearance(preparation(id), options: .key("step"))
        }

        #expect(late.reason == "command_cancelled")
        #expect(try await installation.events().isEmpty)
    }

    @Test func `what somebody has set is not overwritten`() async throws {
        let installation = try Installation()
        let id = try await installation.organization()
        let owner = try installation.platformOwner()
        let own = try await owner.updateAppearance(
            UpdateAppearanceRequest(
                organizationID: id.text, colors: Colors(primary: "#aaaaaa")))

        let refused = try await refusal {
            try await installation.service("partners").prepareAppearance(preparation(id))
        }

        #expect(refused.code == .failedPrecondition)
        let kept = try await owner.getAppearance(GetAppearanceRequest(organizationID: id.text))
        #expect(kept == own)
    }

    @Test func `the two colors with a place of their own do not count among the further ones`()
        async throws
    {
        let installation = try Installation()
        let id: OrganizationID = installation.identifiers.next()
        let further = (1...Color.furtherMax).map { ("shade-\($0)", "#00ff00") }

        let prepared = try await installation.service("partners").prepareAppearance(
            preparation(
                id,
                Colors(
                    primary: "#abcdef", secondary: "#fedcba",
                    advanced: Dictionary(uniqueKeysWithValues: further))))

        #expect(prepared.colors?.advanced.count == Color.furtherMax)
    }

    @Test func `a preparation with a wrong color is refused for good`() async throws {
        let installation = try Installation()

        let refused = try await refusal {
            try await installation.service("partners").prepareAppearance(
                preparation(installation.identifiers.next(), Colors(secondary: "blue")))
        }

        #expect(refused.invalidFields == ["colors.secondary"])
        #expect(!refused.isTransient)
    }

    @Test func `nobody but the workflows of Partners prepares`() async throws {
        let installation = try Installation()
        let id: OrganizationID = installation.identifiers.next()

        for client in [try installation.platformOwner(), try installation.service("membership")] {
            let prepare = try await refusal {
                try await client.prepareAppearance(preparation(id))
            }
            let cancel = try await refusal {
                try await client.cancelAppearance(
                    CancelAppearanceRequest(organizationID: id.text, preparationKey: "k"))
            }
            #expect(prepare.code == .permissionDenied)
            #expect(cancel.code == .permissionDenied)
        }
    }

    @Test func `people do not follow the feed`() async throws {
        let installation = try Installation()

        let head = try await refusal {
            try await installation.platformOwner().getFeedHead(GetFeedHeadRequest())
        }
        let service = try await installation.service("partners").getFeedHead(
            GetFeedHeadRequest())

        #expect(head.code == .permissionDenied)
        #expect(service.incarnation == installation.database.incarnation)
    }
}
