public import Access
public import Logging
public import RPC
public import RPCServices
internal import RPCTelemetry
internal import RPCTransport
public import Storage
import Synchronization

/// What a program is wired from.
public final class ServiceEnvironment: Sendable {
    /// What the program was told at its start.
    public let configuration: ServiceConfiguration
    /// The log.
    public let logger: Logger
    /// The time of day.
    public let clock: WallClock
    /// Makes identifiers.
    public let identifiers: IdentifierSource
    /// The keys by which processes know one another.
    public let keys: KeyRing
    /// States who makes the calls that this process sends.
    public let signer: PrincipalSigner
    /// Whether this process is ready.
    public let health = ServiceHealth()

    let security: TransportSecurity
    let loops = RPCEventLoops()
    let losses = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1))
    private let opened = Mutex(Opened())

    private struct Opened {
        var databases: [Database] = []
        var clients: [String: RPCClient] = [:]
    }

    init(configuration: ServiceConfiguration, logger: Logger, clock: WallClock) throws {
        self.configuration = configuration
        self.logger = logger
        self.clock = clock
        identifiers = IdentifierSource(clock: clock)
        keys = try KeyRing(folder: configuration.keysFolder, name: configuration.service)
        signer = PrincipalSigner(keys: keys, clock: clock)
        security = try TransportSecurity(configuration, logger: logger)
    }

    /// Opens the database of the service, `<data>/<service>.db`; blocks until it is checked.
    ///
    /// It is looked after daily, and closed when the program ends. When the outcome of a commit
    /// becomes unknown, the program drains and ends, to be started again.
    /// - Parameter migrations: Those of all components.
    /// - Returns: The database, open.
    /// - Throws: `OpeningFault`, or when its folder cannot be made.
    public func openDatabase(migrations: [Migration]) throws -> Database {
        try openDatabase(migrations: migrations) { _ in }
    }

    /// Opens it with a change to its configuration, such as another engine; for tests.
    package func openDatabase(
        migrations: [Migration], _ change: (inout DatabaseConfiguration) -> Void
    ) throws -> Database {
        var settings = DatabaseConfiguration(path: configuration.databasePath)
        settings.ballastBytes = DatabaseConfiguration.serviceBallastBytes
        try PrivateFile.createFolder(configuration.dataFolder)
        let (clock, losses) = (clock, losses.continuation)
        settings.now = { clock.now() }
        settings.onLost = { reason in losses.yield(reason) }
        change(&settings)
        let database = try Database(settings, migrations: migrations)
        opened.withLock { $0.databases.append(database) }
        return database
    }

    /// A channel to another service, at the address set under its name; its calls are signed by
    /// this process unless they name a principal.
    ///
    /// - Parameter upstream: The name of the service, such as `organizations`.
    /// - Returns: The channel, which connects when it is first used.
    /// - Throws: ``ServiceConfiguration/Fault`` when its address is not set, `TLSFault` when it
    ///   must not be called unprotected.
    public func channel(to upstream: String) throws -> any Channel {
        try plainChannel(to: upstream).intercepted(
            by: SigningInterceptor(signer: signer, audience: upstream))
    }

    /// A channel to another service whose calls carry nothing but what their options say.
    ///
    /// - Parameter upstream: The name of the service, such as `organizations`.
    /// - Returns: The channel, which connects when it is first used.
    /// - Throws: ``ServiceConfiguration/Fault`` when its address is not set, `TLSFault` when it
    ///   must not be called unprotected.
    public func plainChannel(to upstream: String) throws -> any Channel {
        let telemetry: [(any ClientInterceptor)?] = [
            TracingInterceptor.ifBootstrapped, MetricsInterceptor.ifBootstrapped,
        ]
        let client: any Channel = try client(of: upstream)
        return telemetry.compactMap { $0 }.reduce(client) { $0.intercepted(by: $1) }
    }

    private func client(of upstream: String) throws -> RPCClient {
        guard let text = configuration.text(upstream) else {
            throw ServiceConfiguration.Fault.usage(
                "\(configuration.service): the address of \(upstream) is not set")
        }
        let target = try RPCTarget(parsing: text)
        var settings = RPCClientConfiguration()
        settings.security = try security.client(of: upstream)
        settings.compression = configuration.compression
        try settings.security.check(target)
        return opened.withLock { opened in
            if let known = opened.clients[upstream] { return known }
            let client = RPCClient(
                target, configuration: settings, loops: loops, logger: logger)
            opened.clients[upstream] = client
            return client
        }
    }

    /// The databases that were opened.
    var databases: [Database] { opened.withLock { $0.databases } }

    /// Closes what was opened; to be called when nothing uses it any more.
    func close() async {
        let opened = self.opened.withLock { opened in
            defer { opened = Opened() }
            return opened
        }
        for client in opened.clients.values { await client.close() }
        await loops.shutDown()
        for database in opened.databases {
            await noteRunningTime(of: database)
            database.close()
        }
    }

    /// Lives that are shorter than the pause between two notes count, too.
    private func noteRunningTime(of database: Database) async {
        // Also when whoever ends the program has cancelled this task. What cannot be noted is not
        // counted, as when the program is killed.
        await Task { [clock] in _ = try? await database.noteRunningTime(at: clock.now()) }.value
    }
}

/// Looks after a database from day to day.
struct Housekeeping: Sendable {
    /// The pause between two rounds.
    static let period: Duration = .seconds(86_400)
    /// The pause before the first, so that a start is not slowed down.
    static let firstPause: Duration = .seconds(600)
    /// The pause between two notes of how long the database has been open: so much is lost of it
    /// with a process that is killed.
    static let notePeriod: Duration = .seconds(600)
    /// Events that later ones supersede are kept for this long.
    static let eventRetention: Duration = .seconds(7 * 86_400)

    let database: Database
    let clock: WallClock
    let logger: Logger
    /// Measures the pauses.
    var pauses: any Clock<Duration> = ContinuousClock()

    func run() async throws {
        var untilRound = Self.firstPause
        while true {
            do {
                try await database.noteRunningTime(at: clock.now())
                if untilRound <= .zero {
                    try await round()
                    untilRound = Self.period
                }
            } catch let fault as StorageFault {
                logger.warning("housekeeping failed", metadata: ["error": "\(fault)"])
            }
            try await pauses.sleep(for: Self.notePeriod)
            untilRound -= Self.notePeriod
        }
    }

    private func round() async throws {
        let now = clock.now()
        try await database.purge(at: now)
        try await database.feed.compact(
            olderThan: try await database.retentionLimit(Self.eventRetention, at: now))
    }
}
