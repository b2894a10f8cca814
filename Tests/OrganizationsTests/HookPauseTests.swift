import Access
import CoreMetrics
import Messages
import MetricsTestKit
import RPC
import ServiceKit
import Storage
import Synchronization
import Testing
import Webhooks

@testable import Organizations

/// Receivers that ask to be left alone, and what is counted of attempts.
struct HookPauseTests {
    private let installation: Installation
    private let organizations: OrganizationsClient
    private let owner: HooksClient

    init() throws {
        installation = try Installation()
        organizations = try installation.platformOwner()
        owner = try installation.hooks(Access.Grant(.platformOwner))
    }

    private func hook(tests: Int) async throws -> CreateHookReply {
        let hook = try await owner.create(at: try await organizations.create("School"))
        for _ in 0..<tests {
            _ = try await owner.testHook(
                TestHookRequest(
                    organizationID: hook.hook?.organizationID ?? "", id: hook.hook?.id ?? ""))
        }
        return hook
    }

    /// Seconds until the hook is called after an answer, looked at every ten seconds.
    private func pause(
        after outcome: WebhookOutcome, atMost most: Int
    ) async throws -> Int? {
        _ = try await hook(tests: 5)
        let count = Mutex(0)
        var pace = HookPace()
        pace.callsOfHookMax = 1
        let sender = installation.hookSender(pace) { _ in
            count.withLock { $0 += 1 }
            return count.withLock { $0 } == 1 ? outcome : .answered(200)
        }
        try await sender.sendDue()
        try #require(count.withLock { $0 } == 1, "the other calls wait with it")
        for step in 1...(most / 10) {
            installation.clock.advance(by: .seconds(10))
            try await sender.sendDue()
            if count.withLock({ $0 }) > 1 { return step * 10 }
        }
        return nil
    }

    @Test(arguments: [429, 503])
    func `a receiver that asks to be left alone is, with all calls of the hook`(
        status: Int
    ) async throws {
        let outcome = WebhookOutcome.answered(status, retryAfter: .seconds(1_800))

        #expect(try await pause(after: outcome, atMost: 4_000) == 1_800)
    }

    @Test(arguments: [
        WebhookOutcome.answered(500, retryAfter: .seconds(1_800)), .answered(503), .answered(429),
        .answered(429, retryAfter: .seconds(1)),
    ])
    func `other answers, and those that ask for less, wait as long as always`(
        outcome: WebhookOutcome
    ) async throws {
        #expect(try await pause(after: outcome, atMost: 100) == 10)
    }

    @Test(arguments: [WebhookOutcome.answered(200), .answered(500), .answered(404)])
    func `another call that is under way does not shorten what was asked for`(
        other: WebhookOutcome
    ) async throws {
        _ = try await hook(tests: 4)
        let count = Mutex(0)
        let sender = installation.hookSender { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            if number == 1 { return .answered(429, retryAfter: .seconds(1_800)) }
            // It is answered after the first.
            if number == 2 { _ = try? await Task.sleep(for: .milliseconds(300)) }
            return number == 2 ? other : .answered(200)
        }

        try await sender.sendDue()
        installation.clock.advance(by: .seconds(1_799))
        try await sender.sendDue()
        let before = count.withLock { $0 }
        installation.clock.advance(by: .seconds(1))
        try await sender.sendDue()

        #expect(before == 2)
        #expect(count.withLock { $0 } > 2)
    }

    @Test func `no receiver is left alone for longer than the longest pause of the schedule`()
        async throws
    {
        let outcome = WebhookOutcome.answered(503, retryAfter: .seconds(400 * 86_400))

        #expect(try await pause(after: outcome, atMost: 2 * 86_400) == 86_400)
    }

    @Test func `the call itself waits as long, and its attempts are as many as always`()
        async throws
    {
        let made = try await hook(tests: 1)
        let start = installation.clock.now
        let sender = installation.hookSender { _ in
            .answered(429, retryAfter: .seconds(3_600))
        }

        try await sender.sendDue()

        let delivery = try #require(try await owner.deliveries(of: made).first)
        let due = try #require(delivery.nextAttemptAt.flatMap { WallTime($0) })
        #expect(delivery.state == .waiting && delivery.attempts == 1)
        #expect((3_600.0...4_320.0).contains(start.duration(to: due) / .seconds(1)))
        var generator = SystemRandomNumberGenerator()
        let pace = HookPace()
        #expect(pace.pause(after: 10, asked: .seconds(60), using: &generator) == nil)
        let late = try #require(pace.pause(after: 9, asked: .seconds(60), using: &generator))
        #expect(late >= .seconds(24 * 3_600), "what is asked for shortens nothing")
    }

    @Test func `a backend of metrics is told of attempts that arrived, and of those that did not`()
        async throws
    {
        let made = try await hook(tests: 3)
        let metrics = TestMetrics()
        let answers = Mutex<[WebhookOutcome]>([
            .answered(204), .unanswered("Nobody is there."), .answered(404), .answered(200),
        ])
        let sender = withMetricsFactory(metrics) {
            installation.hookSender { _ in
                answers.withLock { $0.popLast() ?? .answered(200) }
            }
        }

        for _ in 0..<4 {
            try await sender.sendDue()
            installation.clock.advance(by: .seconds(400))
        }

        #expect(try await owner.deliveries(of: made, .delivered).count == 3)
        #expect(try metrics.expectCounter("hook_attempts_delivered_total").totalValue == 3)
        #expect(try metrics.expectCounter("hook_attempts_failed_total").totalValue == 2)
    }
}
