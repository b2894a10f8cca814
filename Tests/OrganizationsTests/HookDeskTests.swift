import Access
import Foundation
import Logging
import Messages
import RPC
import ServiceKit
import Storage
import Testing
import Webhooks

@testable import Organizations

/// What hooks are told: from the feed, each event once, at the place where it happened.
struct HookDeskTests {
    private let installation: Installation
    private let organizations: OrganizationsClient
    private let owner: HooksClient

    init() throws {
        installation = try Installation()
        organizations = try installation.platformOwner()
        owner = try installation.hooks(Access.Grant(.platformOwner))
    }

    /// What a hook is told in short, once everything is.
    private func words(to hook: CreateHookReply) async throws -> [String] {
        try await installation.hookDesk().tell()
        return try await owner.deliveries(of: hook).map { try $0.told.words }
    }

    @Test func `what happens to an organization and below is told, and nothing beside it`()
        async throws
    {
        let district = try await organizations.create("District")
        let other = try await organizations.create("Other")
        let (above, beside) = (
            try await owner.create(at: district), try await owner.create(at: other)
        )

        let school = try await organizations.create("School", below: district)
        let below = try await owner.create(at: school)
        _ = try await organizations.create("Class", below: school)
        _ = try await organizations.update(school, paths: ["title"]) { $0.title = "New" }
        _ = try await organizations.deactivateOrganization(.init(id: school.id))
        _ = try await organizations.activateOrganization(.init(id: school.id))
        _ = try await organizations.deleteOrganization(.init(id: school.id, cascade: true))
        _ = try await organizations.restoreOrganization(.init(id: school.id))
        _ = try await organizations.update(district, paths: ["title"]) { $0.title = "County" }

        let told = [
            "created Class", "updated New", "updated New", "updated New", "archived New",
            "archived Class", "restored New", "restored Class",
        ]
        #expect(try await words(to: above) == ["created School"] + told + ["updated County"])
        #expect(try await words(to: below) == told)
        #expect(try await words(to: beside).isEmpty)
        #expect(try await installation.hookDesk().tell() == 0, "each is told once")
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `a call says how the organization is after the change`() async throws {
        let district = try await organizations.create("District")
        let hook = try await owner.create(at: district)
        let school = try await organizations.createOrganization(
            CreateOrganizationRequest(
                parentID: district.id, title: "“School” \\ \"\u{1F3EB}\"",
                category: .academicK12, country: "US", externalID: "legacy-7"))
        installation.clock.advance(by: .milliseconds(61_001))
        _ = try await organizations.deactivateOrganization(.init(id: school.id))
        try await installation.hookDesk().tell()

        let told = try await owner.deliveries(of: hook).map { try $0.told }

        #expect(
            told[1]
                == Told(
                    type: "organization.updated", timestamp: "2026-01-01T00:01:01.001Z",
                    data: .init(
                        id: school.id, parentId: district.id, title: school.title,
                        status: "ORGANIZATION_STATUS_INACTIVE", archived: false,
                        origin: "ORGANIZATION_ORIGIN_MANUAL", externalId: "legacy-7",
                        version: "2")))
        #expect(told[0].data.status == "ORGANIZATION_STATUS_ACTIVE")
        #expect(told[0].data.version == "1", "a text, as the API spells it")
    }

    @Test func `a hook is told the kinds that it names`() async throws {
        let district = try await organizations.create("District")
        let hook = try await owner.create(
            at: district, kinds: [.organizationArchived, .organizationCreated])

        let school = try await organizations.create("School", below: district)
        _ = try await organizations.update(school, paths: ["title"]) { $0.title = "New" }
        _ = try await organizations.deleteOrganization(.init(id: school.id))

        #expect(try await words(to: hook) == ["created School", "archived New"])
    }

    @Test func `what happened before a hook was there, or while it was off, is not told`()
        async throws
    {
        let district = try await organizations.create("District")
        _ = try await organizations.create("Before", below: district)
        let hook = try await owner.create(at: district)
        func set(_ isEnabled: Bool) async throws {
            _ = try await owner.updateHook(
                UpdateHookRequest(
                    hook: Hook(
                        id: hook.hook?.id ?? "", organizationID: district.id,
                        enabled: isEnabled), updateMask: FieldMask(paths: ["enabled"])))
        }

        _ = try await organizations.create("One", below: district)
        #expect(try await words(to: hook) == ["created One"])
        try await set(false)
        _ = try await organizations.create("Meanwhile", below: district)
        try await installation.hookDesk().tell()
        try await set(true)
        _ = try await organizations.create("Two", below: district)
        // Another hook is on all the time: the feed is looked at while the first one is off.
        _ = try await owner.create(at: district)
        try await set(false)
        _ = try await organizations.create("Again", below: district)
        try await set(true)
        _ = try await organizations.create("Three", below: district)

        // “Two” waited to be told when the hook was switched off, and is not told late.
        #expect(try await words(to: hook) == ["created One", "created Three"])
    }

