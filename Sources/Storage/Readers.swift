internal import Synchronization

/// Runs the jobs that read, on threads of their own.
struct ReaderLoop {
    let connection: any Connection
    let queue: JobQueue<Snapshot>
    let readTimeMax: Duration

    /// Works until the queue is closed.
    func run() {
        while let jobs = queue.take(atMost: 1) {
            for job in jobs where job.begin(at: .now) {
                do {
                    try connection.reading(for: readTimeMax) { snapshot in
                        _ = job.run(snapshot)
                    }
                    job.finish()
                } catch {
                    job.fail(error)
                }
            }
        }
    }
}

extension Connection {
    /// Runs a job in a transaction that reads, and ends it whatever happens.
    func reading<Value>(for time: Duration, _ job: (Snapshot) throws -> Value) throws -> Value {
        readDeadline = .now + time
        try control(.beginReading)
        let result = Result { try job(Snapshot(self)) }
        // A query that was cut off may have ended the transaction.
        if isInTransaction { try control(.commit) }
        return try result.get()
    }
}
