import CoreMetrics
import Foundation
import Logging
import MetricsTestKit
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Mail

/// Mails that wait in a database, and the one that sends them.
@Suite(.timeLimit(.minutes(2))) struct SenderTests {
    @Test func `a letter is queued once for its cause, and sent once to each`() async throws {
        let post = try Post()
        #expect(try await post.queue("a@x.org", "B@x.org", "b@x.org"))
        // In another letter case it is nobody else.
        #expect(try await post.queue("A@x.org", "b@X.org"))

        #expect(try await post.round() == MailSender.Round(tried: 2))
        #expect(try await post.round() == MailSender.Round())

        #expect(post.receivers == ["a@x.org", "B@x.org"])
        #expect(post.ended == ["cause", "cause"])
        #expect(try await post.rows() == ["2 1  - a@x.org", "2 1  - B@x.org"])
        #expect(try await post.findings().isEmpty)
    }

    @Test func `what is not taken now is sent again as the same mail, until it is`() async throws {
        let post = try Post()
        _ = try await post.queue("a@x.org", "b@x.org")
        post.faults([.postponed("450 4.2.1 full"), nil])

        #expect(try await post.round() == MailSender.Round(tried: 2))
        #expect(try await post.rows() == ["1 1 text 450 4.2.1 full a@x.org", "2 1  - b@x.org"])
        #expect(post.ended == ["cause"])
        #expect(try await post.round().tried == 0, "it waits for a while")
        post.advance(.seconds(60))
        _ = try await post.round()

        #expect(post.receivers == ["a@x.org", "b@x.org", "a@x.org"])
        #expect(post.sent[0] == post.sent[2], "the same identifier, date and text")
        #expect(try await post.rows() == ["2 2  - a@x.org", "2 1  - b@x.org"])
    }

    @Test func `what is refused for good is kept with the reason`() async throws {
        let post = try Post()
        _ = try await post.queue("a@x.org", "not an address", "c@x.org")
        post.faults([.refused("550 5.1.1 nobody"), nil])

        _ = try await post.round()
        post.advance(.seconds(86_400))
        _ = try await post.round()

        #expect(
            try await post.rows() == [
                "3 1 text 550 5.1.1 nobody a@x.org",
                "3 1 text this is no address that can be written to not an address",
                "2 1  - c@x.org",
            ])
        #expect(post.receivers == ["a@x.org", "c@x.org"])
        #expect(try await post.outcome == .sent)
    }

    @Test func `when no server is there one mail is tried, and all wait`() async throws {
        let post = try Post()
        for cause in 0..<5 { _ = try await post.queue("a@x.org", cause: "\(cause)") }
        post.faults([.unreachable("no route"), .unreachable("no route")])

        for _ in 0..<2 {
            #expect(try await post.round() == MailSender.Round(tried: 1, isOutage: true))
        }
        // Each time another one: one that alone is at fault does not keep the others.
        #expect(post.sent.count == 2 && post.sent[0] != post.sent[1])
        post.advance(.seconds(4))
        #expect(try await post.round() == MailSender.Round(tried: 5))

        #expect(post.ended.sorted() == ["0", "1", "2", "3", "4"])
    }

    @Test func `after five days a mail is given up`() async throws {
        let post = try Post()
        _ = try await post.queue("a@x.org")
        post.advance(.seconds(5 * 86_400))
        post.faults([.postponed("451 later"), .postponed("451 later")])
        _ = try await post.round()
        #expect(try await post.rows() == ["1 1 text 451 later a@x.org"])

        post.advance(.seconds(60))
        _ = try await post.round()

        #expect(try await post.rows() == ["3 2 text 451 later a@x.org"])
        #expect(post.ended == ["cause"])
        #expect(try await post.outcome == .failed)
    }

    @Test func `the mails of a cause wait until the last one has ended`() async throws {
        let post = try Post()
        #expect(try await post.outcome == .unknown)
        _ = try await post.queue("a@x.org", "b@x.org")
        post.faults([nil, .postponed("450")])

        _ = try await post.round()

        #expect(try await post.outcome == .waiting)
    }

    @Test(arguments: [nil, .refused("550 5.1.1 nobody")] as [MailFault?])
    func `until it is noted what has become of a mail nothing more is sent`(
        fault: MailFault?
    ) async throws {
        let post = try Post()
        _ = try await post.queue("a@x.org", "b@x.org")
        post.faults([fault])
        let before = try await post.rows()
        post.fail(storage: true)
        let work = Task { try await post.round() }
        while post.notesFailed < 4 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(post.receivers == ["a@x.org"])
        #expect(try await post.rows() == before)

        post.fail(storage: false)

        #expect(try await work.value == MailSender.Round(tried: 2))
        #expect(post.receivers == ["a@x.org", "b@x.org"], "each once")
        let attempts = try await post.rows().map { $0.split(separator: " ")[1] }
        #expect(attempts == ["1", "1"])
    }

    @Test func `what was sent and could not be noted before the end is sent again as the same`()
        async throws
    {
        let post = try Post()
        _ = try await post.queue("a@x.org")
        post.fail(storage: true)
        let work = Task { try await post.round() }
        while post.notesFailed == 0 { try await Task.sleep(for: .milliseconds(5)) }
        work.cancel()
        await #expect(throws: CancellationError.self) { try await work.value }
        post.fail(storage: false)

        _ = try await post.round()
        _ = try await post.round()

        #expect(post.sent.count == 2 && post.sent[0] == post.sent[1])
    }

    @Test func `pauses before a note is tried again double, up to five minutes`() {
        let pauses = [1, 2, 3, 9, 10, 1_000_000].map { MailPace().notePause(after: $0) }

        #expect(pauses == [1, 2, 4, 256, 300, 300].map { Duration.seconds($0) })
    }

    @Test func `pauses grow, with any length up to the most`() {
        var random = SplitMix(seed: 5)
        func pauses(after attempts: Int) -> [Duration] {
            (0..<1_000).map { _ in
                MailPace.pause(
                    after: attempts, first: .seconds(60), last: .seconds(3_600), using: &random)
            }
        }

        let most = [1, 2, 3, 7, 1_000_000].map { pauses(after: $0).max() ?? .zero }
        #expect(most[0] <= .seconds(60) && most[0] > .seconds(55))
        #expect(most[1] <= .seconds(120) && most[1] > .seconds(110))
        #expect(most[2] <= .seconds(240) && most[2] > .seconds(220))
        #expect(most[3] <= .seconds(3_600) && most[3] > .seconds(3_300))
        #expect(most[4] <= .seconds(3_600))
        #expect(pauses(after: 1).allSatisfy { $0 >= .seconds(1) })
        #expect(pauses(after: 7).min() ?? .zero < .seconds(60))
    }

    @Test func `a full outbox takes nothing, and has room again once mails went out`()
        async throws
    {
        let post = try Post()
        try await post.database.write { [now = post.now] transaction in
            let letter = try Letter(subject: "s", text: "t")
            for number in 0..<Outbox.waitingMax - 1 {
                _ = try transaction.queue(letter, to: ["a@x.org"], cause: "\(number)", at: now)
            }
        }

        #expect(try await !post.queue("a@x.org", "b@x.org"))
        #expect(try await post.queue("a@x.org", cause: "last"))
        #expect(try await !post.queue("a@x.org", cause: "one more"))
        #expect(try await post.round().tried == 50, "a batch")

        #expect(try await post.queue("a@x.org", "b@x.org"))
        let counts = try await post.database.read { try $0.outboxCounts() }
        #expect(counts.waiting == Outbox.waitingMax - 48)
    }

    @Test func `what ended is forgotten in its time, what waits is not`() async throws {
        let post = try Post()
        _ = try await post.queue("a@x.org", "b@x.org", "c@x.org")
        post.faults([nil, .refused("550"), .postponed("450")])
        _ = try await post.round()

        var counts: [Int] = []
        for days in [30, 1, 59, 1, 1_000] {
            post.advance(.seconds(86_400 * days))
            try await post.database.purgeMails(at: post.now)
            counts.append(try await post.rows().count)
        }

        #expect(counts == [3, 2, 2, 1, 1])
        #expect(try await post.rows() == ["1 1 text 450 c@x.org"])
    }

    @Test func `a backend is told how long the oldest waits, and how many there are`()
        async throws
    {
        let metrics = TestMetrics()
        let post = try withMetricsFactory(metrics) { try Post() }
        _ = try await post.queue("a@x.org", "b@x.org", "c@x.org")
        post.faults([nil, .refused("550"), .postponed("450")])
        post.advance(.seconds(90))
        _ = try await post.round()

        try await post.sender.measure()

        #expect(try metrics.expectRecorder("mail_oldest_seconds").lastValue == 90)
        #expect(try metrics.expectRecorder("mail_waiting").lastValue == 1)
        #expect(try metrics.expectRecorder("mail_failed").lastValue == 1)
        #expect(try metrics.expectCounter("mail_sent_total").totalValue == 1)
        #expect(try metrics.expectCounter("mail_failed_total").totalValue == 1)
    }

    @Test func `it runs until it is stopped, and notes what it was sending then`() async throws {
        // What is being sent arrives once the sender is stopped.
        let post = try Post(delivering: { _ in _ = try? await Task.sleep(for: .seconds(60)) })
        let work = Task { try await post.sender.run() }
        _ = try await post.queue("a@x.org", "b@x.org")
        while post.sent.isEmpty { try await Task.sleep(for: .milliseconds(20)) }

        work.cancel()

        await #expect(throws: CancellationError.self) { try await work.value }
        #expect(try await post.rows() == ["2 1  - a@x.org", "1 0 text - b@x.org"])
        #expect(post.ended == ["cause"] && post.receivers == ["a@x.org"])
    }

    @Test func `through a real server nothing is lost and nothing doubled`() async throws {
        try await RealServer.run { server in
            let transport = try server.transport()
            let post = try Post(delivering: transport.deliver)
            _ = try await post.queue("a@x.org", "b@x.org", "c@x.org")
            try server.answer(
                .init(at: "receiver", say: "450 4.2.1 full"),
                .init(at: "receiver", say: "550 5.1.1 nobody"))

            _ = try await post.round()
            post.advance(.seconds(120))
            _ = try await post.round()

            #expect(
                try await post.rows() == [
                    "2 2  - a@x.org", "3 1 text 550 5.1.1 nobody b@x.org", "2 1  - c@x.org",
                ])
            let contents = try server.events("content")
            #expect(contents.map(\.receivers) == [["c@x.org"], ["a@x.org"]])
            #expect(Set(contents.map(\.messageID)).count == 2)
        }
    }
}

