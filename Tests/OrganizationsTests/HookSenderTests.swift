import Access
import Foundation
import Messages
import RPC
import ServiceKit
import Storage
import Synchronization
import TestSupport
import Testing
import Webhooks

@testable import Organizations

/// Calls on their way to receivers.
struct HookSenderTests {
    private let installation: Installation
    private let organizations: OrganizationsClient
    private let owner: HooksClient
    private let day: Duration = .seconds(86_400)

    init() throws {
        installation = try Installation(hooks: .onLoopback)
        organizations = try installation.platformOwner()
        owner = try installation.hooks(Access.Grant(.platformOwner))
    }

    /// A hook that was asked for tests.
    private func hook(
        _ url: String = "https://example.com/hook", tests: Int
    ) async throws -> CreateHookReply {
        let name = "School \(installation.identifiers.next(UserID.self))"
        let school = try await organizations.create(name)
        let hook = try await owner.create(url, at: school)
        try await test(hook, tests)
        return hook
    }

    private func test(_ hook: CreateHookReply, _ count: Int = 1) async throws {
        for _ in 0..<count {
            _ = try await owner.testHook(
                TestHookRequest(
                    organizationID: hook.hook?.organizationID ?? "", id: hook.hook?.id ?? ""))
        }
    }

    private func current(_ hook: CreateHookReply) async throws -> Hook {
        let hooks = try await owner.listHooks(
            ListHooksRequest(organizationID: hook.hook?.organizationID ?? "")
        ).hooks
        return try #require(hooks.first { $0.id == hook.hook?.id })
    }

    @Test func `what is told arrives signed, and is noted`() async throws {
        try await HookReceiver.run { receiver in
            let district = try await organizations.create("District")
            let hook = try await owner.create(receiver.url("/hook"), at: district)
            try receiver.know(hook.secret)
            for name in ["Ä", "B", "C"] {
                _ = try await organizations.create(name, below: district)
            }
            try await installation.hookDesk().tell()

            try await installation.hookSender().sendDue()

            let calls = try receiver.calls
            let deliveries = try await owner.deliveries(of: hook)
            #expect(calls.count == 3 && Set(calls.map(\.isVerified)) == [true])
            #expect(Set(calls.map(\.id)) == Set(deliveries.map(\.id)))
            #expect(Set(calls.map(\.body)) == Set(deliveries.map(\.body)))
            #expect(calls.allSatisfy { $0.headers["webhook-timestamp"] == "1767225600" })
            for delivery in deliveries {
                #expect(delivery.state == .delivered && delivery.attempts == 1)
                #expect(delivery.lastStatus == 200 && delivery.lastError.isEmpty)
                #expect(delivery.deliveredAt != nil && delivery.nextAttemptAt == nil)
            }
            try await installation.hookSender().sendDue()
            let after = try receiver.calls
            #expect(after.count == 3, "nothing is sent twice")
        }
    }

