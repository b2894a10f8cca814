import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Contact details: who receives what people write.
struct ContactTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    private func contacts(_ grants: Access.Grant...) throws -> ContactsClient {
        ContactsClient(
            try installation.channel(grants.isEmpty ? [Access.Grant(.platformOwner)] : grants))
    }

    private var anybody: ContactsClient { ContactsClient(installation.strangeChannel()) }

    private func message(
        _ subject: String = "Help", about kind: ContactKind = .supportTeam,
        from email: String = "ada@example.org", at url: String = ""
    ) -> SubmitContactRequest {
        SubmitContactRequest(
            kind: kind, email: email, subject: subject, text: "I cannot sign in.",
            customURL: url)
    }

    private func pending() async throws -> [PendingMessage] {
        try await installation.database.read { try $0.pendingMessages() }
    }

    private func receivers(
        _ organization: Organization, _ receivers: [ContactKind: [String]]
    ) async throws -> ContactReceivers {
        try await contacts().setContactReceivers(
            SetContactReceiversRequest(
                organizationID: organization.id,
                receivers: receivers.map { KindReceivers(kind: $0.key, addresses: $0.value) }))
    }

    @Test func `own receivers come first, then the nearest ancestor's, then the platform's`()
        async throws
    {
        let chain = try await installation.platformOwner().chain("District", "School", "Class")
        _ = try await receivers(
            chain[0], [.supportTeam: ["d@example.org"], .product: ["p@example.org"]])
        _ = try await receivers(chain[1], [.supportTeam: ["s@example.org", "t@example.org"]])
        _ = try await receivers(chain[2], [.suggestions: ["c@example.org"]])

        let found = try await contacts().getContactReceivers(.init(organizationID: chain[2].id))

        #expect(found.own.map(\.kind) == [.suggestions])
        #expect(found.effective.map(\.kind.rawValue) == [1, 2, 3, 4, 5, 6, 7])
        let byKind = Dictionary(uniqueKeysWithValues: found.effective.map { ($0.kind, $0) })
        #expect(byKind[.suggestions]?.sourceOrganizationID == chain[2].id)
        #expect(byKind[.supportTeam]?.addresses == ["s@example.org", "t@example.org"])
        #expect(byKind[.supportTeam]?.sourceOrganizationID == chain[1].id)
        #expect(byKind[.product]?.sourceOrganizationID == chain[0].id)
        #expect(byKind[.account]?.sourceOrganizationID == "")
        #expect(byKind[.account]?.addresses == ["owner@guildhall.example"])
    }

    @Test func `setting replaces all, once each, and moves the organization`() async throws {
        let platform = try installation.platformOwner()
        let school = try await platform.create("School")
        _ = try await receivers(school, [.account: ["a@example.org"], .booking: ["b@example.org"]])

        let set = try await receivers(
            school, [.account: ["New@EXAMPLE.org", "new@example.org"], .booking: []])
        let again = try await receivers(school, [.account: ["New@example.org"]])

        #expect(set.own.map(\.kind) == [.account])
        #expect(set.own.first?.addresses == ["New@example.org"])
        #expect(set.etag == "v3" && again.etag == "v3")
        #expect(try await platform.get(school).version == 3)
    }

    @Test func `what is wrong with receivers is told field by field`() async throws {
        let school = try await installation.platformOwner().create("School")

        let refused = try await refusal {
            try await contacts().setContactReceivers(
                SetContactReceiversRequest(
                    organizationID: school.id,
                    receivers: [
                        KindReceivers(kind: .account, addresses: ["nobody"]),
                        KindReceivers(kind: .init(rawValue: 8), addresses: []),
                        KindReceivers(kind: .booking, addresses: ["a@example.org"]),
                        KindReceivers(kind: .booking, addresses: ["b@example.org"]),
                        KindReceivers(
                            kind: .product,
                            addresses: (0..<11).map { "a\($0)@example.org" }),
                    ]))
        }

        #expect(
            refused.invalidFields == [
                "receivers[0].addresses", "receivers[1].kind", "receivers[3].kind",
                "receivers[4].addresses",
            ])
    }

    @Test(arguments: ["müller@x.org", "a..b@x.org", ".a@x.org", "a.@x.org"])
    func `who cannot be mailed receives nothing, and may write`(address: String) async throws {
        let school = try await installation.platformOwner().create("School")
        let platform = PlatformClient(try installation.channel([Access.Grant(.platformOwner)]))

        let own = try await refusal {
            try await receivers(school, [.account: [address]])
        }
        let general = try await refusal {
            try await platform.updatePlatformSettings(
                .init(settings: PlatformSettings(contactReceivers: [address])))
        }
        _ = try await anybody.submitContact(message(from: address))

        #expect(own.invalidFields == ["receivers[0].addresses"])
        #expect(general.invalidFields == ["settings.contact_receivers"])
        #expect(try await pending().count == 1)
    }

    @Test func `an entity tag guards receivers`() async throws {
        let school = try await installation.platformOwner().create("School")
        var options = CallOptions()
        options.metadata[text: MetadataKey.ifMatch] = "v7"

        let refused = try await refusal { [options] in
            try await contacts().setContactReceivers(
                SetContactReceiversRequest(organizationID: school.id), options: options)
        }

        #expect(refused.reason == "version_mismatch")
    }

    @Test(arguments: [
        (Access.Role.partner, true), (.reseller, true), (.owner, true), (.orgAdmin, true),
        (.manager, false), (.userAdmin, false), (.member, false),
    ])
    func `who sees and sets receivers`(role: Access.Role, isAllowed: Bool) async throws {
        let school = try await installation.platformOwner().create("School")
        let user = try contacts(Access.Grant(role, at: try school.organizationID))

        let get = await answer {
            try await user.getContactReceivers(.init(organizationID: school.id))
        }
        let set = await answer {
            try await user.setContactReceivers(.init(organizationID: school.id))
        }

        #expect((get != nil) == isAllowed)
        #expect((set != nil) == isAllowed)
    }

    @Test func `anybody writes, and learns nothing of who receives it`() async throws {
        let platform = try installation.platformOwner()
        let school = try await platform.create("School")
        _ = try await receivers(school, [.supportTeam: ["help@school.example"]])
        let urls = CustomUrlsClient(try installation.channel([Access.Grant(.platformOwner)]))
        _ = try await urls.createCustomUrl(.init(organizationID: school.id, slug: "school"))

        let replies = [
            try await anybody.submitContact(message("1", at: "School")),
            try await anybody.submitContact(message("2", about: .product, at: "school")),
            try await anybody.submitContact(message("3", at: "unknown")),
            try await anybody.submitContact(message("4", at: "no slug at all")),
            try await anybody.submitContact(message("5")),
        ]

        #expect(Set(replies).count == 1)
        let kept = try await pending()
        let id = try school.organizationID
        #expect(kept.map(\.organization) == [id, id, nil, nil, nil])
        #expect(kept[0].receivers == ["help@school.example"])
        #expect(kept.dropFirst().allSatisfy { $0.receivers == ["owner@guildhall.example"] })
    }

    @Test func `a URL that is shut down leads to the platform`() async throws {
        let school = try await installation.platformOwner().create("School")
        _ = try await receivers(school, [.supportTeam: ["help@school.example"]])
        let urls = CustomUrlsClient(try installation.channel([Access.Grant(.platformOwner)]))
        _ = try await urls.createCustomUrl(.init(organizationID: school.id, slug: "school"))
        _ = try await urls.disableCustomUrl(.init(organizationID: school.id, slug: "school"))

        _ = try await anybody.submitContact(message(at: "school"))

        #expect(try await pending().map(\.receivers) == [["owner@guildhall.example"]])
    }

    @Test func `the platform's receivers are those of its settings once they are set`()
        async throws
    {
        let platform = PlatformClient(try installation.channel([Access.Grant(.platformOwner)]))
        _ = try await platform.updatePlatformSettings(
            .init(settings: PlatformSettings(contactReceivers: ["desk@guildhall.example"])))

        _ = try await anybody.submitContact(message())

        #expect(try await pending().map(\.receivers) == [["desk@guildhall.example"]])
    }

    @Test func `every wrong field of a message is named`() async throws {
        let refused = try await refusal {
            try await anybody.submitContact(
                SubmitContactRequest(
                    kind: .unspecified, email: "ada", subject: "a\nBcc: b@example.org",
                    text: " \n "))
        }
        let long = try await refusal {
            try await anybody.submitContact(
                SubmitContactRequest(
                    kind: .account, email: "ada@example.org",
                    subject: String(repeating: "s", count: 201),
                    text: String(repeating: "t", count: 10_001)))
        }

        #expect(refused.invalidFields == ["kind", "email", "subject", "text"])
        #expect(long.invalidFields == ["subject", "text"])
        #expect(try await pending().isEmpty)
    }

    @Test func `the same message within an hour is one`() async throws {
        _ = try await anybody.submitContact(message())
        _ = try await anybody.submitContact(message(from: "ADA@example.org"))
        _ = try await anybody.submitContact(message("Other"))
        #expect(try await pending().count == 2)

        installation.clock.advance(by: .seconds(3_600))
        _ = try await anybody.submitContact(message())

        #expect(try await pending().count == 3)
    }

    @Test func `one sender writes so much in an hour, and all together so much`() async throws {
        var limits = Limits()
        limits.contactPace = HourlyPace(allMax: 5, ofOneMax: 2)
        let installation = try Installation(limits: limits)
        let anybody = ContactsClient(installation.strangeChannel())
        for number in 0..<2 { _ = try await anybody.submitContact(message("\(number)")) }

        let sender = try await refusal { try await anybody.submitContact(message("3")) }
        for number in 0..<3 {
            _ = try await anybody.submitContact(message(from: "a\(number)@example.org"))
        }
        let all = try await refusal {
            try await anybody.submitContact(message(from: "b@example.org"))
        }
        installation.clock.advance(by: .seconds(3_600))
        _ = try await anybody.submitContact(message("4"))

        #expect(sender.reason == "busy" && sender.httpStatus == 429)
        #expect(all == sender)
    }

    @Test func `messages are kept for ninety days`() async throws {
        _ = try await anybody.submitContact(message("old"))
        installation.clock.advance(by: .seconds(86_400))
        _ = try await anybody.submitContact(message("new"))
        installation.clock.advance(by: .seconds(89 * 86_400 + 1))

        try await installation.upkeep().round(at: installation.clock.now)

        #expect(try await pending().count == 1)
    }
}

/// A message that waits to be mailed.
private struct PendingMessage: Sendable, Hashable {
    let organization: OrganizationID?
    let receivers: [String]
}

extension Reading {
    /// The messages that wait to be mailed, in the order in which they came.
    fileprivate func pendingMessages() throws -> [PendingMessage] {
        try rows(
            """
            SELECT organization_id, receivers FROM contact_message
            WHERE state = 1 ORDER BY created_micros, id LIMIT 100
            """
        ) { row in
            PendingMessage(
                organization: try row.identifierOrNil(0),
                receivers: try row.text(1).split(separator: "\n").map(String.init))
        }
    }
}
