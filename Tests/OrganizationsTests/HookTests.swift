import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing
import Webhooks

@testable import Organizations

/// Hooks as those who open settings see them.
struct HookTests {
    private let installation: Installation
    private let organizations: OrganizationsClient
    private let owner: HooksClient

    init() throws {
        installation = try Installation()
        organizations = try installation.platformOwner()
        owner = try installation.hooks(Access.Grant(.platformOwner))
    }

    @Test func `a hook is created with a secret, and listed without`() async throws {
        let school = try await organizations.create("School")

        let first = try await owner.create(at: school, kinds: [.organizationCreated])
        let second = try await owner.create("https://example.org/b", at: school)
        let listed = try await owner.listHooks(ListHooksRequest(organizationID: school.id))

        let hook = try #require(first.hook)
        #expect(listed.hooks == [second.hook, hook].compactMap { $0 })
        #expect(hook.url == "https://example.com/hook" && hook.kinds == [.organizationCreated])
        #expect(hook.enabled && hook.disabledReason.isEmpty && hook.version == 1)
        #expect(hook.organizationID == school.id && hook.etag == "v1")
        let secret = first.secret.dropFirst("whsec_".count)
        #expect(first.secret.hasPrefix("whsec_") && secret.utf8.count == 44)
        #expect(first.secret != second.secret)
    }

