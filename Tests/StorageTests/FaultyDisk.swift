import CFaultyDisk

@testable import Storage

/// A disk of a test's own: it notes what SQLite does to its files, and fails on demand.
///
/// Connections to files on it must be closed before it goes.
final class FaultyDisk: Sendable {
    /// More than any test's workload writes.
    static let recordBytesMax: Int64 = 256 * 1_024 * 1_024

    /// What a file is to SQLite.
    enum Role: Int32, CaseIterable {
        case database = 1
        case log = 2
        case journal = 4

        /// What its name ends with.
        var suffix: String {
            switch self {
            case .database: ""
            case .log: "-wal"
            case .journal: "-journal"
            }
        }
    }

    enum Fault: CaseIterable {
        case syncFails
        case writeFails
        case readFails
        case isFull
        case syncLies

        fileprivate var code: faulty_disk_fault {
            switch self {
            case .syncFails: FAULTY_DISK_SYNC_FAILS
            case .writeFails: FAULTY_DISK_WRITE_FAILS
            case .readFails: FAULTY_DISK_READ_FAILS
            case .isFull: FAULTY_DISK_IS_FULL
            case .syncLies: FAULTY_DISK_SYNC_LIES
            }
        }
    }

    enum Persistence: CaseIterable {
        case once
        case forEver
    }

    /// The name under which databases on the disk are opened.
    let name: String
    private let number: Int32

    /// A disk in good health.
    ///
    /// - Parameter recordBytesMax: 0 to record nothing.
    init(recordBytesMax: Int64 = FaultyDisk.recordBytesMax) {
        name = "faulty-\(UInt64.random(in: .min ... .max))"
        number = unsafe faulty_disk_make(name, recordBytesMax)
        precondition(number >= 0, "a test makes few disks")
    }

    deinit {
        faulty_disk_remove(number)
    }

    /// How many operations have been done; only grows.
    var operationCount: Int { Int(faulty_disk_operation_count(number)) }

    /// How many operations have failed since the disk was armed.
    var failureCount: Int { Int(faulty_disk_failure_count(number)) }

    /// Has the n-th operation from now fail, among those that the fault concerns.
    func arm(
        _ fault: Fault, at number: Int = 1, _ persistence: Persistence = .once,
        roles: [Role] = Role.allCases
    ) {
        let sum = roles.reduce(0) { $0 | $1.rawValue }
        faulty_disk_arm(
            self.number, fault.code, sum, Int64(number), persistence == .forEver)
    }

    /// Heals the disk.
    func disarm() { faulty_disk_disarm(number) }

    /// What has been done, in order.
    func record() -> [RecordedOperation] {
        precondition(!faulty_disk_is_overfull(number), "the record is incomplete")
        return (0..<operationCount).map { index in
            var operation = faulty_disk_operation()
            let isThere = unsafe faulty_disk_read_operation(number, Int64(index), &operation)
            precondition(isThere, "the record is complete")
            return RecordedOperation(operation)
        }
    }

    /// Does to a file what an operation did; `part` says which of the bytes that it wrote.
    func replay(_ index: Int, part: Range<Int>, on descriptor: Int32) {
        let isDone = faulty_disk_replay(
            number, Int64(index), descriptor, Int64(part.lowerBound), Int64(part.count))
        precondition(isDone, "the real disk takes what the test writes")
    }
}

/// One thing that was done to a file on a ``FaultyDisk``.
struct RecordedOperation {
    enum Kind {
        /// A file that was there, of so many bytes.
        case found(size: Int)
        case made
        case write(offset: Int, count: Int)
        case truncate(size: Int)
        case sync
        case failedSync
        case delete
    }

    let kind: Kind
    let role: FaultyDisk.Role
    /// Which file: a name that is deleted and made again is another file.
    let file: Int
    /// Whether the names in the folder are made durable as well.
    let syncsFolder: Bool

    fileprivate init(_ operation: faulty_disk_operation) {
        switch operation.kind {
        case FAULTY_DISK_FOUND: kind = .found(size: Int(operation.offset))
        case FAULTY_DISK_MADE: kind = .made
        case FAULTY_DISK_WRITE:
            kind = .write(offset: Int(operation.offset), count: Int(operation.count))
        case FAULTY_DISK_TRUNCATE: kind = .truncate(size: Int(operation.offset))
        case FAULTY_DISK_SYNC: kind = .sync
        case FAULTY_DISK_FAILED_SYNC: kind = .failedSync
        case FAULTY_DISK_DELETE: kind = .delete
        default: preconditionFailure("a kind that the layer does not know")
        }
        switch operation.role {
        case FAULTY_DISK_DATABASE: role = .database
        case FAULTY_DISK_LOG: role = .log
        case FAULTY_DISK_JOURNAL: role = .journal
        default: preconditionFailure("a role that the layer does not know")
        }
        file = Int(operation.file)
        syncsFolder = operation.syncs_folder
    }
}

/// SQLite's own engine on a faulty disk.
struct FaultyDiskEngine: EngineWrapper {
    /// Kept for as long as there are connections.
    let disk: FaultyDisk
    /// Statements that the writer's connection begins with.
    let settings: String
    let engine: EmbeddedSQLite

    init(
        _ path: String, on disk: FaultyDisk, durability: EmbeddedSQLite.Durability = .full,
        checkpointPages: Int32? = nil, settings: String = ""
    ) {
        self.disk = disk
        self.settings = settings
        engine = EmbeddedSQLite(
            path: path, ballastBytes: 0, durability: durability, fileSystem: disk.name,
            checkpointPages: checkpointPages)
    }

    func connect(_ role: ConnectionRole) throws -> any Connection {
        let connection = try engine.connect(role)
        if role == .writer, !settings.isEmpty { try connection.run(script: settings) }
        return connection
    }
}
