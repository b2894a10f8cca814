internal import Synchronization

/// Runs the jobs that read, on threads of their own.
struct ReaderLoop {
    let connection: any Connection
    let queue: JobQueue<Snapshot>
    /// Which of the threads it is, from 0.
    let number: Int
    let readTimeMax: Duration

    /// Works until the queue is closed.
    func run() {
        while let jobs = queue.take(atMost: 1, by: number) {
            let start = ContinuousClock.now
            for job in jobs where job.begin(at: start, otherwise: queue.expectedWait) {
                do {
                    try connection.reading(for: readTimeMax) { snapshot in
                        _ = job.run(snapshot)
                    }
                    job.finish()
                } catch {
                    job.fail(error)
                }
                queue.note(start.duration(to: .now), for: 1, by: number)
            }
        }
    }
}

extension Connection {
    /// Runs a job in a transaction that reads, and ends it whatever happens.
    func reading<Value>(for time: Duration, _ job: (Snapshot) throws -> Value) throws -> Value {
        readLimit = .deadline(.now + time)
        return try reading(job)
    }

    /// Runs a job in a transaction that reads for as long as nobody wants it to end.
    ///
    /// - Throws: `CancellationError` when somebody does.
    func reading<Value>(
        until isCancelled: @escaping () -> Bool, _ job: (Snapshot) throws -> Value
    ) throws -> Value {
        readLimit = .cancellation(isCancelled)
        do {
            return try reading(job)
        } catch StorageFault.busy where isCancelled() {
            throw CancellationError()
        }
    }

    private func reading<Value>(_ job: (Snapshot) throws -> Value) throws -> Value {
        do {
            // The commit says when it is outdated, whatever the job has made of that.
            return try reading(after: .beginBriefReading, job)
        } catch is OutdatedReading {
            return try reading(after: .beginReading, job)
        }
    }

    private func reading<Value>(
        after beginning: TransactionControl, _ job: (Snapshot) throws -> Value
    ) throws -> Value {
        try control(beginning)
        let value: Value
        do {
            value = try job(Snapshot(self))
        } catch {
            // A query that was cut off may have ended the transaction.
            if isInTransaction { try control(.commit) }
            throw error
        }
        if isInTransaction { try control(.commit) }
        return value
    }
}
