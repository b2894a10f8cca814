import Access
import Logging
import Mail
import ServiceKit
import Storage

/// Writes the mails of this service into its outbox: what there was no room for, and what is to be
/// told of last days.
struct MailDesk: Sendable {
    /// The pause between two rounds.
    static let period: Duration = .seconds(1)
    /// The pause after a failure of the database.
    static let failurePause: Duration = .seconds(30)
    /// How long Membership may take to say who is written to.
    static let questionTimeMax: Duration = .seconds(2)
    /// A mail of which Membership does not say who receives it is written so much later.
    static let questionPause: Duration = .seconds(30)

    let database: Database
    /// Asks Membership where mails about an organization go.
    let addresses: @Sendable (OrganizationID) async throws -> [String]
    let limits: Limits
    let clock: WallClock
    let logger: Logger

    /// Writes until it is cancelled.
    func run() async throws {
        while true {
            var pause = Self.period
            do {
                try await queueMessages()
                if try await !writeNotices() { pause = Self.questionPause }
            } catch let fault as StorageFault {
                logger.warning("mails not written", metadata: ["error": "\(fault)"])
                pause = Self.failurePause
            }
            try await Task.sleep(for: pause)
        }
    }

    /// Queues what people wrote and there was no room for.
    func queueMessages() async throws {
        let now = clock.now()
        guard try await database.read({ try $0.hasUnqueuedMessages() }) else { return }
        while try await database.write({ try $0.queueMessages(at: now) }) {}
    }

    /// Writes the mails about last days that are due, until Membership does not answer.
    ///
    /// - Returns: Whether it has answered each time.
    @discardableResult
    func writeNotices() async throws -> Bool {
        let now = clock.now()
        let waiting = try await database.read { snapshot in
            try snapshot.notices(dueAt: now, limit: Notice.writtenAtOnce)
        }
        var done: Set<Int64> = []
        for notice in waiting where done.insert(notice.number).inserted {
            guard try await write(notice, at: now) else { return false }
        }
        return true
    }

    /// Writes what is to be told of one organization.
    ///
    /// - Returns: Whether Membership has answered.
    private func write(_ notice: Notice, at now: WallTime) async throws -> Bool {
        let id = try await database.read { try $0.node(numbered: notice.number)?.id }
        guard let id else { return true }
        let people: [String]
        do {
            people = try await addresses(id)
        } catch {
            if Task.isCancelled { throw CancellationError() }
            logger.warning(
                "nobody says who is mailed of an end",
                metadata: ["organization": "\(id)", "error": "\(error)"])
            let due = now.advanced(by: Self.questionPause)
            try await database.write { try $0.postpone(notice, until: due) }
            return false
        }
        let isMailed = try await database.write { [limits] transaction in
            try transaction.write(
                notice, to: people, or: limits.contactReceiver, at: now)
        }
        if !isMailed {
            logger.info("nobody is mailed of an end", metadata: ["organization": "\(id)"])
        }
        return true
    }
}

extension Reading {
    /// Whether messages wait for their mails.
    fileprivate func hasUnqueuedMessages() throws -> Bool {
        try exists(Statements.unqueuedMessages(limit: 1))
    }
}

extension Transaction {
    /// Queues the mails that an organization is to have now, all ends on one day in one; or
    /// withdraws what holds no longer.
    ///
    /// - Parameters:
    ///   - notice: What was found to be due.
    ///   - people: Who is written to, as Membership says.
    ///   - fallback: Who is asked when no settings say so.
    ///   - now: When.
    /// - Returns: False when there is nobody to write to.
    /// - Throws: `StorageFault`.
    fileprivate func write(
        _ notice: Notice, to people: [String], or fallback: String, at now: WallTime
    ) throws -> Bool {
        guard let node = try node(numbered: notice.number) else { return true }
        let line = Line(try levels(toNumber: notice.number), on: now.day)
        // The sweep notes one kind after the other, and may not have come to the other one yet.
        try insert(noticesDue(ofNumber: notice.number, along: line), at: now)
        let waiting = try waitingNotices(of: notice.number)
        let holding = waiting.filter { waiting in
            NoticeStage(ofLastDay: waiting.lastDay, on: now.day) != nil
                && line.isMailed(of: waiting.kind, lastDay: waiting.lastDay)
        }
        for past in waiting where !holding.contains(past) { try withdraw(past) }
        for lastDay in Set(holding.map(\.lastDay)).sorted() {
            let ends = holding.filter { $0.lastDay == lastDay }
            let representative = node.details.salesRepEmail
            let receivers = people + (representative.isEmpty ? [] : [representative])
            if receivers.isEmpty {
                for end in ends { try noteWritten(end) }
                return false
            }
            let platform = try platformReceivers(or: fallback)
            let asked = EffectiveAddresses(
                of: .account, along: try self.receivers(along: line), platform: platform)
            let words = NoticeText(
                title: node.details.title.text, kinds: Set(ends.map(\.kind)), lastDay: lastDay,
                today: now.day,
                contact: representative.isEmpty ? asked.addresses[0] : representative)
            guard try queue(words, of: node.id, ends, to: receivers, at: now) else { return true }
        }
        return true
    }

    /// Queues one mail; false when there is no room for it, and it waits.
    private func queue(
        _ words: NoticeText, of id: OrganizationID, _ ends: [Notice], to receivers: [String],
        at now: WallTime
    ) throws -> Bool {
        let stage = ends.map(\.stage.rawValue).min() ?? 0
        let kinds = ends.map { "\($0.kind)" }.joined(separator: "+")
        let cause = "\(kinds)/\(id.text)/\(words.lastDay.text)/\(stage)"
        let letter = try Letter(subject: Letter.line(words.subject), text: words.text)
        guard try queue(letter, to: receivers, cause: cause, at: now) else {
            let due = now.advanced(by: MailDesk.questionPause)
            for end in ends { try postpone(end, until: due) }
            return false
        }
        for end in ends { try noteWritten(end) }
        return true
    }
}
