public import Synchronization

/// One database file: a thread that writes, threads that read, and connections for point reads.
public final class Database: Sendable {
    /// Which life of the database this is: 16 random bytes, made with it.
    public let incarnation: [UInt8]
    /// The events that transactions published.
    public let feed: Feed
    let signals: CommitSignals
    let engine: any Engine
    let freeBytesMin: Int64
    let isCopying = Atomic(false)
    private let writes: JobQueue<Transaction>
    let reads: JobQueue<Snapshot>
    private let inline: InlineReaders
    let runningTime: RunningTime
    private let threads: Mutex<[DedicatedThread]>

    /// Opens a database, checks it and brings its schema up to date; blocks until that is done.
    ///
    /// - Parameters:
    ///   - configuration: Where it is and what it may take.
    ///   - migrations: Those of all components, each numbered 1, 2, 3, …
    /// - Throws: ``OpeningFault`` or ``StorageFault``.
    public init(_ configuration: DatabaseConfiguration, migrations: [Migration]) throws {
        let engine: any Engine =
            configuration.engine
            ?? EmbeddedSQLite(path: configuration.path, ballastBytes: configuration.ballastBytes)
        let claim = try engine.claim()
        let writes = JobQueue<Transaction>(
            jobsMax: configuration.queueMax, patience: Self.writerPatience)
        let readerCount = max(configuration.readerCount, 1)
        let reads = JobQueue<Snapshot>(
            jobsMax: configuration.queueMax, threads: readerCount)
        var threads: [DedicatedThread] = []
        do {
            let (writer, opening) = try Self.startWriter(
                engine, claim, writes, configuration, Schema.migrations + migrations)
            threads.append(writer)
            for number in 0..<readerCount {
                threads.append(
                    try Self.startReader(
                        engine, claim, reads, number, configuration.readTimeMax))
            }
            inline = try InlineReaders(
                engine, count: configuration.inlineReaderCount,
                countMax: configuration.inlineReaderMax, readTimeMax: configuration.readTimeMax)
            incarnation = opening.incarnation
            signals = opening.signals
            runningTime = opening.runningTime
        } catch {
            reads.close(Self.closed)
            writes.close(Self.closed)
            for thread in threads.reversed() { thread.join() }
            throw error
        }
        self.engine = engine
        freeBytesMin = configuration.freeBytesMin
        self.writes = writes
        self.reads = reads
        self.threads = Mutex(threads)
        feed = Feed(writes: writes, reads: reads, signals: signals)
    }

    deinit {
        reads.close(Self.closed)
        writes.close(Self.closed)
    }

    /// Runs a job that may change the database; returns once its changes are durable.
    ///
    /// The job is a function of what it is given: it may run again, and nothing of it stays when
    /// it throws.
    /// - Parameters:
    ///   - deadline: A job that would begin after it is refused.
    ///   - job: Runs on the writer's thread.
    /// - Returns: What the job returns.
    /// - Throws: ``StorageFault``, `CancellationError` when the task was cancelled before the job
    ///   began, or what the job throws.
    @discardableResult
    public func write<T: Sendable>(
        deadline: ContinuousClock.Instant? = nil,
        _ job: @escaping @Sendable (Transaction) throws -> T
    ) async throws -> T {
        try await writes.perform(deadline: deadline, job)
    }

    /// Runs a job that reads, on a reader's thread.
    ///
    /// - Parameters:
    ///   - deadline: A job that would begin after it is refused.
    ///   - job: Sees one state of the database; it may run again, and what it did before that does
    ///     not count.
    /// - Returns: What the job returns.
    /// - Throws: ``StorageFault``, `CancellationError`, or what the job throws.
    public func read<T: Sendable>(
        deadline: ContinuousClock.Instant? = nil,
        _ job: @escaping @Sendable (Snapshot) throws -> T
    ) async throws -> T {
        try await reads.perform(deadline: deadline, job)
    }

