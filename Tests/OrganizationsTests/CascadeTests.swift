import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Deleting many organizations at once.
struct CascadeTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    /// Makes organizations below one, ten to each parent, the first of them the numbers 2 and on.
    private func fill(below top: Organization, _ count: Int64) async throws {
        let now = installation.clock.now
        let root = try top.organizationID
        try await installation.database.write { transaction in
            var lines = [Line(try transaction.levels(to: root), on: now.day)]
            for number in 2..<(2 + count) {
                let above = lines[Int(number - 2) / 10]
                let (details, _) = try Details.new(
                    DetailsInput(title: "School \(number)", category: 1, country: "US"),
                    today: now.day)
                let node = Node(
                    id: OrganizationID(high: 1, low: UInt64(number)), number: number,
                    below: above, details, standing: .present, origin: .manual, at: now)
                try transaction.insert(node, below: above.end.id, by: "test")
                lines.append(Line(below: above, node.level, on: now.day))
            }
        }
    }

    @Test func `a whole tree goes with all that its organizations have, and comes back`()
        async throws
    {
        let owner = try installation.platformOwner()
        let urls = CustomUrlsClient(try installation.channel([Access.Grant(.platformOwner)]))
        let top = try await owner.create("Top")
        try await fill(below: top, 400)
        let beside = try await owner.create("Beside")
        let (first, last) = (OrganizationID(high: 1, low: 2), OrganizationID(high: 1, low: 401))
        for (id, name) in [(first, "first"), (last, "last")] {
            _ = try await owner.createEmailMask(
                CreateEmailMaskRequest(organizationID: id.text, value: "\(name).example"))
            _ = try await urls.createCustomUrl(
                CreateCustomUrlRequest(organizationID: id.text, slug: "the-\(name)"))
        }
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: beside.id, value: "beside.example"))
        _ = try await urls.createCustomUrl(
            CreateCustomUrlRequest(organizationID: beside.id, slug: "beside"))
        let head = installation.database.feed.head()

        _ = try await owner.delete(top, cascade: true)
        let events = try await installation.database.feed.events(after: head, limit: 1_000)
        let nodes = try events.filter { $0.kind == OrganizationNode.messageName }
            .map { try OrganizationNode(decoding: $0.body) }
        let released = try events.filter { $0.kind == CustomUrl.messageName }
            .map { try CustomUrl(decoding: $0.body) }
        let roots = try await owner.listOrganizations(ListOrganizationsRequest(subtree: true))
        let searched = try await owner.listOrganizations(
            ListOrganizationsRequest(subtree: true, q: "school 40"))
        let archive = try await owner.listOrganizations(
            ListOrganizationsRequest(pageSize: 500, state: .archived))
        let membership = try installation.service("membership")
        var joined: [String] = []
        for name in ["first", "last", "beside"] {
            joined.append(
                try await membership.resolveEmail(
                    ResolveEmailRequest(email: "a@\(name).example")
                ).organizationID)
        }
        let findings = try await installation.findings()
        let restored = try await owner.restoreOrganization(
            RestoreOrganizationRequest(id: top.id))

        #expect(nodes.count == 401 && nodes.allSatisfy(\.archived))
        #expect(Set(nodes.map(\.id)).count == 401 && nodes.first?.id == top.id)
        #expect(nodes[400].parentID == OrganizationID(high: 1, low: 40).text)
        #expect(Set(nodes.map(\.version)).isSubset(of: [2, 3, 4]))
        #expect(released.map(\.slug).sorted() == ["the-first", "the-last"])
        #expect(released.allSatisfy { $0.state == .released })
        #expect(roots.totalSize == 1 && roots.organizations.map(\.title) == ["Beside"])
        #expect(searched.organizations.isEmpty)
        #expect(archive.organizations.count == 401)
        // The latest change of all is that of the last of them.
        #expect(archive.organizations.first?.title == "School 401")
        #expect(joined == ["", "", beside.id])
        #expect(findings.isEmpty)
        #expect(restored.notRestored.isEmpty)
        let back = try await owner.listOrganizations(ListOrganizationsRequest(subtree: true))
        #expect(back.totalSize == 402)
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `what is archived together is found by indexes, and no table is read`()
        async throws
    {
        let batch = ArchiveBatchID(high: 1, low: 1)

        let plans = try await installation.database.read { snapshot in
            try [
                Statements.subtree(of: 1, limit: 10_001),
                Statements.customURLs(archivedIn: batch, limit: 1_000),
            ].map { statement in
                try snapshot.rows("EXPLAIN QUERY PLAN \(statement)") { try $0.text(3) }
            }
        }

        for plan in plans {
            // The rows of the tree that were found are gone through, and no others.
            let scans = plan.filter { $0.hasPrefix("SCAN") && $0 != "SCAN down" }
            #expect(scans.isEmpty, "\(plan)")
        }
        for plan in plans.dropFirst() {
            #expect(plan.contains { $0.contains("organization_batch") }, "\(plan)")
            #expect(plan.contains { $0.contains("organization_id=?") }, "\(plan)")
        }
    }
}
