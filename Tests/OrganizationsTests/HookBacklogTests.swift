import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing
import Webhooks

@testable import Organizations

/// How many calls wait for a hook: kept with each of them, and looked at before another is queued.
struct HookBacklogTests {
    private let installation: Installation
    private let organizations: OrganizationsClient
    private let owner: HooksClient

    init() throws {
        var pace = HookPace()
        pace.waitingMax = 3
        installation = try Installation(hookPace: pace)
        organizations = try installation.platformOwner()
        owner = try installation.hooks(Access.Grant(.platformOwner))
    }

    private func test(_ hook: CreateHookReply) async throws -> HookDelivery {
        try await owner.testHook(
            TestHookRequest(
                organizationID: hook.hook?.organizationID ?? "", id: hook.hook?.id ?? ""))
    }

    private func retry(_ delivery: HookDelivery, at organization: Organization) async throws
        -> HookDelivery
    {
        try await owner.retryHookDelivery(
            RetryHookDeliveryRequest(
                organizationID: organization.id, hookID: delivery.hookID, id: delivery.id))
    }

    /// How many calls are said to wait for each hook.
    private func waiting() async throws -> [Int] {
        #expect(try await installation.findings().isEmpty)
        return try await installation.database.read { snapshot in
            try snapshot.rows("SELECT waiting FROM hook ORDER BY number LIMIT 9") { row in
                try row.int(0)
            }
        }
    }

    @Test func `as many calls wait as may, and a test or a repetition of more is refused`()
        async throws
    {
        let school = try await organizations.create("School")
        let (hook, other) = (
            try await owner.create(at: school), try await owner.create(at: school)
        )
        let sent = try await test(hook)
        try await installation.hookSender { _ in .answered(200) }.sendDue()
        for _ in 0..<3 { _ = try await test(hook) }
        #expect(try await waiting() == [3, 0])

        let more = try await refusal { try await test(hook) }
        let again = try await refusal { try await retry(sent, at: school) }
        _ = try await test(other)

        #expect(more.reason == "validation" && more.message.contains("3 calls that wait"))
        #expect(again.reason == "validation")
        #expect(try await waiting() == [3, 1])
        try await installation.hookSender { _ in .answered(200) }.sendDue()
        #expect(try await waiting() == [0, 0])
        #expect(try await retry(sent, at: school).state == .waiting)
        #expect(try await waiting() == [1, 0])
    }

    @Test func `whatever becomes of calls, those that wait are known`() async throws {
        let school = try await organizations.create("School")
        let (one, two) = (try await owner.create(at: school), try await owner.create(at: school))
        for number in 0..<5 { _ = try await organizations.create("\(number)", below: school) }
        var pace = HookPace()
        pace.waitingMax = 3
        let desk = installation.hookDesk(pace)
        try await desk.tell()
        #expect(try await waiting() == [5, 5])

        try await desk.tidy()
        #expect(try await waiting() == [3, 3])
        pace.pauses = []
        pace.callsOfHookMax = 1
        // Two arrive nowhere and fail for good, the others wait on: their hooks are left alone.
        try await installation.hookSender(pace) { _ in .answered(500) }.sendDue()
        #expect(try await waiting() == [2, 2])
        _ = try await owner.updateHook(
            UpdateHookRequest(
                hook: Hook(id: one.hook?.id ?? "", organizationID: school.id),
                updateMask: FieldMask(paths: ["enabled"])))
        try await desk.tidy()
        #expect(try await waiting() == [0, 2])
        installation.clock.advance(by: .seconds(31 * 86_400))
        try await installation.database.purgeHooks(at: installation.clock.now)
        #expect(try await waiting() == [0, 0])
        _ = try await test(two)
        _ = try await owner.deleteHook(
            DeleteHookRequest(organizationID: school.id, id: two.hook?.id ?? ""))
        try await desk.tidy()
        #expect(try await waiting() == [0])
    }

    @Test func `what waited before the number was kept is counted`() async throws {
        let file = OldDatabase()
        let old = try file.open(before: "told-types-waiting-calls")
        try await old.write { [now = file.now] transaction in
            try transaction.addSchool(
                "School", number: 1, id: OrganizationID(high: 1, low: 1), at: now)
            let secret = [UInt8](repeating: 1, count: 32)
            for hook in 1...2 {
                try transaction.execute(
                    """
                    INSERT INTO hook (number, id, organization, url, kinds, secret, state,
                        disabled_reason, after_sequence, failures, resume_micros, created_by,
                        created_micros, updated_micros, version)
                    VALUES (\(hook), \(HookID(high: 3, low: UInt64(hook))), 1, 'https://a.example',
                        0, \(secret), 1, '', 0, 0, 0, 'test', \(now), \(now), 1)
                    """)
            }
            for (number, state) in [1, 1, 2, 3, 1].enumerated() {
                try transaction.execute(
                    """
                    INSERT INTO hook_delivery (id, hook, event, state, attempts, tries,
                        last_status, last_error, created_micros, due_micros)
                    VALUES (\(HookDeliveryID(high: 4, low: UInt64(number))), 1, 1, \(state), 0, 0,
                        0, '', \(now), \(now))
                    """)
            }
        }
        old.close()

        let database = try file.open()
        let waiting = try await database.read { snapshot in
            try snapshot.rows("SELECT waiting FROM hook ORDER BY number LIMIT 9") { row in
                try row.int(0)
            }
        }
        database.close()

        #expect(waiting == [3, 0])
    }

    @Test func `a hook with too many is found by an index`() async throws {
        let plan = try await installation.database.read { snapshot in
            let statement = Statements.hooks(withMoreCallsThan: 100_000, limit: 1_000)
            return try snapshot.rows("EXPLAIN QUERY PLAN \(statement)") { try $0.text(3) }
        }

        #expect(plan.count == 1 && plan[0].contains("hook_waiting"), "\(plan)")
    }
}
