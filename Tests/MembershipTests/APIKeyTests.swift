import Access
import Foundation
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Membership

/// Credentials of programs: how they are made, kept, used and ended.
@Suite struct `API keys` {
    private let hall: Hall
    private let school: OrganizationID

    init() async throws {
        hall = try Hall()
        school = try await hall.organization()
    }

    private func request(
        _ name: String = "Timetable", _ role: Access.Role = .orgAdmin, expires: WallTime? = nil
    ) -> CreateApiKeyRequest {
        CreateApiKeyRequest(
            name: name, role: Messages.Role(role), organizationID: school.text,
            expiresAt: expires.map { Timestamp($0) })
    }

    private var owner: ApiKeysClient { hall.keys(as: .owner, at: school) }

    @Test func `a key is shown once, and only its hash and its beginning are kept`() async throws {
        let made = try await owner.createApiKey(request(" Timetable "))
        let key = try #require(made.apiKey)

        #expect(made.secret.wholeMatch(of: /ghk_[0-9A-Za-z]{43}/) != nil)
        #expect(key.prefix == made.secret.prefix(12))
        #expect(key.name == "Timetable" && key.expiresAt == nil && key.lastUsedAt == nil)
        #expect(key.grant == Messages.Grant(role: .orgAdmin, organizationID: school.text))
        let listed = try await owner.listApiKeys(ListApiKeysRequest(organizationID: school.text))
        #expect(listed.apiKeys == [key])

        let files = try FileManager.default.contentsOfDirectory(
            at: hall.folder, includingPropertiesForKeys: nil
        ).filter { $0.lastPathComponent.hasPrefix("membership.db") }
        let kept = try files.map { try Data(contentsOf: $0) }
        #expect(kept.contains { $0.range(of: Data(key.prefix.utf8)) != nil })
        #expect(!kept.contains { $0.range(of: Data(made.secret.utf8)) != nil })
        #expect(!kept.contains { $0.range(of: Data(made.secret.utf8.dropFirst(12))) != nil })
    }

