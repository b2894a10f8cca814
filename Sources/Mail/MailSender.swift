internal import CoreMetrics
public import Logging
public import Storage

/// How often a mail is tried, and when it is given up.
struct MailPace: Sendable, Hashable {
    /// Mails that are taken at once from the outbox.
    var batchMax = 50
    /// The pause between two looks while nothing is due.
    var period: Duration = .seconds(1)
    /// The first pause of a mail that is not taken is at most this long.
    var pauseMin: Duration = .seconds(60)
    /// No pause of a mail is longer.
    var pauseMax: Duration = .seconds(3_600)
    /// The first pause of all mails, when no server is reached, is at most this long.
    var outagePauseMin: Duration = .seconds(2)
    /// No pause of all mails is longer.
    var outagePauseMax: Duration = .seconds(300)
    /// The first pause after what has become of a mail could not be written.
    var notePauseMin: Duration = .seconds(1)
    /// No such pause is longer.
    var notePauseMax: Duration = .seconds(300)
    /// A mail that was not sent for so long is not sent any more.
    var ageMax: Duration = .seconds(5 * 86_400)

    /// The shortest pause of all.
    private static let shortest: Duration = .seconds(1)

    /// How long a mail waits that was not sent.
    ///
    /// What keeps all from being sent may be over soon; and if it was this one alone that a server
    /// does not stand, the others come before it is tried again.
    func pause(
        of mail: WaitingMail, after fault: MailFault,
        using generator: inout some RandomNumberGenerator
    ) -> Duration {
        let isOutage = if case .unreachable = fault { true } else { false }
        return Self.pause(
            after: mail.attempts + 1, first: isOutage ? outagePauseMin : pauseMin,
            last: isOutage ? outagePauseMax : pauseMax, using: &generator)
    }

    /// How long to wait when what has become of a mail could not be written so many times.
    func notePause(after attempts: Int) -> Duration {
        min(notePauseMax, Self.doubled(notePauseMin, after: attempts))
    }

    /// A pause after so many attempts in vain: any length up to one that doubles each time, so that
    /// many do not come back at once.
    ///
    /// - Parameters:
    ///   - attempts: At least 1.
    ///   - first: The most of the first pause.
    ///   - last: The most of all.
    ///   - generator: Draws the length.
    /// - Returns: The pause.
    static func pause(
        after attempts: Int, first: Duration, last: Duration,
        using generator: inout some RandomNumberGenerator
    ) -> Duration {
        let most = min(last, doubled(first, after: attempts))
        let share = Double.random(in: 0...1, using: &generator)
        return max(shortest, most * share)
    }

    private static func doubled(_ first: Duration, after attempts: Int) -> Duration {
        first * (1 << min(max(attempts - 1, 0), 20))
    }
}

/// Sends the mails of an outbox, one after the other, at least once each.
///
/// It is the only one that does: a second one would send everything twice.
public struct MailSender: Sendable {
    private let database: Database
    private let from: Mailbox
    private let deliver: @Sendable (MailMessage) async throws(MailFault) -> Void
    private let clock: @Sendable () -> WallTime
    private let ended: @Sendable (Transaction, String) throws -> Void
    private let logger: Logger
    private let gauges: MailGauges
    var pace = MailPace()

    /// What a round has done.
    struct Round: Sendable, Hashable {
        /// Mails that were tried.
        var tried = 0
        /// Whether no mail was taken, so that none is worth trying.
        var isOutage = false
    }

    /// A sender.
    ///
    /// - Parameters:
    ///   - database: Has the tables of ``Outbox/migrations``.
    ///   - from: Who sends.
    ///   - clock: Tells the time of day.
    ///   - logger: Told of what fails; not of receivers.
    ///   - deliver: Hands a mail over, as ``MailTransport/deliver(_:)`` does.
    ///   - ended: Called with the cause of a mail that waits no longer, in the transaction that
    ///     notes it.
    public init(
        database: Database, from: Mailbox, clock: @escaping @Sendable () -> WallTime,
        logger: Logger,
        deliver: @escaping @Sendable (MailMessage) async throws(MailFault) -> Void,
        ended: @escaping @Sendable (Transaction, String) throws -> Void = { _, _ in }
    ) {
        self.database = database
        self.from = from
        self.clock = clock
        self.logger = logger
        self.deliver = deliver
        self.ended = ended
        gauges = MailGauges()
    }

