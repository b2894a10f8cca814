import Access
import Messages
import RPC
import ServiceKit
import Storage
import Synchronization
import Testing
import Webhooks

@testable import Organizations

/// What has become of calls, noted where it belongs while other things go on.
struct HookOutcomeTests {
    private let installation: Installation
    private let organizations: OrganizationsClient
    private let owner: HooksClient

    init() throws {
        installation = try Installation(hooks: .onLoopback)
        organizations = try installation.platformOwner()
        owner = try installation.hooks(Access.Grant(.platformOwner))
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

    private func only(_ hook: CreateHookReply) async throws -> HookDelivery {
        let deliveries = try await owner.deliveries(of: hook)
        try #require(deliveries.count == 1)
        return deliveries[0]
    }

    private func number(of hook: CreateHookReply) async throws -> Int64? {
        let id = try HookID(requestText: hook.hook?.id ?? "", field: "id")
        return try await installation.database.read { snapshot in
            try snapshot.row("SELECT number FROM hook WHERE id = \(id)", { try $0.int64(0) })
        }
    }

    /// Of a hook: the failures, and until when it is not called.
    private func pause(of hook: CreateHookReply) async throws -> [Int64] {
        let id = try HookID(requestText: hook.hook?.id ?? "", field: "id")
        return try await installation.database.read { snapshot in
            try snapshot.row(
                "SELECT failures, resume_micros FROM hook WHERE id = \(id)",
                { [try $0.int64(0), try $0.int64(1)] }) ?? []
        }
    }

    @Test func `what becomes of a call is noted at no other, whatever took its number`()
        async throws
    {
        let school = try await organizations.create("School")
        let old = try await owner.create("https://example.com/old", at: school)
        try await test(old, 2)
        let receiver = HeldReceiver(holding: "/old")
        let sender = installation.hookSender { await receiver.answer($0) }
        let work = Task { try await sender.run() }
        try await until { receiver.paths.count == 2 }
        let number = try await number(of: old)
        _ = try await owner.deleteHook(
            DeleteHookRequest(organizationID: school.id, id: old.hook?.id ?? ""))
        try await installation.hookDesk().tidy()

        let new = try await owner.create("https://example.com/new", at: school)
        receiver.reply("/new", .answered(404))
        try await test(new)
        try await until { receiver.paths.count == 3 }
        receiver.release(.answered(410))
        // What was under way is noted first.
        work.cancel()
        _ = await work.result

        #expect(try await self.number(of: new) == number, "else there is nothing to see")
        let call = try await only(new)
        #expect(receiver.paths.last == "/new")
        #expect(call.state == .waiting && call.attempts == 1 && call.lastStatus == 404)
        let hook = try await current(new)
        #expect(hook.enabled && hook.version == 1)
    }

    @Test func `slow hooks of one organization leave room for those of another`() async throws {
        let (slow, other) = (
            try await organizations.create("Slow"), try await organizations.create("Other")
        )
        for _ in 0..<5 {
            try await test(try await owner.create("https://example.com/slow", at: slow), 3)
        }
        let fast = try await owner.create("https://example.com/fast", at: other)
        try await test(fast, 6)
        let receiver = HeldReceiver(holding: "/slow")
        let sender = installation.hookSender { await receiver.answer($0) }

        let work = Task { try await sender.run() }
        try await until { receiver.paths.count { $0 == "/fast" } == 6 }
        let begun = receiver.paths.count { $0 == "/slow" }
        receiver.release(.answered(200))
        try await until { receiver.paths.count == 21 }
        work.cancel()
        _ = await work.result

        #expect(begun == 4)
        #expect(try await owner.deliveries(of: fast, .delivered).count == 6)
    }

    @Test(arguments: [
        WebhookOutcome.answered(410), .answered(503), .unanswered("Nobody is there."),
    ])
    func `what the old address answers says nothing of a hook that was mended`(
        outcome: WebhookOutcome
    ) async throws {
        let school = try await organizations.create("School")
        let made = try await owner.create("https://example.com/old", at: school)
        try await test(made)
        let receiver = HeldReceiver(holding: "/old")
        let sender = installation.hookSender { await receiver.answer($0) }
        let work = Task { try await sender.sendDue() }
        try await until { receiver.paths.count == 1 }
        _ = try await owner.updateHook(
            UpdateHookRequest(
                hook: Hook(
                    id: made.hook?.id ?? "", organizationID: school.id,
                    url: "https://example.com/new")))

        receiver.release(outcome)
        try await work.value

        let mended = try await current(made)
        #expect(mended.enabled && mended.version == 2)
        #expect(try await pause(of: made) == [0, 0])
        let missed = try await only(made)
        #expect(missed.state == .waiting && missed.attempts == 1)
        installation.clock.advance(by: .seconds(7))
        try await sender.sendDue()
        #expect(receiver.paths == ["/old", "/new"])
        #expect(try await only(made).state == .delivered)
    }

    @Test func `a call that is asked for while it is under way is sent again at once`()
        async throws
    {
        let school = try await organizations.create("School")
        let made = try await owner.create("https://example.com/a", at: school)
        try await test(made)
        let first = installation.hookSender { _ in .answered(404) }
        try await first.sendDue()
        installation.clock.advance(by: .seconds(7))
        try await first.sendDue()
        installation.clock.advance(by: .seconds(361))
        let receiver = HeldReceiver(holding: "/a")
        let sender = installation.hookSender { await receiver.answer($0) }
        let work = Task { try await sender.sendDue() }
        try await until { receiver.paths.count == 1 }
        let delivery = try await only(made)
        let asked = try await owner.retryHookDelivery(
            RetryHookDeliveryRequest(
                organizationID: school.id, hookID: delivery.hookID, id: delivery.id))

        receiver.reply("/a", .answered(200))
        receiver.release(.answered(404))
        try await work.value

        #expect(asked.state == .waiting && asked.attempts == 2)
        #expect(receiver.paths == ["/a", "/a"])
        let last = try await only(made)
        #expect(last.state == .delivered && last.attempts == 4)
    }

    @Test func `what arrives counts, whatever was thought of it meanwhile`() async throws {
        let school = try await organizations.create("School")
        let made = try await owner.create("https://example.com/a", at: school)
        try await test(made)
        let receiver = HeldReceiver(holding: "/a")
        let sender = installation.hookSender { await receiver.answer($0) }
        let work = Task { try await sender.sendDue() }
        try await until { receiver.paths.count == 1 }
        _ = try await owner.updateHook(
            UpdateHookRequest(
                hook: Hook(id: made.hook?.id ?? "", organizationID: school.id),
                updateMask: FieldMask(paths: ["enabled"])))
        try await installation.hookDesk().tidy()
        let failed = try await only(made)

        receiver.release(.answered(204))
        try await work.value

        #expect(failed.state == .failed && failed.lastError == "The hook was switched off.")
        let arrived = try await only(made)
        #expect(arrived.state == .delivered && arrived.attempts == 1)
        #expect(arrived.lastStatus == 204 && arrived.lastError.isEmpty)
    }

    /// Waits for what happens soon.
    private func until(_ isSo: () -> Bool) async throws {
        let start = ContinuousClock.now
        while !isSo() {
            try #require(start.duration(to: .now) < .seconds(10))
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// A receiver that takes its time at one path, and answers 200 at others, until it is told more.
private final class HeldReceiver: Sendable {
    private struct State {
        var paths: [String] = []
        var replies: [String: WebhookOutcome] = [:]
        /// What the calls that are held are answered; nil: they still are.
        var released: WebhookOutcome?
    }

    private let held: String
    private let state = Mutex(State())

    init(holding path: String) {
        held = path
    }

    /// The paths that were called.
    var paths: [String] { state.withLock { $0.paths } }

    /// Has calls of a path answered so; those that are held are not.
    func reply(_ path: String, _ outcome: WebhookOutcome) {
        state.withLock { $0.replies[path] = outcome }
    }

    /// Answers the calls that are held, and holds none any more.
    func release(_ outcome: WebhookOutcome) {
        state.withLock { $0.released = outcome }
    }

    func answer(_ call: WebhookCall) async -> WebhookOutcome {
        let path = "/\(call.url.split(separator: "/").last ?? "")"
        let isHeld = state.withLock { state in
            state.paths.append(path)
            return path == held && state.released == nil
        }
        guard isHeld else { return state.withLock { $0.replies[path] ?? .answered(200) } }
        while true {
            if let outcome = state.withLock({ $0.released }) { return outcome }
            // Of a task that is cancelled the pause is over at once.
            try? await Task.sleep(for: .milliseconds(5))
        }
    }
}