    @Test func `a creation that is sent again answers the same, and keeps the secret once`()
        async throws
    {
        let school = try await organizations.create("School")
        let request = CreateHookRequest(
            organizationID: school.id, url: "https://example.com/hook")

        let first = try await owner.createHook(request, options: .key("once"))
        let again = try await owner.createHook(request, options: .key("once"))

        #expect(first == again && !first.secret.isEmpty)
        let stored = try await installation.database.read { snapshot in
            try snapshot.rows("SELECT reply FROM storage_reply LIMIT 100") { try $0.bytes(0) }
        }
        #expect(stored.count == 2)
        let secret = try #require(
            try await installation.database.read { snapshot in
                try snapshot.row("SELECT secret FROM hook LIMIT 1") { try $0.bytes(0) }
            })
        for reply in stored {
            #expect(!String(decoding: reply, as: UTF8.self).contains("whsec_"))
            #expect(!reply.contains(secret))
        }
        _ = try await owner.deleteHook(
            DeleteHookRequest(organizationID: school.id, id: first.hook?.id ?? ""))
        let late = try await owner.createHook(request, options: .key("once"))
        #expect(late.hook == first.hook && late.secret.isEmpty, "it went with the hook")
    }

    @Test(arguments: [
        ("http://example.com/", "https"), ("https://ada@example.com/", "user"),
        ("https://example.com/#a", "#"), ("https://127.0.0.1/", "public Internet"),
        ("https://[fd00:ec2::254]/latest", "public Internet"), ("", "address such as"),
        ("https://localhost/", "public Internet"), ("https://db.localhost:8080/", "public"),
        ("https://printer.local/", "public Internet"), ("https://crm.internal/", "public"),
        ("https://example.com/" + String(repeating: "a", count: 2_000), "2000"),
    ])
    func `an address that may not be called is refused at its field`(
        url: String, word: String
    ) async throws {
        let school = try await organizations.create("School")

        let refusal = try await refusal { try await owner.create(url, at: school) }

        #expect(refusal.code == .invalidArgument && refusal.invalidFields == ["url"])
        #expect(refusal.message.contains(word), "\(refusal.message)")
    }

    @Test func `an operator who allows networks has names of them called as well`() async throws {
        let networks = ["10.0.0.0/8", "127.0.0.0/8"].compactMap(Network.init)
        let rules = HookRules(addresses: AddressRules(allowing: networks))
        let installation = try Installation(hooks: rules)
        let school = try await installation.platformOwner().create("School")
        let owner = try installation.hooks(Access.Grant(.platformOwner))

        for url in ["https://crm.internal/", "https://localhost:8443/", "https://crm/"] {
            #expect(try await owner.create(url, at: school).hook?.url == url)
        }
    }

    @Test func `kinds are named once each, and a test is no kind to ask for`() async throws {
        let school = try await organizations.create("School")

        for kinds: [HookEventKind] in [
            [.organizationCreated, .organizationCreated], [.hookTest], [.unspecified],
            [.unrecognized(9)],
        ] {
            let refusal = try await refusal { try await owner.create(at: school, kinds: kinds) }
            #expect(refusal.invalidFields == ["kinds"], "\(kinds)")
        }
        let all = try await owner.create(
            at: school,
            kinds: [
                .organizationLapsed, .organizationCreated, .organizationUpdated,
                .organizationArchived, .organizationRestored, .organizationRemoved,
            ])
        #expect(all.hook?.kinds.count == 6)
    }

    @Test func `an organization has twenty hooks, and room again once one is gone`()
        async throws
    {
        let school = try await organizations.create("School")
        var hooks: [CreateHookReply] = []
        for _ in 0..<20 { hooks.append(try await owner.create(at: school)) }

        let refusal = try await refusal { try await owner.create(at: school) }
        _ = try await owner.deleteHook(
            DeleteHookRequest(organizationID: school.id, id: hooks[7].hook?.id ?? ""))
        _ = try await owner.create(at: school)

        #expect(refusal.reason == "validation" && refusal.message.contains("20"))
        let listed = try await owner.listHooks(ListHooksRequest(organizationID: school.id))
        #expect(listed.hooks.count == 20)
    }

    @Test(arguments: [
        (Access.Role.owner, true), (.orgAdmin, true), (.platformAdmin, true),
        (.globalAdmin, true), (.partner, true), (.reseller, true), (.manager, false),
        (.billingAdmin, false), (.userAdmin, false), (.teacher, false), (.student, false),
        (.member, false),
    ])
    func `who opens the settings has hooks, who has a tab alone has none`(
        role: Access.Role, isAllowed: Bool
    ) async throws {
        let school = try await organizations.create("School")
        let made = try await owner.create(at: school)
        let (id, hook) = (school.id, made.hook?.id ?? "")
        let call = try await owner.testHook(TestHookRequest(organizationID: id, id: hook)).id
        let person = try installation.hooks(
            Access.Grant(role, at: try school.organizationID))

        let outcomes = [
            await reason { try await person.create(at: school) },
            await reason { try await person.listHooks(ListHooksRequest(organizationID: id)) },
            await reason {
                try await person.updateHook(
                    UpdateHookRequest(
                        hook: Hook(id: hook, organizationID: id, url: "https://example.com/b")))
            },
            await reason {
                try await person.testHook(TestHookRequest(organizationID: id, id: hook))
            },
            await reason {
                try await person.listHookDeliveries(
                    ListHookDeliveriesRequest(organizationID: id, hookID: hook))
            },
            await reason {
                try await person.retryHookDelivery(
                    RetryHookDeliveryRequest(organizationID: id, hookID: hook, id: call))
            },
            await reason {
                try await person.deleteHook(DeleteHookRequest(organizationID: id, id: hook))
            },
        ]

        #expect(outcomes == Array(repeating: isAllowed ? nil : "forbidden", count: 7))
    }

    @Test func `out of scope hooks are as unknown as what does not exist`() async throws {
        let (mine, other) = (
            try await organizations.create("Mine"), try await organizations.create("Other")
        )
        let theirs = try await owner.create(at: other)
        let person = try installation.hooks(Access.Grant(.owner, at: try mine.organizationID))
        let nobody: OrganizationID = installation.identifiers.next()

        var answers: [Status] = []
        for id in [other.id, nobody.text] {
            answers.append(
                try await refusal {
                    try await person.listHooks(ListHooksRequest(organizationID: id))
                })
            answers.append(
                try await refusal {
                    try await person.createHook(
                        CreateHookRequest(organizationID: id, url: "https://example.com"))
                })
        }
        let elsewhere = try await refusal {
            try await person.deleteHook(
                DeleteHookRequest(organizationID: mine.id, id: theirs.hook?.id ?? ""))
        }

        #expect(Set(answers.map(\.message)).count == 1)
        #expect(answers.allSatisfy { $0.code == .notFound })
        #expect(elsewhere.code == .notFound)
        #expect(try await owner.listHooks(.init(organizationID: other.id)).hooks.count == 1)
    }

    @Test func `only what the mask names is changed, and only what was seen`() async throws {
        let school = try await organizations.create("School")
        let hook = try #require(
            try await owner.create(at: school, kinds: [.organizationCreated]).hook)

        let moved = try await owner.updateHook(
            UpdateHookRequest(
                hook: Hook(
                    id: hook.id, organizationID: school.id, url: "https://example.com/new",
                    etag: hook.etag),
                updateMask: FieldMask(paths: ["url"])))
        let off = try await owner.updateHook(
            UpdateHookRequest(
                hook: Hook(id: hook.id, organizationID: school.id),
                updateMask: FieldMask(paths: ["enabled", "kinds"])))
        let late = try await refusal {
            try await owner.updateHook(
                UpdateHookRequest(
                    hook: Hook(
                        id: hook.id, organizationID: school.id, enabled: true, etag: hook.etag)))
        }
        let wrong = try await refusal {
            try await owner.updateHook(
                UpdateHookRequest(
                    hook: Hook(id: hook.id, organizationID: school.id, url: "http://a.example"),
                    updateMask: FieldMask(paths: ["url", "id", "nonsense"])))
        }

        let many = try await refusal {
            try await owner.updateHook(
                UpdateHookRequest(
                    hook: Hook(id: hook.id, organizationID: school.id),
                    updateMask: FieldMask(paths: (0..<2_000).map { "nothing\($0)" })))
        }

        #expect(many.invalidFields.count == 50)
        #expect(moved.url == "https://example.com/new" && moved.kinds == hook.kinds)
        #expect(moved.enabled && moved.version == 2)
        #expect(off.url == moved.url && off.kinds.isEmpty && !off.enabled && off.version == 3)
        #expect(late.reason == "version_mismatch")
        #expect(wrong.invalidFields.count == 2, "the mask is judged first: \(wrong)")
    }

    @Test func `a hook is tested and its calls sent again while it is on`() async throws {
        let school = try await organizations.create("School")
        let made = try await owner.create(at: school, kinds: [.organizationArchived])
        let (id, hook) = (school.id, made.hook?.id ?? "")

        let test = try await owner.testHook(TestHookRequest(organizationID: id, id: hook))
        _ = try await owner.updateHook(
            UpdateHookRequest(
                hook: Hook(id: hook, organizationID: id),
                updateMask: FieldMask(paths: ["enabled"])))
        let refusals = [
            try await refusal {
                try await owner.testHook(TestHookRequest(organizationID: id, id: hook))
            },
            try await refusal {
                try await owner.retryHookDelivery(
                    RetryHookDeliveryRequest(organizationID: id, hookID: hook, id: test.id))
            },
        ]
        let unknown = try await refusal {
            try await owner.retryHookDelivery(
                RetryHookDeliveryRequest(organizationID: id, hookID: hook, id: hook))
        }

        #expect(test.kind == .hookTest && test.state == .waiting && test.attempts == 0)
        let told = try test.told
        #expect(told.type == "hook.test" && told.timestamp == "2026-01-01T00:00:00Z")
        #expect(told.data.hookId == hook && told.data.organizationId == id)
        #expect(refusals.map(\.reason) == ["wrong_state", "wrong_state"])
        #expect(unknown.code == .notFound)
    }

    @Test func `calls are listed in pages, the newest first, by state`() async throws {
        let school = try await organizations.create("School")
        let made = try await owner.create(at: school)
        let (id, hook) = (school.id, made.hook?.id ?? "")
        var tests: [String] = []
        for _ in 0..<5 {
            tests.append(
                try await owner.testHook(TestHookRequest(organizationID: id, id: hook)).id)
        }

        var found: [String] = []
        var token = ""
        repeat {
            let page = try await owner.listHookDeliveries(
                ListHookDeliveriesRequest(
                    organizationID: id, hookID: hook, state: .waiting, pageSize: 2,
                    pageToken: token))
            #expect(page.deliveries.count <= 2)
            found += page.deliveries.map(\.id)
            token = page.nextPageToken
        } while !token.isEmpty
        let failed = try await owner.deliveries(of: made, .failed)
        let strange = try await refusal {
            try await owner.listHookDeliveries(
                ListHookDeliveriesRequest(
                    organizationID: id, hookID: hook, pageToken: "nonsense"))
        }

        #expect(found == tests.reversed())
        #expect(failed.isEmpty)
        #expect(strange.reason == "page_token_invalid")
    }
}

/// The reason for which a call is refused; nil when it is not.
private func reason<Reply: Sendable>(of call: () async throws -> Reply) async -> String? {
    do {
        _ = try await call()
        return nil
    } catch {
        return (error as? Status)?.reason ?? "\(error)"
    }
}

extension [UInt8] {
    /// Whether bytes stand in these.
    fileprivate func contains(_ other: [UInt8]) -> Bool {
        count >= other.count
            && (0...(count - other.count)).contains { self[$0..<$0 + other.count] == other[...] }
    }
}
