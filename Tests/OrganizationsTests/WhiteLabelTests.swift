import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Organizations

/// Custom URLs need white label, which Branding owns.
struct WhiteLabelTests {
    private let installation: Installation
    private let school: Organization
    private let urls: CustomUrlsClient

    init() async throws {
        var limits = Limits()
        limits.arrivalTimeMax = .milliseconds(400)
        installation = try Installation(limits: limits)
        school = try await installation.platformOwner().create("School")
        urls = CustomUrlsClient(try installation.channel([Access.Grant(.platformOwner)]))
    }

    private var asked: [String] {
        get async { await installation.branding.questions.asked.map(\.organizationID) }
    }

    private func create(
        _ slug: String = "school", key: String? = nil
    ) async throws -> CustomUrl {
        var options = CallOptions()
        options.metadata[text: MetadataKey.idempotencyKey] = key
        return try await urls.createCustomUrl(
            .init(organizationID: school.id, slug: slug), options: options)
    }

    private func enable(key: String? = nil) async throws -> CustomUrl {
        var options = CallOptions()
        options.metadata[text: MetadataKey.idempotencyKey] = key
        return try await urls.enableCustomUrl(
            .init(organizationID: school.id, slug: "school"), options: options)
    }

    @Test func `while white label is off no custom URL is made or opened, and the key stays free`()
        async throws
    {
        _ = try await create()
        _ = try await urls.disableCustomUrl(.init(organizationID: school.id, slug: "school"))
        await installation.branding.setWhiteLabel(false)

        let creation = try await refusal { try await create("other", key: "create") }
        let opening = try await refusal { try await enable(key: "enable") }
        let listed = try await urls.listCustomUrls(.init(organizationID: school.id))
        await installation.branding.setWhiteLabel(true)
        let created = try await create("other", key: "create")
        let opened = try await enable(key: "enable")

        #expect(creation.reason == "white_label_disabled" && creation.httpStatus == 409)
        #expect(opening.reason == "white_label_disabled" && opening.httpStatus == 409)
        #expect(listed.customURLs.map(\.slug) == ["school"])
        #expect(listed.customURLs.map(\.state) == [.disabled])
        #expect(created.state == .enabled && opened.state == .enabled)
        #expect(await asked == Array(repeating: school.id, count: 5))
    }

    @Test func `shutting down, giving up, resolving and listing need nobody`() async throws {
        _ = try await create()
        await installation.branding.failQuestions(with: Status(.unavailable, "Nobody answers."))

        let resolver = CustomUrlsClient(try installation.channel(of: "branding"))
        let resolved = try await resolver.resolveCustomUrl(.init(slug: "school"))
        let disabled = try await urls.disableCustomUrl(
            .init(organizationID: school.id, slug: "school"))
        let released = try await urls.deleteCustomUrl(
            .init(organizationID: school.id, slug: "school"))
        let listed = try await urls.listCustomUrls(.init(organizationID: school.id))

        #expect(resolved.organizationID == school.id)
        #expect(disabled.state == .disabled && released.state == .released)
        #expect(listed.customURLs.count == 1)
        #expect(await asked.count == 1)
    }

    @Test(arguments: [
        Status.Code.unavailable, .deadlineExceeded, .resourceExhausted, .permissionDenied,
        .internal,
    ])
    func `without an answer of Branding nothing is opened, and the same key may be tried again`(
        code: Status.Code
    ) async throws {
        await installation.branding.failQuestions(with: Status(code, "No."))

        let refused = try await refusal { try await create(key: "k") }
        let listed = try await urls.listCustomUrls(.init(organizationID: school.id))
        await installation.branding.setWhiteLabel(true)
        let later = try await create(key: "k")

        #expect(refused.reason == "unavailable" && refused.httpStatus == 503)
        #expect(refused.message.contains("Branding does not answer"))
        #expect(listed.customURLs.isEmpty)
        #expect(later.state == .enabled)
    }

    @Test func `a repeated call is answered as before, and asks nobody`() async throws {
        let created = try await create(key: "create")
        _ = try await urls.disableCustomUrl(.init(organizationID: school.id, slug: "school"))
        let enabled = try await enable(key: "enable")
        await installation.branding.setWhiteLabel(false)

        let createdAgain = try await create(key: "create")
        await installation.branding.failQuestions(with: Status(.unavailable, "Nobody answers."))
        let enabledAgain = try await enable(key: "enable")
        let other = try await refusal { try await create("other", key: "create") }

        #expect(createdAgain == created && enabledAgain == enabled)
        #expect(other.reason == "idempotency_mismatch")
        #expect(await asked.count == 2)
    }

    @Test func `an organization that has not arrived at Branding is waited for`() async throws {
        await installation.branding.arrive(after: 2)

        let url = try await create()

        #expect(url.state == .enabled)
        #expect(await asked.count == 3)
    }

    @Test func `one that does not arrive in time is not acknowledged`() async throws {
        await installation.branding.arrive(after: .max)
        let begin = ContinuousClock.now

        let refused = try await refusal { try await create(key: "k") }
        let waited = begin.duration(to: .now)
        await installation.branding.arrive(after: 0)
        let later = try await create(key: "k")

        #expect(refused.reason == "not_acknowledged" && refused.httpStatus == 503)
        #expect(refused.message.contains("Branding"))
        #expect(waited >= .milliseconds(300))
        #expect(await asked.count <= 10)
        #expect(later.state == .enabled)
    }

    @Test func `it waits no longer than the call has time`() async throws {
        let installation = try Installation()
        let school = try await installation.platformOwner().create("School")
        let urls = CustomUrlsClient(try installation.channel([Access.Grant(.platformOwner)]))
        await installation.branding.arrive(after: .max)

        let refused = try await refusal {
            try await urls.createCustomUrl(
                .init(organizationID: school.id, slug: "school"),
                options: CallOptions(timeout: .seconds(1)))
        }

        #expect(refused.reason == "not_acknowledged" || refused.code == .deadlineExceeded)
        let timeouts = await installation.branding.questions.timeouts.compactMap(\.self)
        #expect(!timeouts.isEmpty && timeouts.allSatisfy { $0 <= .milliseconds(900) })
    }

    @Test func `who may not give custom URLs learns nothing of white label`() async throws {
        await installation.branding.setWhiteLabel(false)
        let id = try school.organizationID
        let manager = CustomUrlsClient(
            try installation.channel([Access.Grant(.manager, at: id)]))
        let stranger = CustomUrlsClient(try installation.channel([]))

        let forbidden = try await refusal {
            try await manager.createCustomUrl(.init(organizationID: school.id, slug: "school"))
        }
        let unseen = try await refusal {
            try await stranger.enableCustomUrl(.init(organizationID: school.id, slug: "school"))
        }

        #expect(forbidden.reason == "forbidden" && unseen.reason == "not_found")
        #expect(await asked.isEmpty)
    }
}
