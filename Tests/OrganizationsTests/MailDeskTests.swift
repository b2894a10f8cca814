import Access
import Foundation
import Logging
import Mail
import Messages
import RPC
import ServiceKit
import Storage
import Synchronization
import Testing

@testable import Organizations

/// Mails about last days: found by the sweep, written once Membership says to whom.
struct MailDeskTests {
    /// 2026-01-01T00:00:00Z, as the manual clock begins.
    private let installation: Installation
    private let members = MailMembers()
    private let day: Duration = .seconds(86_400)

    init() throws {
        installation = try Installation()
    }

    private var desk: MailDesk { installation.mailDesk(members) }

    /// What a running service does in a moment.
    private func work() async throws {
        try await installation.upkeep().noteNotices(at: installation.clock.now)
        try await desk.writeNotices()
    }

    private func mails() async throws -> [QueuedMail] { try await installation.mails() }

    private func trial(_ day: String) -> Trial { Trial(enabled: true, validUntil: day) }

    @Test func `owners and the sales representative are mailed three times, once each`()
        async throws
    {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School", trial: trial("2026-01-31"))
        _ = try await owner.update(school, paths: ["sales_rep_email"]) {
            $0.salesRepEmail = "rep@example.org"
        }
        members.answer(["ada@example.org", "Rep@example.org"])

        for _ in 0..<45 {
            for _ in 0..<3 { try await work() }
            installation.clock.advance(by: day)
        }

        let mails = try await mails()
        let both = ["ada@example.org", "Rep@example.org"]
        #expect(mails.map(\.receiver) == both + both + both)
        let days = stride(from: 0, to: 6, by: 2).map { mails[$0].day.text }
        #expect(days == ["2026-01-17", "2026-01-28", "2026-01-31"])
        #expect(mails[0].subject == "School: the trial ends on 2026-01-31")
        #expect(mails[0].content.contains("ends in 14 days"))
        #expect(mails[0].content.contains("write to rep@example.org."))
        #expect(mails[4].content.contains("ends today"))
        #expect(Set(members.asked) == [try school.organizationID])
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `both ends on one day are one mail, others are two`() async throws {
        let owner = try installation.platformOwner()
        _ = try await owner.create(
            "Both", expiresAt: "2026-01-04", trial: trial("2026-01-04"))
        _ = try await owner.create(
            "Two", expiresAt: "2026-01-10", trial: trial("2026-01-04"))

        try await work()

        let subjects = try await mails().map(\.subject).sorted()
        #expect(
            subjects == [
                "Both: the trial, and the validity, ends on 2026-01-04",
                "Two: the trial ends on 2026-01-04", "Two: the validity ends on 2026-01-10",
            ])
    }

    @Test func `both ends are one mail while a sweep has come to one of them`() async throws {
        let owner = try installation.platformOwner()
        _ = try await owner.create(
            "Both", expiresAt: "2026-01-04", trial: trial("2026-01-04"))
        let now = installation.clock.now
        let (trials, expiries) = try await installation.database.read { snapshot in
            (
                try snapshot.noticesDue(of: .trial, on: now.day, after: nil).due,
                try snapshot.noticesDue(of: .expiry, on: now.day, after: nil).due
            )
        }
        #expect(trials.count == 1 && expiries.count == 1)

        try await installation.database.write { try $0.insert(trials, at: now) }
        try await desk.writeNotices()
        try await installation.database.write { try $0.insert(expiries, at: now) }
        for _ in 0..<2 { try await work() }

        let subjects = try await mails().map(\.subject)
        #expect(subjects == ["Both: the trial, and the validity, ends on 2026-01-04"])
    }

    @Test func `a day that is moved begins anew`() async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School", expiresAt: "2026-01-04")
        try await work()
        _ = try await owner.update(school, paths: ["expires_at"]) { $0.expiresAt = "2026-01-20" }

        for _ in 0..<25 {
            try await work()
            installation.clock.advance(by: day)
        }