/// A database with an outbox, a sender and a clock that a test moves.
final class Post: Sendable {
    private struct State {
        var now = WallTime(microseconds: 1_767_225_600_000_000)
        var faults: [MailFault?] = []
        var sent: [MailMessage] = []
        var ended: [String] = []
        var failsToNote = false
        var notesFailed = 0
    }

    let database: Database
    let sender: MailSender
    private let folder: Folder
    private let state: Mutexed

    /// What closures share.
    private final class Mutexed: Sendable {
        let value = Mutex(State())
    }

    init(delivering deliver: (@Sendable (MailMessage) async throws(MailFault) -> Void)? = nil)
        throws
    {
        folder = try Folder()
        database = try Database(
            DatabaseConfiguration(path: folder.file("db")), migrations: Outbox.migrations)
        let state = Mutexed()
        self.state = state
        var sender = MailSender(
            database: database, from: try #require(Mailbox("Guildhall <no-reply@example.com>")),
            clock: { state.value.withLock { $0.now } }, logger: Logger(label: "test"),
            deliver: { message throws(MailFault) in
                let fault = state.value.withLock { state -> MailFault? in
                    state.sent.append(message)
                    return state.faults.isEmpty ? nil : state.faults.removeFirst()
                }
                if let fault { throw fault }
                try await deliver?(message)
            },
            ended: { _, cause in
                try state.value.withLock { state in
                    if state.failsToNote {
                        state.notesFailed += 1
                        throw StorageFault.sql("not now")
                    }
                    state.ended.append(cause)
                }
            })
        sender.pace.notePauseMin = .milliseconds(5)
        self.sender = sender
    }