    /// Sends until it is cancelled.
    public func run() async throws {
        var outages = 0
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            var pause = pace.period
            do {
                let round = try await self.round()
                try await measure()
                if round.tried > 0 { outages = round.isOutage ? outages + 1 : 0 }
                if round.tried == pace.batchMax, !round.isOutage { pause = .zero }
                if round.isOutage {
                    pause = MailPace.pause(
                        after: outages, first: pace.outagePauseMin, last: pace.outagePauseMax,
                        using: &generator)
                }
            } catch let fault as StorageFault {
                logger.warning("mails not sent", metadata: ["error": "\(fault)"])
                pause = pace.outagePauseMin
            }
            if pause > .zero { try await Task.sleep(for: pause) }
        }
    }

    /// Tries each mail of one batch once, until one shows that none is taken.
    ///
    /// Nothing more is sent until it is written what has become of the one before.
    func round() async throws -> Round {
        let now = clock()
        let batch = try await database.read { [pace] snapshot in
            try snapshot.mailsDue(at: now, limit: pace.batchMax)
        }
        var round = Round()
        for mail in batch {
            try Task.checkCancellation()
            round.tried += 1
            let fault = await attempt(mail)
            if fault == .cancelled { throw CancellationError() }
            try await note(mail, fault, at: clock())
            if case .unreachable = fault {
                round.isOutage = true
                break
            }
        }
        return round
    }

    private func attempt(_ mail: WaitingMail) async -> MailFault? {
        guard let receiver = MailAddress(mail.receiver) else {
            return .refused("this is no address that can be written to")
        }
        do {
            let letter = try Letter(
                subject: mail.subject, text: mail.content,
                replyTo: mail.replyTo.flatMap(MailAddress.init))
            try await deliver(
                MailMessage(
                    id: mail.id, from: from, to: receiver, letter: letter, date: mail.createdAt))
            return nil
        } catch let fault as MailFault {
            return fault
        } catch {
            return .refused("the mail is not well formed: \(error)")
        }
    }

    private func note(_ mail: WaitingMail, _ fault: MailFault?, at now: WallTime) async throws {
        var metadata: Logger.Metadata = [
            "mail": "\(mail.id)", "cause": "\(mail.cause)", "attempts": "\(mail.attempts + 1)",
        ]
        guard let fault else {
            try await write { [ended] transaction in
                try transaction.noteSent(mail, at: now)
                try ended(transaction, mail.cause)
            }
            gauges.sent.increment()
            return logger.info("mail sent", metadata: metadata)
        }
        let reason = String(fault.reason.prefix(Outbox.reasonCharactersMax))
        metadata["reason"] = "\(fault.reasonToLog)"
        if fault.isForGood || mail.createdAt.duration(to: now) > pace.ageMax {
            try await write { [ended] transaction in
                try transaction.noteFailed(mail, because: reason, at: now)
                try ended(transaction, mail.cause)
            }
            gauges.failed.increment()
            return logger.error("mail failed", metadata: metadata)
        }
        var generator = SystemRandomNumberGenerator()
        let due = now.advanced(
            by: pace.pause(of: mail, after: fault, using: &generator))
        try await write { try $0.notePostponed(mail, because: reason, until: due) }
        logger.warning("mail not taken yet", metadata: metadata)
    }

    /// Writes what has become of a mail, however often that has to be tried: one whose end is not
    /// written is sent again.
    ///
    /// - Throws: `CancellationError` when it could not be written and the program ends.
    private func write(_ job: @escaping @Sendable (Transaction) throws -> Void) async throws {
        var attempts = 0
        while true {
            do {
                // A task of its own: in one that is cancelled nothing is written.
                return try await Task { [database] in try await database.write(job) }.value
            } catch {
                attempts += 1
                logger.error(
                    "no mail is sent until it is written what has become of one",
                    metadata: ["attempts": "\(attempts)", "error": "\(error)"])
            }
            try await Task.sleep(for: pace.notePause(after: attempts))
        }
    }

    /// Reports how long the oldest mail waits, and how many there are.
    func measure() async throws {
        guard gauges.areWatched else { return }
        let counts = try await database.read { try $0.outboxCounts() }
        gauges.report(counts, at: clock())
    }
}

/// What a backend of metrics is told, if the process has one.
private struct MailGauges: Sendable {
    let sent: Counter
    let failed: Counter
    private let oldest: Gauge
    private let waiting: Gauge
    private let kept: Gauge
    let areWatched: Bool

    init() {
        let factory = MetricsSystem.factory
        areWatched = !(factory is NOOPMetricsHandler)
        sent = Counter(label: "mail_sent_total", factory: factory)
        failed = Counter(label: "mail_failed_total", factory: factory)
        oldest = Gauge(label: "mail_oldest_seconds", factory: factory)
        waiting = Gauge(label: "mail_waiting", factory: factory)
        kept = Gauge(label: "mail_failed", factory: factory)
    }

    func report(_ counts: OutboxCounts, at now: WallTime) {
        oldest.record(counts.oldest.map { max(0, $0.duration(to: now) / .seconds(1)) } ?? 0)
        waiting.record(counts.waiting)
        kept.record(counts.failed)
    }
}

extension MailFault {
    /// Whether another attempt would end in the same way.
    fileprivate var isForGood: Bool {
        if case .refused = self { true } else { false }
    }

    /// What went wrong, without what a server says of a receiver: addresses are not logged.
    fileprivate var reasonToLog: String {
        switch self {
        case .refused(let reason), .postponed(let reason): Self.codes(of: reason)
        case .unreachable(let reason): reason
        case .cancelled: reason
        }
    }
}
