import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Custom URLs: what they may be, whose they are, and what becomes of those that are given up.
struct CustomURLTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    private func urls(_ grants: Access.Grant...) throws -> CustomUrlsClient {
        CustomUrlsClient(
            try installation.channel(grants.isEmpty ? [Access.Grant(.platformOwner)] : grants))
    }

    private func resolve(_ slug: String) async throws -> ResolveCustomUrlReply {
        try await CustomUrlsClient(installation.channel(of: "branding")).resolveCustomUrl(
            ResolveCustomUrlRequest(slug: slug))
    }

    @Test(arguments: [
        ("abc", "abc"), ("ClientName", "clientname"), ("a-b", "a-b"), ("1a2", "1a2"),
        (String(repeating: "x", count: 40), String(repeating: "x", count: 40)),
    ])
    func `a custom URL is kept in lower case`(input: String, kept: String) throws {
        #expect(try Slug(input).text == kept)
    }

    @Test(arguments: [
        "", "ab", String(repeating: "x", count: 41), "-ab", "ab-", "a--b", "123", "a_b", "a b",
        "a.b", "a/b", "äbc", "ab\u{212A}", "abc\u{0}", "a%20b", "@abc", "[abc",
    ])
    func `a custom URL that is none is refused`(input: String) throws {
        let refused = #expect(throws: Refusal.self) { try Slug(input) }

        #expect(refused?.status.reason == "slug_invalid")
        #expect(refused.map { ErrorReason.httpStatus(of: $0.status) } == 422)
    }

    @Test(arguments: [
        "admin", "api", "app", "assets", "auth", "console", "contact", "health", "help", "login",
        "logout", "new", "null", "partner", "partners", "signup", "register", "settings",
        "static", "status", "support", "system", "undefined", "www", "well-known", "Healthz",
        "READYZ",
    ])
    func `words of the platform are reserved`(word: String) throws {
        let isKnown = ReservedPaths.segments.contains(word.lowercased())
        let refused = #expect(throws: Refusal.self) { try Slug(word) }

        #expect(isKnown)
        #expect(refused?.status.reason == "slug_reserved")
    }

    @Test func `an organization has several, each resolved by itself`() async throws {
        let school = try await installation.platformOwner().create("School")
        let owner = try urls(Access.Grant(.owner, at: try school.organizationID))
        for slug in ["school", "our-school"] {
            _ = try await owner.createCustomUrl(.init(organizationID: school.id, slug: slug))
        }

        let disabled = try await owner.disableCustomUrl(
            .init(organizationID: school.id, slug: "SCHOOL"))
        let gone = try await refusal { try await resolve("school") }
        let other = try await resolve("Our-School")
        let enabled = try await owner.enableCustomUrl(
            .init(organizationID: school.id, slug: "school"))

        #expect(disabled.state == .disabled && enabled.state == .enabled)
        #expect(gone.reason == "custom_url_disabled" && gone.httpStatus == 410)
        #expect(other.organizationID == school.id && other.slug == "our-school")
        #expect(try await resolve("school").organizationID == school.id)
        let listed = try await owner.listCustomUrls(.init(organizationID: school.id))
        #expect(listed.customURLs.map(\.slug) == ["our-school", "school"])
        #expect(listed.customURLs.map(\.version) == [1, 3])
    }

    @Test func `a custom URL is one organization's on the whole platform`() async throws {
        let platform = try installation.platformOwner()
        let (one, other) = (try await platform.create("One"), try await platform.create("Other"))
        let urls = try urls()
        _ = try await urls.createCustomUrl(.init(organizationID: one.id, slug: "client"))

        let taken = try await refusal {
            try await urls.createCustomUrl(.init(organizationID: other.id, slug: "Client"))
        }
        let again = try await refusal {
            try await urls.createCustomUrl(.init(organizationID: one.id, slug: "client"))
        }
        _ = try await urls.disableCustomUrl(.init(organizationID: one.id, slug: "client"))
        let whileDisabled = try await refusal {
            try await urls.createCustomUrl(.init(organizationID: other.id, slug: "client"))
        }

        #expect(taken.reason == "slug_taken" && taken.httpStatus == 409)
        #expect(!taken.message.contains(one.id))
        #expect(again.reason == "slug_taken" && whileDisabled.reason == "slug_taken")
    }

    @Test func `what was given up waits ninety days for its organization alone`() async throws {
        let platform = try installation.platformOwner()
        let (one, other) = (try await platform.create("One"), try await platform.create("Other"))
        let urls = try urls()
        _ = try await urls.createCustomUrl(.init(organizationID: one.id, slug: "client"))
        let released = try await urls.deleteCustomUrl(.init(organizationID: one.id, slug: "client"))

        let resolved = try await refusal { try await resolve("client") }
        let enabled = try await refusal {
            try await urls.enableCustomUrl(.init(organizationID: one.id, slug: "client"))
        }
        installation.clock.advance(by: .seconds(90 * 86_400))
        let early = try await refusal {
            try await urls.createCustomUrl(.init(organizationID: other.id, slug: "client"))
        }
        let back = try await urls.createCustomUrl(.init(organizationID: one.id, slug: "client"))

        #expect(released.state == .released && released.releasedAt != nil)
        #expect(resolved.reason == "custom_url_released" && resolved.httpStatus == 410)
        #expect(enabled.reason == "custom_url_released")
        #expect(early.reason == "slug_taken")
        #expect(back.state == .enabled && back.releasedAt == nil && back.version == 3)
        #expect(try await resolve("client").organizationID == one.id)
    }

    @Test func `after ninety days it is anybody's`() async throws {
        let platform = try installation.platformOwner()
        let (one, other) = (try await platform.create("One"), try await platform.create("Other"))
        let urls = try urls()
        _ = try await urls.createCustomUrl(.init(organizationID: one.id, slug: "client"))
        _ = try await urls.deleteCustomUrl(.init(organizationID: one.id, slug: "client"))
        installation.clock.advance(by: .seconds(91 * 86_400))

        let unknown = try await refusal { try await resolve("client") }
        _ = try await urls.createCustomUrl(.init(organizationID: other.id, slug: "client"))
        let late = try await refusal {
            try await urls.createCustomUrl(.init(organizationID: one.id, slug: "client"))
        }

        #expect(unknown.reason == "not_found")
        #expect(try await resolve("client").organizationID == other.id)
        #expect(late.reason == "slug_taken")
        let listed = try await urls.listCustomUrls(.init(organizationID: one.id))
        #expect(listed.customURLs.isEmpty)
    }

    @Test func `the archive releases, and a restore gives back what is free`() async throws {
        let platform = try installation.platformOwner()
        let (one, other) = (try await platform.create("One"), try await platform.create("Other"))
        let urls = try urls()
        for slug in ["kept", "paused", "lost", "given-up"] {
            _ = try await urls.createCustomUrl(.init(organizationID: one.id, slug: slug))
        }
        _ = try await urls.disableCustomUrl(.init(organizationID: one.id, slug: "paused"))
        _ = try await urls.deleteCustomUrl(.init(organizationID: one.id, slug: "given-up"))

        _ = try await platform.delete(one)
        let archived = try await refusal { try await resolve("kept") }
        installation.clock.advance(by: .seconds(91 * 86_400))
        _ = try await urls.createCustomUrl(.init(organizationID: other.id, slug: "lost"))
        let (id, now) = (try one.organizationID, installation.clock.now)
        let lost = try await installation.database.write { transaction in
            try transaction.restoreCustomURLs(of: id, at: now)
        }

        #expect(archived.reason == "custom_url_released")
        #expect(lost == ["lost"])
        #expect(try await resolve("kept").organizationID == one.id)
        #expect(try await refusal { try await resolve("paused") }.reason == "custom_url_disabled")
        #expect(try await refusal { try await resolve("given-up") }.reason == "not_found")
        #expect(try await resolve("lost").organizationID == other.id)
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `of fifty organizations that want one at once exactly one gets it`() async throws {
        let platform = try installation.platformOwner()
        var schools: [Organization] = []
        for number in 0..<50 { schools.append(try await platform.create("School \(number)")) }
        let urls = try urls()

        let reasons = await outcomes(of: 50) { [schools] number in
            _ = try await urls.createCustomUrl(
                .init(organizationID: schools[number].id, slug: "wanted"))
        }

        #expect(reasons.filter { $0 == nil }.count == 1)
        #expect(reasons.filter { $0 == "slug_taken" }.count == 49)
    }

    @Test func `an organization has so many, those in quarantine included`() async throws {
        var limits = Limits()
        limits.customURLsMax = 2
        let installation = try Installation(limits: limits)
        let school = try await installation.platformOwner().create("School")
        let urls = CustomUrlsClient(try installation.channel([Access.Grant(.platformOwner)]))
        _ = try await urls.createCustomUrl(.init(organizationID: school.id, slug: "one"))
        _ = try await urls.createCustomUrl(.init(organizationID: school.id, slug: "two"))
        _ = try await urls.deleteCustomUrl(.init(organizationID: school.id, slug: "two"))

        let third = try await refusal {
            try await urls.createCustomUrl(.init(organizationID: school.id, slug: "three"))
        }
        let again = try await urls.createCustomUrl(.init(organizationID: school.id, slug: "two"))

        #expect(third.reason == "validation")
        #expect(again.state == .enabled)
    }

    @Test(arguments: [
        (Access.Role.globalAdmin, true), (.platformAdmin, true), (.partner, true),
        (.reseller, true), (.owner, true), (.orgAdmin, true), (.manager, false),
        (.billingAdmin, false), (.userAdmin, false), (.teacher, false), (.member, false),
    ])
    func `who gives custom URLs`(role: Access.Role, isAllowed: Bool) async throws {
        let school = try await installation.platformOwner().create("School")
        let user = try urls(Access.Grant(role, at: try school.organizationID))

        let creation = await answer {
            try await user.createCustomUrl(.init(organizationID: school.id, slug: "school"))
        }
        let list = await answer { try await user.listCustomUrls(.init(organizationID: school.id)) }

        #expect((creation != nil) == isAllowed)
        #expect((list != nil) == isAllowed)
    }

    @Test func `others' organizations and URLs are not found, nor resolved by people`()
        async throws
    {
        let platform = try installation.platformOwner()
        let (one, other) = (try await platform.create("One"), try await platform.create("Other"))
        _ = try await urls().createCustomUrl(.init(organizationID: other.id, slug: "other"))
        let owner = try urls(Access.Grant(.owner, at: try one.organizationID))

        let creation = try await refusal {
            try await owner.createCustomUrl(.init(organizationID: other.id, slug: "mine"))
        }
        let elsewhere = try await refusal {
            try await owner.deleteCustomUrl(.init(organizationID: one.id, slug: "other"))
        }
        let odd = try await refusal {
            try await owner.disableCustomUrl(.init(organizationID: one.id, slug: "admin"))
        }
        let resolution = try await refusal {
            try await owner.resolveCustomUrl(.init(slug: "other"))
        }

        #expect([creation, elsewhere, odd].allSatisfy { $0.reason == "not_found" })
        #expect(resolution.reason == "forbidden")
    }

    @Test func `a change moves the organization, and services are told`() async throws {
        let platform = try installation.platformOwner()
        let school = try await platform.create("School")
        installation.clock.advance(by: .seconds(60))
        let urls = try urls()

        let url = try await urls.createCustomUrl(
            .init(organizationID: school.id, slug: "school"), options: .key("k"))
        let replayed = try await urls.createCustomUrl(
            .init(organizationID: school.id, slug: "school"), options: .key("k"))
        _ = try await urls.disableCustomUrl(.init(organizationID: school.id, slug: "school"))
        let same = try await urls.disableCustomUrl(
            .init(organizationID: school.id, slug: "school"))

        let moved = try await platform.get(school)
        #expect(replayed == url && same.version == 2)
        #expect(moved.version == 3)
        #expect(moved.updatedAt == Timestamp(installation.clock.now))
        let told = try await installation.events(CustomUrl.self)
        #expect(told.map(\.state) == [.enabled, .disabled])
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `nothing is opened by its people while the organization is paused`() async throws {
        let platform = try installation.platformOwner()
        let school = try await platform.create("School")
        let owner = try urls(Access.Grant(.owner, at: try school.organizationID))
        _ = try await platform.deactivateOrganization(.init(id: school.id))

        let refused = try await refusal {
            try await owner.createCustomUrl(.init(organizationID: school.id, slug: "school"))
        }

        #expect(refused.reason == "org_not_active")
    }
}