    @Test func `what does not arrive is tried for days, as the same call, and fails`()
        async throws
    {
        let made = try await hook(tests: 1)
        let sent = Mutex<[(WallTime, WebhookCall)]>([])
        var pace = HookPace()
        pace.silenceMax = .seconds(30 * 86_400)
        let clock = installation.clock
        let sender = installation.hookSender(pace) { call in
            sent.withLock { $0.append((clock.now, call)) }
            return .answered(500)
        }

        var states: [Messages.HookDeliveryState] = []
        for _ in 0..<(5 * 24 * 60) {
            try await sender.sendDue()
            clock.advance(by: .seconds(60))
        }
        states.append(try #require(try await owner.deliveries(of: made).first).state)

        let delivery = try #require(try await owner.deliveries(of: made).first)
        let calls = sent.withLock { $0 }
        #expect(states == [.failed] && delivery.attempts == 10 && calls.count == 10)
        #expect(delivery.lastStatus == 500)
        #expect(delivery.lastError == "The receiver answered 500.")
        #expect(Set(calls.map(\.1.id)) == [delivery.id] && Set(calls.map(\.1.body)).count == 1)
        let gaps = zip(calls, calls.dropFirst()).map { Int($0.0.duration(to: $1.0) / .seconds(60)) }
        let least = [1, 5, 30, 120, 300, 600, 840, 1_200, 1_440]
        for (gap, least) in zip(gaps, least) {
            #expect((least...(least * 12 / 10 + 6)).contains(gap), "\(gaps)")
        }
        let days = calls[0].0.duration(to: calls[9].0) / day
        #expect((3.0...4.0).contains(days))
    }

    @Test func `a receiver that is gone switches its hook off`() async throws {
        let made = try await hook(tests: 5)
        let count = Mutex(0)
        let sender = installation.hookSender { _ in
            count.withLock { $0 += 1 }
            return .answered(410)
        }

        try await sender.sendDue()
        try await installation.hookDesk().tidy()

        let now = try await current(made)
        #expect(!now.enabled && now.disabledReason == "The receiver answered 410.")
        #expect(now.version == 2)
        // Two were under way.
        #expect(count.withLock { $0 } <= 2)
        let deliveries = try await owner.deliveries(of: made)
        #expect(Set(deliveries.map(\.state)) == [.failed] && deliveries.count == 5)
        #expect(deliveries.last?.lastError == "The hook was switched off.")

        _ = try await owner.updateHook(
            UpdateHookRequest(
                hook: Hook(id: now.id, organizationID: now.organizationID, enabled: true)))
        let on = try await current(made)
        #expect(on.enabled && on.disabledReason.isEmpty)
    }

    @Test func `a hook at which nothing arrives for five days is switched off`() async throws {
        let made = try await hook(tests: 1)
        let answer = Mutex(WebhookOutcome.unanswered("Nobody is there."))
        var pace = HookPace()
        pace.pauses = Array(repeating: day / 3, count: 30)
        let sender = installation.hookSender(pace) { _ in answer.withLock { $0 } }
        for _ in 0..<9 {
            try await sender.sendDue()
            installation.clock.advance(by: day / 2)
        }
        // One that arrives ends the silence.
        answer.withLock { $0 = .answered(204) }
        try await sender.sendDue()
        #expect(try await current(made).enabled)
        answer.withLock { $0 = .unanswered("Nobody is there.") }
        try await test(made)
        for _ in 0..<10 {
            installation.clock.advance(by: day / 2)
            #expect(try await current(made).enabled)
            try await sender.sendDue()
        }

        installation.clock.advance(by: day / 2)
        try await sender.sendDue()

        let off = try await current(made)
        #expect(!off.enabled)
        #expect(off.disabledReason == "Nothing has arrived for 5 days. Nobody is there.")
    }

    @Test func `one attempt that fails after days without a call does not switch a hook off`()
        async throws
    {
        let made = try await hook(tests: 1)
        var pace = HookPace()
        pace.pauses = []
        try await installation.hookSender(pace) { _ in .answered(500) }.sendDue()
        #expect(try await owner.deliveries(of: made, .failed).count == 1)
        installation.clock.advance(by: day * 8)
        let answers = Mutex<[WebhookOutcome]>([.answered(503), .answered(503)])
        let sender = installation.hookSender { _ in
            answers.withLock { $0.popLast() ?? .answered(200) }
        }

        try await test(made)
        for _ in 0..<2 {
            try await sender.sendDue()
            #expect(try await current(made).enabled)
            installation.clock.advance(by: .seconds(600))
        }
        try await sender.sendDue()

        #expect(try await current(made).enabled)
        let last = try #require(try await owner.deliveries(of: made).last)
        #expect(last.state == .delivered && last.attempts == 3)
    }

    @Test(arguments: [
        // Silence in days, failures, tries, and whether that ends a hook.
        (5, 1, 3, true), (5, 2, 2, false), (4, 9, 9, false), (5, 1_000, 1, true),
    ])
    func `silence is judged by calls that were tried often`(
        days: Int, failures: Int, tries: Int, isEnd: Bool
    ) {
        let isEnded = HookPace().endsHook(after: day * days, failures: failures, tries: tries)

        #expect(isEnded == isEnd)
    }

    @Test func `a receiver that is slow holds up nobody else`() async throws {
        try await HookReceiver.run { receiver in
            try receiver.answer(.init(path: "/slow", sleep: 1.5, stays: true))
            let slow = try await hook(receiver.url("/slow"), tests: 6)
            var fast: [CreateHookReply] = []
            for number in 0..<5 {
                fast.append(try await hook(receiver.url("/fast/\(number)"), tests: 10))
            }
            let start = ContinuousClock.now

            let work = Task { try await installation.hookSender().run() }
            var calls: [HookReceiver.Call] = []
            while calls.count(where: { $0.path != "/slow" }) < 50 {
                try #require(start.duration(to: .now) < .seconds(20))
                try await Task.sleep(for: .milliseconds(20))
                calls = try receiver.calls
            }
            let time = start.duration(to: .now)
            while try receiver.calls.count < 56 {
                try #require(start.duration(to: .now) < .seconds(30))
                try await Task.sleep(for: .milliseconds(20))
            }
            work.cancel()
            _ = await work.result

            // Six calls of the slow one take four and a half seconds.
            #expect(time < .seconds(3), "\(time)")
            calls = try receiver.calls
            #expect(calls.filter { $0.path == "/slow" }.map(\.atOnce).max() == 2)
            #expect((calls.map(\.atOnceInAll).max() ?? 0) <= 8)
            _ = slow
        }
    }

    @Test func `a receiver that does not answer is left alone for a while`() async throws {
        let made = try await hook(tests: 100)
        let count = Mutex(0)
        let sender = installation.hookSender { _ in
            count.withLock { $0 += 1 }
            return .unanswered("Nobody is there.")
        }

        // Ten minutes.
        for _ in 0..<600 {
            try await sender.sendDue()
            installation.clock.advance(by: .seconds(1))
        }

        // Without a pause each of the hundred would be tried twice or three times.
        let tried = count.withLock { $0 }
        #expect((5...24).contains(tried), "\(tried)")
        let before = tried
        try await test(made)
        try await sender.sendDue()
        #expect(count.withLock { $0 } > before, "a test goes at once")
    }

    @Test func `what was delivered or has failed is sent again when asked for`() async throws {
        let made = try await hook(tests: 1)
        let sent = Mutex<[String]>([])
        let outcome = Mutex(WebhookOutcome.answered(200))
        let sender = installation.hookSender { call in
            sent.withLock { $0.append(call.id) }
            return outcome.withLock { $0 }
        }
        try await sender.sendDue()
        let delivery = try #require(try await owner.deliveries(of: made).first)
        #expect(delivery.state == .delivered)

        func retry() async throws -> HookDelivery {
            try await owner.retryHookDelivery(
                RetryHookDeliveryRequest(
                    organizationID: made.hook?.organizationID ?? "", hookID: delivery.hookID,
                    id: delivery.id))
        }
        let asked = try await retry()
        outcome.withLock { $0 = .answered(404) }
        try await sender.sendDue()
        let missed = try #require(try await owner.deliveries(of: made).first)
        outcome.withLock { $0 = .answered(202) }
        _ = try await retry()
        try await sender.sendDue()
        let last = try #require(try await owner.deliveries(of: made).first)

        #expect(asked.state == .waiting && asked.nextAttemptAt != nil && asked.deliveredAt == nil)
        #expect(missed.state == .waiting && missed.lastStatus == 404 && missed.attempts == 2)
        #expect(last.state == .delivered && last.lastStatus == 202 && last.attempts == 3)
        #expect(sent.withLock { $0 } == Array(repeating: delivery.id, count: 3))
    }

    @Test func `a hook that is taken away is not called any more, and leaves nothing`()
        async throws
    {
        let made = try await hook(tests: 1_500)
        let kept = try await hook(tests: 1)
        _ = try await owner.deleteHook(
            DeleteHookRequest(
                organizationID: made.hook?.organizationID ?? "", id: made.hook?.id ?? ""))
        let count = Mutex(0)

        try await installation.hookSender { _ in
            count.withLock { $0 += 1 }
            return .answered(200)
        }.sendDue()
        try await installation.hookDesk().tidy()

        #expect(count.withLock { $0 } == 1)
        let left = try await installation.database.read { snapshot in
            try snapshot.row("SELECT count(*) FROM hook_delivery", { try $0.int(0) })
        }
        #expect(left == 1)
        #expect(try await owner.deliveries(of: kept, .delivered).count == 1)
    }

    @Test func `calls are kept for thirty days`() async throws {
        let made = try await hook(tests: 3)
        try await installation.hookSender { _ in .answered(200) }.sendDue()
        func kept() async throws -> [Int?] {
            try await installation.database.purgeHooks(at: installation.clock.now)
            return try await installation.database.read { snapshot in
                [
                    try snapshot.row("SELECT count(*) FROM hook_delivery", { try $0.int(0) }),
                    try snapshot.row("SELECT count(*) FROM hook_event", { try $0.int(0) }),
                ]
            }
        }

        installation.clock.advance(by: day * 30)
        #expect(try await kept() == [3, 3])
        installation.clock.advance(by: .seconds(1))
        #expect(try await kept() == [0, 0])
        #expect(try await owner.deliveries(of: made).isEmpty)
    }
}