        let days = try await mails().map { "\($0.day.text) of \($0.subject.suffix(10))" }
        #expect(
            days == [
                "2026-01-01 of 2026-01-04", "2026-01-06 of 2026-01-20",
                "2026-01-17 of 2026-01-20", "2026-01-20 of 2026-01-20",
            ])
    }

    @Test func `who is paused or archived is not mailed, and is once it is back`() async throws {
        let owner = try installation.platformOwner()
        let chain = try await owner.chain("District", "School")
        let paused = try await owner.update(chain[1], paths: ["expires_at"]) {
            $0.expiresAt = "2026-01-10"
        }
        let gone = try await owner.create("Gone", expiresAt: "2026-01-10")
        _ = try await owner.deactivateOrganization(
            DeactivateOrganizationRequest(id: chain[0].id))
        _ = try await owner.delete(gone)

        try await work()
        #expect(try await mails().isEmpty && members.asked.isEmpty)

        _ = try await owner.activateOrganization(ActivateOrganizationRequest(id: chain[0].id))
        try await work()
        #expect(try await mails().map(\.subject) == ["School: the validity ends on 2026-01-10"])
        #expect(paused.title == "School")
    }

    @Test func `while Membership does not answer the mail waits, and nothing is lost`()
        async throws
    {
        let owner = try installation.platformOwner()
        for title in ["A", "B", "C"] { _ = try await owner.create(title, expiresAt: "2026-01-10") }
        members.answer(with: Status(.unavailable, "Nobody answers."))

        try await work()
        #expect(try await mails().isEmpty && members.asked.count == 1)

        members.answer(["ada@example.org"])
        try await work()
        #expect(try await mails().count == 2, "the first one waits a moment")
        installation.clock.advance(by: MailDesk.questionPause)
        try await work()
        #expect(try await mails().count == 3)
    }

    @Test func `what has changed while a mail waited is told as it is`() async throws {
        let owner = try installation.platformOwner()
        let late = try await owner.create("Late", expiresAt: "2026-01-10")
        let moved = try await owner.create("Moved", expiresAt: "2026-01-10")
        members.answer(with: Status(.unavailable, "Nobody answers."))
        for _ in 0..<8 {
            try await work()
            installation.clock.advance(by: day)
        }
        _ = try await owner.update(moved, paths: ["expires_at"]) { $0.expiresAt = "2026-06-01" }
        members.answer(["ada@example.org"])

        try await work()

        let mails = try await mails()
        #expect(mails.map(\.subject) == ["Late: the validity ends on 2026-01-10"])
        #expect(mails[0].content.contains("ends tomorrow"))
        #expect(late.title == "Late")
    }

    @Test func `where there is nobody nobody is mailed`() async throws {
        let owner = try installation.platformOwner()
        _ = try await owner.create("School", expiresAt: "2026-01-10")
        members.answer([])

        for _ in 0..<3 { try await work() }

        #expect(try await mails().isEmpty && members.asked.count == 1)
    }

    @Test func `a title that holds the end of a line changes no header`() async throws {
        let owner = try installation.platformOwner()
        _ = try await owner.create("School", expiresAt: "2026-01-10")
        // Calls refuse such a title.
        try await installation.database.write { transaction in
            try transaction.execute(
                "UPDATE organization SET title = 'A' || char(13) || char(10) || 'Bcc: b@x.org'")
        }

        try await work()

        let message = try #require(try await installation.sent().first)
        let headers = String(decoding: message.encoded(), as: UTF8.self)
            .components(separatedBy: "\r\n\r\n")[0]
        #expect(message.letter.subject.hasPrefix("A  Bcc: b@x.org: the validity"))
        #expect(!headers.contains("\nBcc"))
    }

    @Test func `many organizations are found in pages, each once`() async throws {
        let now = installation.clock.now
        try await installation.database.write { transaction in
            for number in 1...1_203 as ClosedRange<Int64> {
                try transaction.addSchool(
                    "S\(number)", number: number, id: OrganizationID(high: 1, low: UInt64(number)),
                    at: now, expiresOn: now.day.advanced(by: Int(number % 3)))
            }
        }

        for _ in 0..<2 { try await installation.upkeep().noteNotices(at: now) }

        let waiting = try await installation.database.read {
            try $0.notices(dueAt: now, limit: 2_000)
        }
        #expect(waiting.count == 1_203 && Set(waiting.map(\.number)).count == 1_203)
    }

    @Test func `last days near today are found by the day`() async throws {
        let cursor = EndingCursor(lastDay: CalendarDay(daysSince1970: 20_455), number: 0)
        let last = CalendarDay(daysSince1970: 20_476)

        let plans = try await installation.database.read { snapshot in
            try [
                Statements.trialsEnding(after: cursor, until: last, limit: 10),
                Statements.expiring(after: cursor, until: last, limit: 10),
                Statements.notices(dueAt: installation.clock.now, limit: 10),
                Statements.unqueuedMessages(limit: 10),
            ].map { statement in
                try snapshot.rows("EXPLAIN QUERY PLAN \(statement)") { try $0.text(3) }[0]
            }
        }

        #expect(plans[0].contains("organization_trial_day (trial_until>? AND trial_until<?)"))
        #expect(plans[1].contains("organization_expiry_day (expires_on>? AND expires_on<?)"))
        #expect(plans[2].contains("notice_waiting (due_micros<?)"))
        #expect(plans[3].contains("contact_message_unqueued"))
    }
}