    @Test func `a call that is repeated is answered the same secret`() async throws {
        let person: UserID = hall.identifiers.next()
        let grants = [Access.Grant(.owner, at: school)]
        let keys = ApiKeysClient(hall.channel(.user(person), grants))
        let first = try await keys.createApiKey(request(), options: .keyed("k-1"))

        let again = try await keys.createApiKey(request(), options: .keyed("k-1"))
        let other = try await keys.createApiKey(request(), options: .keyed("k-2"))
        let changed = await refusal {
            try await keys.createApiKey(request("Other"), options: .keyed("k-1"))
        }

        #expect(again == first && other.secret != first.secret)
        #expect(changed?.reason == "idempotency_mismatch")
        #expect(
            try await hall.owner(of: first.secret).apiKeyID == first.apiKey?.id)
        hall.database.close()
        let later = try Hall(after: hall)
        let afterStart = try await ApiKeysClient(later.channel(.user(person), grants))
            .createApiKey(request(), options: .keyed("k-1"))
        #expect(afterStart == first)
    }

    @Test func `a key acts as its role, and its use is noted to the minute`() async throws {
        hall.advanceToMinute()
        let minute = hall.clock.now
        let made = try await owner.createApiKey(request())
        hall.clock.advance(by: .seconds(59))

        let reply = try await hall.owner(of: made.secret)
        #expect(reply.apiKeyID == made.apiKey?.id && reply.userID.isEmpty)
        #expect(
            reply.grants == [Messages.Grant(role: .orgAdmin, organizationID: school.text)])
        #expect(reply.expiresAt == nil)
        #expect(try await lastUse() == Timestamp(minute))

        hall.clock.advance(by: .seconds(1))
        _ = try await hall.owner(of: made.secret)
        #expect(try await lastUse() == Timestamp(minute.advanced(by: .seconds(60))))
    }

    private func lastUse() async throws -> Timestamp? {
        try await owner.listApiKeys(ListApiKeysRequest(organizationID: school.text))
            .apiKeys.first?.lastUsedAt
    }

    @Test func `a key that has expired, was deleted or never was is nobody's`() async throws {
        let end = hall.clock.now.advanced(by: .seconds(100))
        let short = try await owner.createApiKey(request(expires: end))
        let long = try await owner.createApiKey(request())
        hall.clock.advance(by: .seconds(99))
        #expect(try await hall.owner(of: short.secret).expiresAt == Timestamp(end))
        hall.clock.advance(by: .seconds(1))
        _ = try await owner.deleteApiKey(DeleteApiKeyRequest(id: long.apiKey?.id ?? ""))

        for token in [
            short.secret, long.secret, "ghk_", short.secret + "0", String(short.secret.dropLast()),
            "ghk_" + String(repeating: "a", count: 300),
        ] {
            let refused = await refusal { try await hall.owner(of: token) }
            #expect(refused?.code == .unauthenticated, "\(token)")
            #expect(refused?.message == "There is no such API key, or it has expired.")
        }
    }

    @Test func `there are at most fifty keys that live, and one that ends makes room`() async throws
    {
        let end = hall.clock.now.advanced(by: .seconds(60))
        let first = try await owner.createApiKey(request())
        for _ in 0..<48 { _ = try await owner.createApiKey(request()) }
        _ = try await owner.createApiKey(request(expires: end))

        let refused = await refusal { try await owner.createApiKey(request()) }
        #expect(refused?.reason == "too_many_api_keys" && refused?.facts["cap"] == "50")
        hall.clock.advance(by: .seconds(60))
        _ = try await owner.createApiKey(request())
        #expect(
            await refusal { try await owner.createApiKey(request()) }?.reason
                == "too_many_api_keys")
        _ = try await owner.deleteApiKey(DeleteApiKeyRequest(id: first.apiKey?.id ?? ""))
        _ = try await owner.createApiKey(request())

        // What expired long ago goes when a key is made.
        hall.clock.advance(by: .seconds(91 * 86_400))
        _ = await refusal { try await owner.createApiKey(request()) }
        let last = try await owner.listApiKeys(
            ListApiKeysRequest(organizationID: school.text, pageSize: 500)
        ).apiKeys.last
        _ = try await owner.deleteApiKey(DeleteApiKeyRequest(id: last?.id ?? ""))
        _ = try await owner.createApiKey(request())
        let left = try await owner.listApiKeys(
            ListApiKeysRequest(organizationID: school.text, pageSize: 500))
        #expect(left.apiKeys.count == 50)
        #expect(left.apiKeys.allSatisfy { $0.expiresAt == nil })
    }

    @Test func `of keys that have expired a place keeps the latest fifty`() async throws {
        for round in 0..<3 {
            let end = hall.clock.now.advanced(by: .seconds(60))
            for number in 0..<40 {
                _ = try await owner.createApiKey(request("\(round)-\(number)", expires: end))
            }
            hall.clock.advance(by: .seconds(60))
        }
        let all = ListApiKeysRequest(organizationID: school.text, pageSize: 500)
        // Of the third round the first two have taken away what was too much.
        #expect(try await owner.listApiKeys(all).apiKeys.count == 90)

        _ = try await owner.createApiKey(request("a"))
        #expect(try await owner.listApiKeys(all).apiKeys.count == 71)
        _ = try await owner.createApiKey(request("b"))

        let left = try await owner.listApiKeys(all).apiKeys.map(\.name)
        let latest: [String] =
            (0..<40).reversed().map { "2-\($0)" } + (30..<40).reversed().map { "1-\($0)" }
        #expect(left == ["b", "a"] + latest)
    }

    @Test func `keys are listed by page, the newest first, those of one place`() async throws {
        let names = (0..<5).map { "Key \($0)" }
        for name in names { _ = try await owner.createApiKey(request(name)) }
        let platform = hall.keys(as: .globalAdmin)
        _ = try await platform.createApiKey(
            CreateApiKeyRequest(name: "Staff", role: .globalAdmin))

        var (found, token, pages): ([String], String, Int) = ([], "", 0)
        repeat {
            let page = try await owner.listApiKeys(
                ListApiKeysRequest(organizationID: school.text, pageSize: 2, pageToken: token))
            found += page.apiKeys.map(\.name)
            token = page.nextPageToken
            pages += 1
        } while !token.isEmpty

        #expect(found == names.reversed() && pages == 3)
        #expect(
            try await platform.listApiKeys(ListApiKeysRequest()).apiKeys.map(\.name) == ["Staff"])
    }

    @Test(arguments: [
        ("name", CreateApiKeyRequest(name: " ", role: .owner)),
        ("name", CreateApiKeyRequest(name: String(repeating: "a", count: 121), role: .owner)),
        ("role", CreateApiKeyRequest(name: "a")),
        ("role", CreateApiKeyRequest(name: "a", role: .unrecognized(99))),
        ("role", CreateApiKeyRequest(name: "a", role: .globalAdmin)),
        ("role", CreateApiKeyRequest(name: "a", role: .partner)),
        ("expires_at", CreateApiKeyRequest(name: "a", role: .owner, expiresAt: Timestamp())),
        (
            "expires_at",
            CreateApiKeyRequest(
                name: "a", role: .owner, expiresAt: Timestamp(seconds: .max, nanos: 0))
        ),
        (
            "expires_at",
            CreateApiKeyRequest(
                name: "a", role: .owner, expiresAt: Timestamp(seconds: 253_402_300_800, nanos: 0))
        ),
    ])
    func `what is wrong is named`(field: String, request: CreateApiKeyRequest) async throws {
        var request = request
        request.organizationID = school.text

        let refused = await refusal { try await owner.createApiKey(request) }

        #expect(refused?.reason == "validation" && refused?.invalidFields == [field])
    }

    @Test func `a key of the platform has a role of its staff`() async throws {
        for role in [Messages.Role.owner, .partner, .member] {
            let refused = await refusal {
                try await hall.keys(as: .platformOwner).createApiKey(
                    CreateApiKeyRequest(name: "a", role: role))
            }
            #expect(refused?.invalidFields == ["role"])
        }
    }

    @Test func `an instant that is now has passed`() async throws {
        let refused = await refusal {
            try await owner.createApiKey(request(expires: hall.clock.now))
        }
        #expect(refused?.invalidFields == ["expires_at"])
    }

    @Test func `a database of before gets room for keys`() async throws {
        var settings = DatabaseConfiguration(path: hall.folder.appending(path: "older.db").path)
        settings.freeBytesMin = 0
        let own = try #require(Membership.migrations.first { $0.name == "api-keys" })
        let older = Membership.migrations.filter {
            $0.component != "membership" || $0.number < own.number
        }
        try Database(settings, migrations: older).close()

        let database = try Database(settings, migrations: Membership.migrations)
        let now = hall.clock.now
        #expect(try await database.read { try $0.liveAPIKeyCount(of: nil, at: now) } == 0)
        database.close()
    }
}
