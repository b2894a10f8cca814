internal import Synchronization

/// Runs the jobs that write, on one thread, many to a commit.
final class WriterLoop {
    private let connection: any Connection
    private let queue: JobQueue<Transaction>
    private let settings: WriterSettings
    private let signals: CommitSignals
    private let transaction: Transaction
    private var nextSpaceCheck: ContinuousClock.Instant?
    private var isShortOfSpace = false

    init(
        _ connection: any Connection, queue: JobQueue<Transaction>, settings: WriterSettings,
        _ opening: Opening
    ) {
        self.connection = connection
        self.queue = queue
        self.settings = settings
        signals = opening.signals
        transaction = Transaction(connection, opening.runningTime)
    }

    /// Works until the queue is closed.
    func run() {
        // What opening and migrations have left.
        copyLog()
        while let jobs = queue.take(atMost: settings.batchMax) {
            let start = ContinuousClock.now
            guard hasSpace(at: start) else {
                for job in jobs where job.begin(at: start, otherwise: queue.expectedWait) {
                    job.fail(StorageFault.busy(retryAfter: WriterSettings.pauseWhenFull))
                }
                continue
            }
            perform(jobs)
            // Without the copy: it comes after many batches and would seem to be each job's.
            queue.note(start.duration(to: .now), for: jobs.count)
            copyLog()
        }
    }

    /// Copies the log into the file when it is time; the callers of the last batch have gone on.
    private func copyLog() {
        // A connection that is lost repairs nothing.
        guard connection.breakdown == nil else { return }
        connection.copyLog()
        if let breakdown = connection.breakdown { lose([], because: StorageFault.lost(breakdown)) }
    }

    /// Runs jobs in one transaction, commits, and resumes their callers.
    private func perform(_ jobs: [QueuedJob<Transaction>]) {
        var batch = Batch()
        do {
            Failpoint.beforeBegin.reach()
            try transaction.open()
            Failpoint.afterBegin.reach()
            for job in jobs where job.begin(at: .now, otherwise: queue.expectedWait) {
                batch.ran.append(job)
                try runInBatch(job, &batch)
            }
        } catch {
            // The transaction itself failed, not a job.
            abandon(batch.ran, because: error)
            return failUnbegun(jobs, error)
        }
        commit(batch)
    }

    /// Runs one job; one that fails takes back its own changes alone.
    private func runInBatch(
        _ job: QueuedJob<Transaction>, _ batch: inout Batch
    ) throws {
        transaction.begin()
        let hasSucceeded = job.run(transaction)
        if let breakdown = connection.breakdown { throw StorageFault.lost(breakdown) }
        guard connection.isInTransaction else {
            return try restart(after: job, hasSucceeded: hasSucceeded, &batch)
        }
        guard hasSucceeded else { return try transaction.undo() }
        batch.effects.merge(transaction.effects)
        try transaction.keep()
    }

    /// SQLite has given the whole transaction up, as it does when the disk is full: the jobs that
    /// ran are undone and say so, the job at fault answers for itself, the rest goes on.
    private func restart(
        after job: QueuedJob<Transaction>, hasSucceeded: Bool, _ batch: inout Batch
    ) throws {
        settings.engine.releaseBallast()
        if !hasSucceeded { job.finish() }
        for undone in batch.ran {
            undone.fail(StorageFault.busy(retryAfter: WriterSettings.pauseWhenFull))
        }
        batch = Batch()
        try transaction.open()
    }

    private func commit(_ batch: Batch) {
        do {
            Failpoint.beforeCommit.reach()
            try connection.control(.commit)
            Failpoint.afterCommit.reach()
        } catch StorageFault.constraint where connection.isInTransaction {
            return performAlone(batch.ran)
        } catch StorageFault.busy {
            return giveUp(batch.ran)
        } catch {
            return lose(batch.ran, because: error)
        }
        signals.announce(batch.effects)
        for job in batch.ran { job.finish() }
    }

    /// A constraint that is checked at the commit failed: each job gets a transaction of its own.
    private func performAlone(_ jobs: [QueuedJob<Transaction>]) {
        do {
            try connection.control(.rollback)
            for job in jobs {
                var batch = Batch()
                batch.ran.append(job)
                try transaction.open()
                try runInBatch(job, &batch)
                do {
                    try connection.control(.commit)
                } catch let fault as StorageFault where connection.isInTransaction {
                    try connection.control(.rollback)
                    job.fail(fault)
                    continue
                } catch StorageFault.busy {
                    giveUp([job])
                    continue
                }
                signals.announce(batch.effects)
                job.finish()
            }
        } catch {
            lose(jobs, because: error)
        }
    }

    /// The disk is full at the commit: SQLite finds out before the mark that makes a transaction
    /// durable is written, so nothing of it stays.
    private func giveUp(_ jobs: [QueuedJob<Transaction>]) {
        settings.engine.releaseBallast()
        abandon(jobs, because: StorageFault.busy(retryAfter: WriterSettings.pauseWhenFull))
    }

    /// Undoes a transaction that cannot go on.
    private func abandon(_ jobs: [QueuedJob<Transaction>], because error: any Error) {
        if connection.breakdown != nil { return lose(jobs, because: error) }
        do {
            if connection.isInTransaction { try connection.control(.rollback) }
        } catch {
            return lose(jobs, because: error)
        }
        var pause: Duration = .milliseconds(100)
        if case StorageFault.busy(let known) = error { pause = known }
        for job in jobs { job.fail(StorageFault.busy(retryAfter: pause)) }
    }

    private func failUnbegun(_ jobs: [QueuedJob<Transaction>], _ error: any Error) {
        let fault: StorageFault =
            connection.breakdown.map { .lost($0) } ?? .busy(retryAfter: .milliseconds(100))
        for job in jobs { job.fail(fault) }
    }

    /// Nobody knows what of the batch is on the disk: says so and takes no more work.
    private func lose(_ jobs: [QueuedJob<Transaction>], because error: any Error) {
        let reason: String
        if case .lost(let known) = error as? StorageFault {
            reason = known
        } else {
            reason = "\(error)"
        }
        let fault = StorageFault.lost(reason)
        queue.close(fault)
        for job in jobs { job.fail(fault) }
        settings.onLost(reason)
    }

    private func hasSpace(at now: ContinuousClock.Instant) -> Bool {
        if let nextSpaceCheck, now < nextSpaceCheck { return !isShortOfSpace }
        nextSpaceCheck = now + WriterSettings.spaceCheckInterval
        isShortOfSpace = (settings.engine.freeBytes() ?? .max) < settings.freeBytesMin
        if !isShortOfSpace { settings.engine.makeBallast(leaving: settings.freeBytesMin) }
        return !isShortOfSpace
    }

    private struct Batch {
        var ran: [QueuedJob<Transaction>] = []
        var effects = CommitEffects()
    }
}

/// What the writer needs to know.
struct WriterSettings: Sendable {
    /// How often the free space is looked at: it costs a microsecond.
    static let spaceCheckInterval: Duration = .milliseconds(25)
    /// When a caller may try again whose change found no space.
    static let pauseWhenFull: Duration = .seconds(1)

    let engine: any Engine
    let batchMax: Int
    let freeBytesMin: Int64
    let onLost: @Sendable (String) -> Void
}