    @Test func `a move is told at both places, at the old one no more than that`() async throws {
        let (from, to) = (
            try await organizations.create("From"), try await organizations.create("To")
        )
        let school = try await organizations.create("School", below: from)
        let (old, new, own) = (
            try await owner.create(at: from), try await owner.create(at: to),
            try await owner.create(at: school)
        )

        _ = try await organizations.moveOrganization(
            MoveOrganizationRequest(id: school.id, newParentID: to.id))
        _ = try await organizations.update(school, paths: ["title"]) { $0.title = "New" }

        #expect(try await words(to: old) == ["updated (moved away)"])
        #expect(try await words(to: new).suffix(2) == ["updated School", "updated New"])
        #expect(try await words(to: own).suffix(2) == ["updated School", "updated New"])
        let body = try #require(try await owner.deliveries(of: old).first).body
        #expect(!body.contains(to.id) && !body.contains("School"))
    }

    @Test func `what is prepared is told once it is there`() async throws {
        let district = try await organizations.create("District")
        let hook = try await owner.create(at: district)
        let partners = try installation.service("partners")
        func prepare(_ title: String) async throws -> OrganizationID {
            let id: OrganizationID = installation.identifiers.next()
            _ = try await partners.prepareOrganization(
                PrepareOrganizationRequest(
                    id: id.text, parentID: district.id, title: title, category: .academicK12,
                    country: "US", origin: .sale), options: .key(title))
            return id
        }

        let (sold, given) = (try await prepare("Sold"), try await prepare("Given"))
        #expect(try await words(to: hook).isEmpty)
        _ = try await partners.commitOrganization(.init(id: sold.text))
        _ = try await partners.cancelPreparation(
            CancelPreparationRequest(id: given.text, preparationKey: "Given"))

        #expect(try await words(to: hook) == ["created Sold"])
        let told = try #require(try await owner.deliveries(of: hook).first).told
        #expect(told.data.origin == "ORGANIZATION_ORIGIN_SALE")
    }

