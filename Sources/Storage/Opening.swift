/// What is known of a database once it is open.
struct Opening: Sendable {
    let incarnation: [UInt8]
    let runningTime: RunningTime
    let signals: CommitSignals
}

extension Database {
    /// Starts the thread that writes; blocks until the database is checked and migrated.
    static func startWriter(
        _ engine: any Engine, _ claim: any Sendable & AnyObject, _ queue: JobQueue<Transaction>,
        _ configuration: DatabaseConfiguration, _ migrations: [Migration]
    ) throws -> (DedicatedThread, Opening) {
        let opened = Handoff<Result<Opening, any Error>>()
        let settings = WriterSettings(
            engine: engine, batchMax: max(configuration.batchMax, 1),
            freeBytesMin: configuration.freeBytesMin, onLost: configuration.onLost)
        let (now, uptime) = (configuration.now, configuration.uptime)
        let thread = try DedicatedThread {
            withExtendedLifetime(claim) {
                let loop: WriterLoop
                do {
                    let connection = try engine.connect(.writer)
                    let opening = try open(connection, migrations, at: now(), uptime)
                    loop = WriterLoop(
                        connection, queue: queue, settings: settings, opening)
                    opened.give(.success(opening))
                } catch {
                    return opened.give(.failure(error))
                }
                loop.run()
            }
        }
        switch opened.take() {
        case .success(let opening):
            return (thread, opening)
        case .failure(let error):
            thread.join()
            throw error
        }
    }

    /// Starts a thread that reads.
    static func startReader(
        _ engine: any Engine, _ claim: any Sendable & AnyObject, _ queue: JobQueue<Snapshot>,
        _ number: Int, _ readTimeMax: Duration
    ) throws -> DedicatedThread {
        let opened = Handoff<Result<Void, any Error>>()
        let thread = try DedicatedThread {
            withExtendedLifetime(claim) {
                let loop: ReaderLoop
                do {
                    loop = ReaderLoop(
                        connection: try engine.connect(.reader), queue: queue,
                        number: number, readTimeMax: readTimeMax)
                    opened.give(.success(()))
                } catch {
                    return opened.give(.failure(error))
                }
                loop.run()
            }
        }
        if case .failure(let error) = opened.take() {
            thread.join()
            throw error
        }
        return thread
    }

    private static func open(
        _ connection: any Connection, _ migrations: [Migration], at now: WallTime,
        _ uptime: @escaping @Sendable () -> Duration
    ) throws -> Opening {
        try Migrator(connection: connection, migrations: migrations, now: now).run()
        _ = try connection.execute(
            """
            INSERT INTO storage_meta (id, incarnation, created_at_us)
            VALUES (1, \(Incarnation.random()), \(now)) ON CONFLICT (id) DO NOTHING
            """)
        let meta = try connection.row(
            "SELECT incarnation, open_us FROM storage_meta WHERE id = 1"
        ) { (try $0.bytes(0), try $0.int64(1)) }
        guard let meta else { throw StorageFault.sql("a database without its incarnation") }
        let head = try connection.row(
            "SELECT sequence FROM storage_event ORDER BY sequence DESC LIMIT 1"
        ) { try $0.int64(0) }
        return Opening(
            incarnation: meta.0, runningTime: RunningTime(before: meta.1, uptime: uptime),
            signals: CommitSignals(feedHead: head ?? 0))
    }
}
