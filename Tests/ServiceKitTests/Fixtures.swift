import Access
import FoundationEssentials
import Logging
import Messages
import RPC
import RPCTesting
import RPCTransport
import ServiceKit
import Storage
import Synchronization

/// A folder of one test, removed with it.
final class Folder: Sendable {
    let path = FileManager.default.temporaryDirectory.path + "/kit-" + UUID().uuidString

    deinit {
        // What is left behind is removed by the system.
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// What processes of one installation share in a test: a clock and a folder of keys.
final class Installation: Sendable {
    let folder = Folder()
    let clock = ManualClock()
    let log = MemoryLog()

    func keys(_ name: String) throws -> KeyRing {
        try KeyRing(folder: folder.path + "/keys", name: name)
    }

    func signer(_ name: String) throws -> PrincipalSigner {
        PrincipalSigner(keys: try keys(name), clock: clock.clock)
    }

    func database(_ name: String, _ migrations: [Migration] = []) throws -> Database {
        try Database(
            DatabaseConfiguration(path: "\(folder.path)/\(name).db"), migrations: migrations)
    }

    /// A port that is free now.
    func freePort() async throws -> Int {
        let server = RPCServer(
            router: Router(services: []),
            configuration: RPCServerConfiguration(address: .tcp(host: "127.0.0.1", port: 0)),
            logger: log.logger)
        let address = Mutex<RPCAddress?>(nil)
        try await during(server.run) {
            let bound = try await server.boundAddress
            address.withLock { $0 = bound }
        }
        guard case .tcp(_, let port)? = address.withLock({ $0 }) else { return 0 }
        return port
    }

    /// A router as the runner makes it.
    func router(
        _ service: String, _ methods: [RegisteredMethod], open: Set<MethodDescriptor> = []
    ) throws -> Router {
        Router(
            services: [methods],
            interceptors: [
                LoggingInterceptor(logger: log.logger, clock: clock.clock),
                PrincipalInterceptor(
                    verifier: PrincipalVerifier(service: service, keys: try keys(service)),
                    clock: clock.clock, openMethods: open),
            ])
    }

    func channel(_ router: Router, from caller: String, to service: String) throws -> any Channel {
        InProcessChannel(router).intercepted(
            by: SigningInterceptor(signer: try signer(caller), audience: service))
    }
}

/// Keeps log lines for a test to look at.
final class MemoryLog: Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(log: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let log: MemoryLog
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }
                .map { "\($0.key)=\($0.value)" }
            let line = (["\(event.level)", "\(event.message)"] + fields).joined(separator: " ")
            log.kept.withLock { $0.append(line) }
        }
    }
}

/// Runs work beside a test until the test is done.
func during<Result: Sendable>(
    _ work: @escaping @Sendable () async throws -> Void,
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask {
            // Its end is the test's doing.
            try? await work()
            return nil
        }
        group.addTask { try await body() }
        defer { group.cancelAll() }
        while let result = try await group.next() {
            if let result { return result }
        }
        throw CancellationError()
    }
}

/// A service for tests: puts and gets organizations by title, in one table.
final class Shelf: Sendable {
    enum Refusal: DomainRefusal {
        case taken
        case busy

        var status: Status {
            switch self {
            case .taken:
                .refusal(
                    .nameTaken, "There is one.", metadata: ["title": "x"],
                    violations: [.init(type: "name_taken", subject: "x", description: "Taken.")])
            case .busy: .refusal(.orgMoving, "Not now.")
            }
        }
    }

    static let put = MethodDescriptor(
        service: "guildhall.test.v1.Shelf", name: "Put", idempotency: .keyed)
    static let cancel = MethodDescriptor(
        service: "guildhall.test.v1.Shelf", name: "Cancel", idempotency: .keyed)
    static let look = MethodDescriptor(
        service: "guildhall.test.v1.Shelf", name: "Look", idempotency: .safe)
    static let migrations = [
        Migration(
            component: "shelf", number: 1, name: "first-tables",
            sql: "CREATE TABLE item (id BLOB PRIMARY KEY, title TEXT NOT NULL UNIQUE) STRICT;")
    ]

    let database: Database
    let identifiers: IdentifierSource
    /// How often the body of a command ran.
    let runs = Mutex(0)

    init(_ database: Database, clock: WallClock) {
        self.database = database
        identifiers = IdentifierSource(clock: clock)
    }

    var methods: [RegisteredMethod] {
        [
            unary(Self.put) { try await self.put($0, $1) },
            unary(Self.cancel) { try await self.cancel($0, $1) },
            unary(Self.look) { try await self.look($0, $1) },
        ]
    }

    func put(_ request: Organization, _ context: CallContext) async throws -> Organization {
        let id: OrganizationID = identifiers.next()
        let now = context.now
        return try await database.command(context, request) { transaction in
            self.runs.withLock { $0 += 1 }
            if request.title == "busy" { throw Refusal.busy }
            if request.title == "defect" { throw StorageFault.sql("no such column: secret") }
            let isTaken = try transaction.exists(
                "SELECT 1 FROM item WHERE title = \(request.title)")
            let title = request.title + (isTaken ? "!" : "")
            try transaction.execute(
                "INSERT INTO item (id, title) VALUES (\(id), \(title))"
            )
            if isTaken { throw Refusal.taken }
            return Organization(id: id.text, title: request.title, createdAt: Timestamp(now))
        }
    }

    func cancel(
        _ request: CancelPreparationRequest, _ context: CallContext
    ) async throws -> CancelPreparationReply {
        try await database.cancel(context, Self.put, key: request.preparationKey) {
            (transaction: Transaction, reply: Organization?) in
            guard let reply else { return }
            try transaction.execute("DELETE FROM item WHERE title = \(reply.title)")
        }
        return CancelPreparationReply()
    }

    func look(_ request: Organization, _ context: CallContext) async throws -> Organization {
        let principal = try context.principal
        return Organization(
            id: principal.scope, title: principal.grants.map(\.role.name).joined(separator: ","))
    }

    var titles: [String] {
        get async throws {
            try await database.read {
                try $0.rows("SELECT title FROM item ORDER BY title") { try $0.text(0) }
            }
        }
    }
}

func unary<Request: Message, Reply: Message>(
    _ method: MethodDescriptor,
    _ handler: @escaping @Sendable (Request, CallContext) async throws -> Reply
) -> RegisteredMethod {
    RegisteredMethod(
        method,
        .unary { payload, context in
            .message(try await handler(try Request(decoding: payload.bytes), context))
        })
}

func call<Reply: Message>(
    _ channel: any Channel, _ method: MethodDescriptor, _ request: some Message,
    key: String? = nil, metadata: Metadata = Metadata()
) async throws -> Reply {
    // Long enough for a machine that is busy with other things.
    var options = CallOptions(timeout: .seconds(30), metadata: metadata)
    if let key { options.metadata[text: MetadataKey.idempotencyKey] = key }
    let payload = try await channel.unary(method, .message(request), options: options)
    return try Reply(decoding: payload.bytes)
}

/// The status with which a call was refused; nil when it was not.
func status(_ body: () async throws -> some Sendable) async -> Status? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? Status
    }
}