    @Test func `a lapse is told with its last day`() async throws {
        let district = try await organizations.create("District")
        let hook = try await owner.create(at: district, kinds: [.organizationLapsed])
        let school = try await organizations.createOrganization(
            CreateOrganizationRequest(
                parentID: district.id, title: "School", category: .academicK12, country: "US",
                expiresAt: "2026-01-02"))
        installation.clock.advance(by: .seconds(2 * 86_400))
        try await installation.sweep()
        _ = try await organizations.update(school, paths: ["expires_at"]) {
            $0.expiresAt = "2026-02-01"
        }
        try await installation.hookDesk().tell()

        let told = try await owner.deliveries(of: hook).map { try $0.told.data }

        #expect(told.map(\.id) == [school.id, school.id])
        #expect(
            told.map(\.lapse) == [
                "ORGANIZATION_LAPSE_KIND_EXPIRED", "ORGANIZATION_LAPSE_KIND_REACTIVATED",
            ])
        #expect(told[0].lastDay == "2026-01-02" && told[1].lastDay == nil)
    }

    @Test func `what is gone for good is told, and its own hooks go when that has arrived`()
        async throws
    {
        let district = try await organizations.create("District")
        let school = try await organizations.create("School", below: district)
        let (above, own) = (
            try await owner.create(at: district), try await owner.create(at: school)
        )
        _ = try await organizations.deleteOrganization(.init(id: school.id))
        try await installation.pass(days: 91)
        try await installation.upkeep().round(at: installation.clock.now)

        #expect(try await words(to: above) == ["archived School", "removed -"])
        let ownID = try HookID(requestText: own.hook?.id ?? "", field: "id")
        func ownWords() async throws -> [Int] {
            try await installation.database.read { snapshot in
                try snapshot.rows(
                    """
                    SELECT event.kind FROM hook_delivery AS delivery
                        JOIN hook ON hook.number = delivery.hook
                        JOIN hook_event AS event ON event.number = delivery.event
                    WHERE hook.id = \(ownID) ORDER BY delivery.number LIMIT 9
                    """
                ) { try $0.int(0) }
            }
        }
        #expect(try await ownWords() == [3, 5])
        try await installation.database.purgeHooks(at: installation.clock.now)
        #expect(try await ownWords() == [3, 5])
        installation.clock.advance(by: .seconds(6 * 86_400))
        try await installation.database.purgeHooks(at: installation.clock.now)
        #expect(try await ownWords().isEmpty)
        let left = try await installation.database.read { snapshot in
            try snapshot.row("SELECT count(*) FROM hook", { try $0.int(0) })
        }
        #expect(left == 1)
    }

    @Test func `while no hook is on the feed is not looked at`() async throws {
        let district = try await organizations.create("District")
        let database = installation.database
        func position() async throws -> FeedPosition? {
            try await database.read { try $0.feedPosition(of: HookDesk.source) }
        }
        for number in 0..<50 { _ = try await organizations.create("\(number)", below: district) }
        #expect(try await installation.hookDesk().tell() == 0)
        #expect(try await position() == nil)

        let hook = try await owner.create(at: district)
        let start = try #require(try await position())
        #expect(start.sequence == database.feed.head())
        #expect(try await words(to: hook).isEmpty)
        for number in 50..<60 { _ = try await organizations.create("\(number)", below: district) }
        #expect(try await installation.hookDesk().tell() == 10)

        _ = try await owner.deleteHook(
            DeleteHookRequest(organizationID: district.id, id: hook.hook?.id ?? ""))
        let end = try await position()
        _ = try await organizations.create("60", below: district)
        #expect(try await installation.hookDesk().tell() == 0)
        #expect(try await position() == end)
    }

    @Test func `of more calls than may wait the oldest fail`() async throws {
        let district = try await organizations.create("District")
        let hook = try await owner.create(at: district)
        var pace = HookPace()
        pace.waitingMax = 30
        for number in 0..<40 { _ = try await organizations.create("\(number)", below: district) }
        let desk = installation.hookDesk(pace)
        try await desk.tell()
        try await desk.tidy()
        for number in 40..<50 { _ = try await organizations.create("\(number)", below: district) }
        // A hook for which no more waits than may, behind the first one.
        let other = try await owner.create(at: district)
        _ = try await organizations.create("50", below: district)

        try await desk.tell()
        try await desk.tidy()

        let (waiting, failed) = (
            try await owner.deliveries(of: hook, .waiting),
            try await owner.deliveries(of: hook, .failed)
        )
        #expect(try waiting.map { try $0.told.words } == (21...50).map { "created \($0)" })
        #expect(try failed.map { try $0.told.words } == (0..<21).map { "created \($0)" })
        #expect(try await owner.deliveries(of: other, .waiting).count == 1)
        #expect(Set(failed.map(\.lastError)) == ["Too many calls waited."])
    }

    @Test func `many events are told in transactions that stay small`() async throws {
        let district = try await organizations.create("District")
        let database = installation.database
        var hooks: [CreateHookReply] = []
        for _ in 0..<20 { hooks.append(try await owner.create(at: district)) }
        for number in 0..<250 { _ = try await organizations.create("\(number)", below: district) }
        let (now, incarnation) = (installation.clock.now, database.incarnation)

        var rounds: [HookRound] = []
        repeat {
            rounds.append(
                try await database.write { [identifiers = installation.identifiers] in
                    try $0.tellHooks(
                        incarnation: incarnation, at: now, identifier: { identifiers.next() })
                })
        } while rounds.last?.isMore == true

        #expect(rounds.map(\.events).reduce(0, +) == 250)
        #expect(rounds.allSatisfy { $0.deliveries <= HookRound.deliveriesMax })
        #expect(rounds.map(\.deliveries).reduce(0, +) == 20 * 250)
        // What is told is kept once for all hooks.
        let bodies = try await database.read { snapshot in
            try snapshot.row("SELECT count(*) FROM hook_event", { try $0.int(0) })
        }
        #expect(bodies == 250)
    }

    @Test func `a database that was put back tells nothing again`() async throws {
        let district = try await organizations.create("District")
        let hook = try await owner.create(at: district)
        _ = try await organizations.create("Waiting", below: district)
        try await installation.hookDesk().tell()
        _ = try await organizations.create("Not told yet", below: district)
        let database = installation.database
        // As if the copy had another life before.
        try await database.write { transaction in
            try transaction.setFeedPosition(
                FeedPosition(incarnation: Array(repeating: 7, count: 16), sequence: 2),
                of: HookDesk.source)
        }

        for _ in 0..<2 { try await database.settleHooks(at: installation.clock.now) }
        _ = try await organizations.create("New", below: district)

        #expect(try await words(to: hook) == ["created Waiting", "created New"])
        let failed = try await owner.deliveries(of: hook, .failed)
        #expect(failed.count == 1 && failed[0].lastError.contains("put back"))
    }
}
