import Access
import Messages
import RPC
import ServiceKit
import Storage
import Synchronization
import Testing

@Suite struct CommandTests {
    private let installation = Installation()
    private let shelf: Shelf
    private let channel: any Channel

    init() throws {
        shelf = Shelf(
            try installation.database("shelf", Shelf.migrations), clock: installation.clock.clock)
        channel = try installation.channel(
            try installation.router("shelf", shelf.methods), from: "partners", to: "shelf")
    }

    private func put(_ title: String, key: String?) async throws -> Organization {
        try await call(channel, Shelf.put, Organization(title: title), key: key)
    }

    @Test func `a command sent twice happens once and answers the same`() async throws {
        let first = try await put("Atlas", key: "k1")
        installation.clock.advance(by: .seconds(20))
        let second = try await put("Atlas", key: "k1")

        #expect(first == second)
        #expect(first.createdAt != nil)
        #expect(try await shelf.titles == ["Atlas"])
    }

    @Test func `a command without a key is refused`() async throws {
        let refused = await status { try await put("Atlas", key: nil) }

        #expect(refused?.code == .invalidArgument)
        #expect(refused?.reason == "idempotency_key_required")
    }

    @Test(arguments: ["with space", "tab\t", "ümlaut", String(repeating: "k", count: 129)])
    func `a key that is not visible ASCII is refused`(key: String) async throws {
        let refused = await status { try await put("Atlas", key: key) }

        #expect(refused?.code == .invalidArgument)
        #expect(try await shelf.titles == [])
    }

    @Test func `a key used for another request is refused`() async throws {
        _ = try await put("Atlas", key: "k1")

        let refused = await status { try await put("Globe", key: "k1") }

        #expect(refused?.reason == "idempotency_mismatch")
        #expect(try await shelf.titles == ["Atlas"])
    }

    @Test func `a refusal is undone, stored and answered again with every detail`() async throws {
        _ = try await put("Atlas", key: "k1")

        let first = await status { try await put("Atlas", key: "k2") }
        _ = try await shelf.database.write { try $0.execute("DELETE FROM item") }
        let again = await status { try await put("Atlas", key: "k2") }

        #expect(first == Shelf.Refusal.taken.status)
        #expect(again == first)
        #expect(try await shelf.titles == [])
        #expect(shelf.runs.withLock { $0 } == 2)
    }

    @Test func `a refusal that may pass is not stored`() async throws {
        let first = await status { try await put("busy", key: "k1") }
        let second = await status { try await put("busy", key: "k1") }

        #expect(first?.code == .aborted)
        #expect(second?.code == .aborted)
        #expect(shelf.runs.withLock { $0 } == 2)
    }

    @Test func `a defect leaves with a fixed sentence and its detail in the log`() async throws {
        let refused = await status { try await put("defect", key: "k1") }

        #expect(refused?.code == .internal)
        #expect(refused?.message.contains("secret") == false)
        guard case .errorInfo(let reason, let domain, let facts)? = refused?.details.first else {
            Issue.record("no details")
            return
        }
        #expect(reason == "internal" && domain == "guildhall")
        let correlation = try #require(facts["correlation_id"])
        #expect(
            installation.log.lines.contains { $0.contains(correlation) && $0.contains("secret") })
    }

    @Test func `keys of two callers do not meet`() async throws {
        let router = try installation.router("shelf", shelf.methods)
        let other = try installation.channel(router, from: "membership", to: "shelf")

        let mine = try await put("Atlas", key: "k1")
        let theirs: Organization = try await call(
            other, Shelf.put, Organization(title: "Globe"), key: "k1")

        #expect(mine.title == "Atlas" && theirs.title == "Globe")
    }

    @Test func `a command cancelled after it came is undone once`() async throws {
        _ = try await put("Atlas", key: "k1")

        for _ in 0..<2 {
            let _: CancelPreparationReply = try await call(
                channel, Shelf.cancel, CancelPreparationRequest(preparationKey: "k1"), key: "c1")
        }
        let late = await status { try await put("Atlas", key: "k1") }

        #expect(late?.reason == "command_cancelled")
        #expect(try await shelf.titles == [])
    }

    @Test func `a command cancelled before it came never happens`() async throws {
        let _: CancelPreparationReply = try await call(
            channel, Shelf.cancel, CancelPreparationRequest(preparationKey: "k1"), key: "c1")

        let late = await status { try await put("Atlas", key: "k1") }

        #expect(late?.code == .aborted)
        #expect(try await shelf.titles == [])
    }

    @Test func `a busy database says when to come again`() async throws {
        shelf.database.close()

        let refused = await status { try await put("Atlas", key: "k1") }

        #expect(refused?.code == .resourceExhausted)
        let hasHint = refused?.details.contains { detail in
            if case .retryInfo = detail { true } else { false }
        }
        #expect(hasHint == true)
    }

    @Test func `a commit that fails is answered as unknown, for the same key to find out`()
        async throws
    {
        var settings = DatabaseConfiguration(path: "\(installation.folder.path)/frail.db")
        let engine = FailingEngine(path: settings.path)
        settings.engine = engine
        let frail = Shelf(
            try Database(settings, migrations: Shelf.migrations), clock: installation.clock.clock)
        let channel = try installation.channel(
            try installation.router("shelf", frail.methods), from: "partners", to: "shelf")
        engine.failsCommits.withLock { $0 = true }

        let unknown = await status {
            let _: Organization = try await call(
                channel, Shelf.put, Organization(title: "Atlas"), key: "k1")
        }
        let later = await status {
            let _: Organization = try await call(
                channel, Shelf.put, Organization(title: "Globe"), key: "k2")
        }

        #expect(unknown?.code == .unknown)
        #expect(unknown?.reason == "outcome_unknown")
        #expect(later?.reason == "outcome_unknown", "no more work is taken")
        frail.database.close()
        let reopened = Shelf(
            try installation.database("frail", Shelf.migrations), clock: installation.clock.clock)
        let healthy = try installation.channel(
            try installation.router("shelf", reopened.methods), from: "partners", to: "shelf")
        let found: Organization = try await call(
            healthy, Shelf.put, Organization(title: "Atlas"), key: "k1")
        #expect(found.title == "Atlas")
        #expect(try await reopened.titles == ["Atlas"])
    }

    @Test func `what a call reads too late is not read`() async throws {
        let late = Deadline.after(.zero)

        let fault = await Deadline.$current.withValue(late) {
            do {
                _ = try await shelf.titles
                return nil as StorageFault?
            } catch {
                return error as? StorageFault
            }
        }

        guard case .busy(let pause) = fault else {
            Issue.record("\(String(describing: fault))")
            return
        }
        #expect(pause > .zero)
        #expect(try await shelf.titles == [])
    }
}