    /// Runs a job that reads a few rows, on the calling thread.
    ///
    /// - Parameter job: Sees one state of the database; it may run again, and what it did before
    ///   that does not count.
    /// - Returns: What the job returns.
    /// - Throws: ``StorageFault`` or what the job throws.
    @inlinable
    public func readInline<T: Sendable>(_ job: @Sendable (Snapshot) throws -> T) throws -> T {
        // Inlined into services, so that the value is handed on as what it is.
        let value = Mutex<T?>(nil)
        try runInline { snapshot in try value.withLock { $0 = try job(snapshot) } }
        guard let found = value.withLock({ $0.take() }) else {
            preconditionFailure("the job has run")
        }
        return found
    }

    @usableFromInline func runInline(_ job: @Sendable (Snapshot) throws -> Void) throws {
        try inline.read(job)
    }

    /// Runs a command once: repeated, it answers the same bytes and changes nothing.
    ///
    /// - Parameters:
    ///   - command: Who asks for what.
    ///   - body: Makes the change and the encoded reply; a ``DefiniteRefusal`` that it throws
    ///     undoes the change, is stored and answered.
    /// - Returns: The reply or the refusal, as stored.
    /// - Throws: ``CommandFault``, ``StorageFault``, `CancellationError`, or what the body throws;
    ///   none of these is stored.
    public func command(
        _ command: Command, _ body: @escaping @Sendable (Transaction) throws -> [UInt8]
    ) async throws -> CommandOutcome {
        do {
            return try await writes.perform(deadline: command.deadline) { transaction in
                try Idempotency.perform(command, in: transaction, body)
            }
        } catch StorageFault.busy(let pause) {
            // What was answered before can be answered on a full disk, too. Whoever is refused for
            // another reason costs nothing more: that is when there is much to do.
            guard pause == WriterSettings.pauseWhenFull,
                let outcome = try storedOutcome(of: command)
            else {
                throw StorageFault.busy(retryAfter: pause)
            }
            return outcome
        }
    }

    /// What a command answered before; nil also when that cannot be read now.
    private func storedOutcome(of command: Command) throws(CommandFault) -> CommandOutcome? {
        do {
            return try readInline { try Idempotency.outcome(of: command, in: $0) }
        } catch let fault as CommandFault {
            throw fault
        } catch {
            return nil
        }
    }

    /// Whether a command has an outcome already: to run it would answer that and nothing else.
    ///
    /// For callers that ask elsewhere before they run a command: repeated, it asks nobody.
    /// - Parameter command: Its principal and key; method and digest are not compared.
    /// - Returns: Whether it came before and was answered, or was cancelled.
    /// - Throws: ``StorageFault``.
    public func isSettled(_ command: Command) throws -> Bool {
        try readInline { try Idempotency.isSettled(command, in: $0) }
    }

    /// Cancels a command: undoes it if it was done, and refuses it if it comes later.
    ///
    /// - Parameters:
    ///   - command: The command's principal and key; method and digest are not compared.
    ///   - undo: Takes back what the command did; given its reply. Without one the command has not
    ///     come, or so long ago that its reply is gone: what it did is to be found by the facts.
    /// - Throws: ``StorageFault``, `CancellationError`, or what the closure throws.
    public func cancel(
        _ command: Command,
        undo: @escaping @Sendable (Transaction, _ reply: [UInt8]?) throws -> Void
    ) async throws {
        try await writes.perform(deadline: command.deadline) { transaction in
            try Idempotency.cancel(command, in: transaction, undo: undo)
        }
    }

    /// Ends the threads and closes the file.
    ///
    /// Jobs that wait are refused; blocks until those under way are done.
    public func close() {
        let threads = self.threads.withLock { threads in
            let taken = threads
            threads = []
            return taken
        }
        inline.close()
        reads.close(Self.closed)
        for thread in threads.dropFirst() { thread.join() }
        // The writer is the first thread. It closes its connection last, and so leaves one file:
        // with the last connection goes the log, unless that is one of those that only read.
        writes.close(Self.closed)
        threads.first?.join()
    }

    /// The number of jobs that wait for the writer.
    package var waitingWrites: Int { writes.count }

    /// A caller alone is answered a twentieth sooner by it.
    private static let writerPatience: Duration = .microseconds(40)
    private static let closed = StorageFault.busy(retryAfter: .seconds(1))
}
