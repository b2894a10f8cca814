import Access
import Messages
import RPC
import ServiceKit
import Storage
import TestSupport
import Testing
import TreeCopy

@testable import Branding

/// What would look otherwise if an organization hung elsewhere.
struct PreviewTests {
    private let installation: Installation
    private let owner: BrandingClient
    private let organizations: BrandingClient

    init() throws {
        installation = try Installation()
        owner = try installation.platformOwner()
        organizations = try installation.service("organizations")
    }

    private func paint(_ id: OrganizationID, _ colors: Colors) async throws {
        _ = try await owner.updateAppearance(
            UpdateAppearanceRequest(organizationID: id.text, colors: colors))
    }

    private func preview(
        _ id: OrganizationID, below parent: OrganizationID?
    ) async throws -> [Messages.AppearanceChange] {
        try await organizations.previewAppearance(
            PreviewAppearanceRequest(
                organizationID: id.text, newParentID: parent?.text ?? "")
        ).changes
    }

    private func value(
        _ value: String, of id: OrganizationID?, distance: Int32
    ) -> SourcedValue {
        SourcedValue(
            value: value,
            source: ValueSource(organizationID: id?.text ?? "", distance: distance))
    }

    @Test func `every field that would hold otherwise is told, in order`() async throws {
        let one = try await installation.chain(3)
        let two = try await installation.chain(2)
        try await paint(
            one[0], Colors(primary: "#aaaaaa", advanced: ["zone": "#111111", "link": "#222222"]))
        try await paint(one[2], Colors(secondary: "#cccccc"))
        try await paint(two[1], Colors(primary: "#bbbbbb", advanced: ["area": "#333333"]))
        let logo = try await owner.setLogo(
            SetLogoRequest(
                organizationID: two[0].text, image: Images.png(width: 1, height: 1)))

        let below = try await preview(one[2], below: two[1])
        let root = try await preview(one[2], below: nil)

        let path = "/assets/\(try #require(logo.logoHash))"
        #expect(
            below == [
                .init(
                    field: "primary", from: value("#aaaaaa", of: one[0], distance: 2),
                    to: value("#bbbbbb", of: two[1], distance: 1)),
                .init(
                    field: "advanced.area", to: value("#333333", of: two[1], distance: 1)),
                .init(
                    field: "advanced.link", from: value("#222222", of: one[0], distance: 2),
                    to: value("#000003", of: nil, distance: 3)),
                .init(
                    field: "advanced.zone", from: value("#111111", of: one[0], distance: 2)),
                .init(
                    field: "logo", to: value(path, of: two[0], distance: 2)),
            ])
        #expect(
            root.map(\.field) == ["primary", "advanced.link", "advanced.zone"])
        #expect(root.first?.to == value("#000001", of: nil, distance: 1))
    }

    @Test func `the same value of another organization is a change, distance alone is none`()
        async throws
    {
        let one = try await installation.chain(3)
        let two = try await installation.chain(2)
        for id in [one[0], two[0]] { try await paint(id, Colors(primary: "#aaaaaa")) }

        let elsewhere = try await preview(one[2], below: two[1])
        let nearer = try await preview(one[2], below: one[0])
        let same = try await preview(one[2], below: one[1])
        let root = try await preview(one[0], below: nil)

        #expect(elsewhere.map(\.field) == ["primary"])
        #expect(elsewhere.first?.from == value("#aaaaaa", of: one[0], distance: 2))
        #expect(elsewhere.first?.to == value("#aaaaaa", of: two[0], distance: 2))
        #expect(nearer.isEmpty && same.isEmpty && root.isEmpty)
    }

    @Test func `what white label keeps from counting is no change`() async throws {
        let school = try await installation.organization()
        let one = try await installation.organization()
        try await paint(one, Colors(primary: "#aaaaaa"))
        _ = try await owner.setWhiteLabel(
            SetWhiteLabelRequest(organizationID: one.text, enabled: false))

        let off = try await preview(school, below: one)
        _ = try await owner.setWhiteLabel(
            SetWhiteLabelRequest(organizationID: one.text, enabled: true))
        let on = try await preview(school, below: one)

        #expect(off.isEmpty)
        #expect(on.map(\.field) == ["primary"])
    }

    @Test(arguments: 0..<20)
    func `it tells what the effective appearance is before and after the move`(
        seed: UInt64
    ) async throws {
        var random = SplitMix(seed: seed)
        let origins: [OrganizationOrigin] = [.manual, .sale, .import]
        var nodes: [(id: OrganizationID, parent: OrganizationID?)] = []
        for _ in 0..<8 {
            let parent = Bool.random(using: &random) ? nodes.randomElement(using: &random)?.id : nil
            let origin = origins.randomElement(using: &random) ?? .manual
            nodes.append((try await installation.organization(origin, below: parent), parent))
        }
        for node in nodes where Bool.random(using: &random) {
            _ = try await owner.setWhiteLabel(
                SetWhiteLabelRequest(organizationID: node.id.text, enabled: true))
            let color = "#\(100_000 + Int.random(in: 0..<900_000, using: &random))"
            let further = Bool.random(using: &random) ? ["a": color] : [:]
            try await paint(node.id, Colors(primary: color, advanced: further))
        }
        // What was made last has nothing below it: it fits everywhere.
        let moved = nodes[7]
        let target = Bool.random(using: &random) ? nodes[..<7].randomElement(using: &random) : nil

        let told = try await preview(moved.id, below: target?.id)
        let before = try await owner.effective(moved.id)
        installation.upstream.tell(
            OrganizationNode(
                id: moved.id.text, parentID: target?.id.text ?? "", title: "Moved",
                status: .active, origin: try await origin(of: moved.id), version: 2))
        try await installation.upstream.deliver(to: installation.database)
        let after = try await owner.effective(moved.id)

        let fields = Set(before.keys).union(after.keys)
        let different = fields.filter { field in
            let (old, new) = (before[field], after[field])
            return old?.value != new?.value
                || old?.source?.organizationID != new?.source?.organizationID
        }
        #expect(Set(told.map(\.field)) == different)
        for change in told {
            #expect(change.from == before[change.field] && change.to == after[change.field])
        }
    }

    private func origin(of id: OrganizationID) async throws -> OrganizationOrigin {
        try await installation.database.read { snapshot in
            try TreeCopy.path(of: id, in: snapshot, on: CalendarDay(daysSince1970: 0))?.node.origin
        } ?? .unspecified
    }

    @Test func `what Organizations has said by now is waited for`() async throws {
        let chain = try await installation.chain(2)
        let new = try await installation.organization(isKnown: false)
        try await paint(chain[0], Colors(primary: "#aaaaaa"))
        // The copy here still has it below the first.
        installation.upstream.tell(
            OrganizationNode(
                id: chain[1].text, title: "Root", status: .active, origin: .manual, version: 2))

        let below = try await preview(new, below: chain[0])
        let moved = try await preview(chain[1], below: chain[0])

        #expect(below.map(\.field) == ["primary"])
        #expect(moved.first?.from == value("#000001", of: nil, distance: 1))
        #expect(moved.first?.to == value("#aaaaaa", of: chain[0], distance: 1))
    }

    @Test func `what is unknown is not found, and a circle is none`() async throws {
        let chain = try await installation.chain(2)
        let nobody: OrganizationID = installation.identifiers.next()

        let organization = try await refusal { try await preview(nobody, below: chain[0]) }
        let parent = try await refusal { try await preview(chain[0], below: nobody) }
        let itself = try await refusal { try await preview(chain[0], below: chain[0]) }
        let below = try await refusal { try await preview(chain[0], below: chain[1]) }

        #expect(organization.reason == "not_found" && parent.reason == "not_found")
        #expect(itself.invalidFields == ["new_parent_id"])
        #expect(below.invalidFields == ["new_parent_id"])
    }

    @Test func `without Organizations nothing is told of what may be elsewhere by now`()
        async throws
    {
        let chain = try await installation.chain(2)
        installation.upstream.setReachable(false)

        let refused = try await refusal { try await preview(chain[1], below: nil) }

        #expect(refused.code == .unavailable)
    }

    @Test func `nobody but Organizations asks`() async throws {
        let chain = try await installation.chain(2)
        let request = PreviewAppearanceRequest(organizationID: chain[1].text)

        for client in [owner, try installation.service("partners")] {
            let refused = try await refusal { try await client.previewAppearance(request) }
            #expect(refused.code == .permissionDenied)
        }
        let stranger = try await refusal {
            try await installation.stranger().previewAppearance(request)
        }
        #expect(stranger.code == .unauthenticated)
    }

    @Test func `Organizations learns whether white label is on`() async throws {
        let (sold, made) = (
            try await installation.organization(.sale), try await installation.organization()
        )

        let off = try await organizations.getAppearance(.init(organizationID: sold.text))
        let on = try await organizations.getAppearance(.init(organizationID: made.text))

        #expect(!off.whiteLabel && on.whiteLabel)
    }
}

extension BrandingClient {
    /// The effective values by the names of their fields.
    fileprivate func effective(_ id: OrganizationID) async throws -> [String: SourcedValue] {
        let found = try await getEffectiveAppearance(.init(organizationID: id.text))
        var values: [String: SourcedValue] = [:]
        values["primary"] = found.primary
        values["secondary"] = found.secondary
        values["logo"] = found.logo
        for (name, value) in found.advanced { values["advanced.\(name)"] = value }
        return values
    }
}