/// Who is a member, as Membership says.
final class MailMembers: Sendable {
    private struct State {
        var answer: Result<[String], Status> = .success(["owner@example.org"])
        var asked: [OrganizationID] = []
    }

    private let state = Mutex(State())

    /// The organizations that were asked about.
    var asked: [OrganizationID] { state.withLock { $0.asked } }

    func answer(_ addresses: [String]) { state.withLock { $0.answer = .success(addresses) } }
    func answer(with status: Status) { state.withLock { $0.answer = .failure(status) } }

    func addresses(of organization: OrganizationID) throws -> [String] {
        try state.withLock { state in
            state.asked.append(organization)
            return try state.answer.get()
        }
    }
}

/// A mail in the outbox.
struct QueuedMail: Sendable, Hashable {
    let receiver: String
    let replyTo: String?
    let subject: String
    let content: String
    let state: Int
    /// The day on which it was written.
    let day: CalendarDay
}

extension Installation {
    func mailDesk(_ members: MailMembers = MailMembers()) -> MailDesk {
        MailDesk(
            database: database, addresses: { try members.addresses(of: $0) }, limits: Limits(),
            clock: clock.clock, logger: Logger(label: "test"))
    }

    /// The mails of the outbox, in the order in which they were queued.
    func mails() async throws -> [QueuedMail] {
        try await database.read { snapshot in
            try snapshot.rows(
                """
                SELECT receiver, reply_to, subject, content, state, created_micros FROM mail
                ORDER BY number LIMIT 20000
                """
            ) { row in
                QueuedMail(
                    receiver: try row.text(0), replyTo: try row.textOrNil(1),
                    subject: try row.text(2), content: try row.text(3), state: try row.int(4),
                    day: try row.time(5).day)
            }
        }
    }

    /// Sends what is in the outbox, and answers it.
    ///
    /// - Parameter faults: How sending ends, by receiver; others are taken.
    /// - Returns: What was taken.
    /// - Throws: `StorageFault`.
    func sent(_ faults: [String: MailFault] = [:]) async throws -> [MailMessage] {
        let messages = Mutex<[MailMessage]>([])
        let clock = clock.clock
        guard let from = Mailbox("Guildhall <no-reply@guildhall.example>") else { return [] }
        let sender = MailSender(
            database: database, from: from, clock: { clock.now() }, logger: Logger(label: "test"),
            deliver: { message throws(MailFault) in
                if let fault = faults[message.to.text] { throw fault }
                messages.withLock { $0.append(message) }
            }, ended: { try $0.noteEnd(ofMailsFor: $1) })
        let work = Task { try await sender.run() }
        while try await database.read({ try $0.mailsToSend(at: clock.now()) }) > 0 {
            try await Task.sleep(for: .milliseconds(5))
        }
        work.cancel()
        return messages.withLock { $0 }
    }
}

extension Reading {
    fileprivate func mailsToSend(at now: WallTime) throws -> Int {
        try row(
            "SELECT count(*) FROM mail WHERE state = 1 AND due_micros <= \(now)",
            { try $0.int(0) }) ?? 0
    }
}