    deinit { database.close() }

    var now: WallTime { state.value.withLock { $0.now } }
    var sent: [MailMessage] { state.value.withLock { $0.sent } }
    var receivers: [String] { sent.map(\.to.text) }
    /// The causes of mails that ended.
    var ended: [String] { state.value.withLock { $0.ended } }

    func advance(_ time: Duration) {
        state.value.withLock { $0.now = $0.now.advanced(by: time) }
    }

    /// How the next deliveries end.
    func faults(_ faults: [MailFault?]) { state.value.withLock { $0.faults = faults } }

    /// Makes ends of mails not to be noted, or lets them.
    func fail(storage fails: Bool) { state.value.withLock { $0.failsToNote = fails } }

    /// How often the end of a mail was not noted.
    var notesFailed: Int { state.value.withLock { $0.notesFailed } }

    /// What has become of the mails that a test has queued.
    var outcome: Outbox.State {
        get async throws { try await database.read { try $0.outboxState(of: "cause") } }
    }

    func round() async throws -> MailSender.Round { try await sender.round() }

    func queue(_ receivers: String..., cause: String = "cause") async throws -> Bool {
        let now = now
        return try await database.write { transaction in
            try transaction.queue(
                try Letter(subject: "Subject", text: "text"), to: receivers, cause: cause, at: now)
        }
    }

    /// State, attempts, content, reason and receiver of each mail.
    func rows() async throws -> [String] {
        try await database.read { snapshot in
            try snapshot.rows(
                """
                SELECT state, attempts, content, reason, receiver FROM mail
                ORDER BY number LIMIT 20
                """
            ) { row in
                let reason = try row.textOrNil(3) ?? "-"
                return """
                    \(try row.int(0)) \(try row.int(1)) \(try row.text(2)) \(reason) \
                    \(try row.text(4))
                    """
            }
        }
    }

    /// What the verifier of the outbox finds wrong.
    func findings() async throws -> [String] {
        let found = Mutex<[String]>([])
        try await database.verify([Outbox.verifier]) { findings in
            found.withLock { $0 += findings.differences }
        }
        return found.withLock { $0 }
    }
}
