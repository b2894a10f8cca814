import Glibc

@testable import Storage

/// A folder of a test's own, gone with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        let random = UInt64.random(in: .min ... .max)
        let place = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        path = "\(place)/storage-test-\(getpid())-\(random)"
        unsafe mkdir(path, 0o700)
    }

    deinit {
        for name in files { unsafe unlink("\(path)/\(name)") }
        unsafe rmdir(path)
    }

    var databasePath: String { "\(path)/db" }

    /// The names of the files in it, sorted.
    var files: [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    func database(
        _ migrations: [Migration] = [.members],
        _ change: (inout DatabaseConfiguration) -> Void = { _ in }
    ) throws -> Database {
        var configuration = DatabaseConfiguration(path: databasePath)
        configuration.freeBytesMin = 0
        change(&configuration)
        return try Database(configuration, migrations: migrations)
    }
}

extension Migration {
    static let members = Migration(
        component: "members", number: 1, name: "members",
        sql: """
            CREATE TABLE member (
                id    INTEGER PRIMARY KEY,
                email TEXT NOT NULL UNIQUE
            ) STRICT;
            CREATE TABLE note (
                member_id INTEGER NOT NULL REFERENCES member (id) DEFERRABLE INITIALLY DEFERRED,
                text      TEXT
            ) STRICT;
            """)
}

extension Transaction {
    func add(_ id: Int, _ email: String) throws {
        try execute("INSERT INTO member (id, email) VALUES (\(id), \(email))")
    }
}

extension Database {
    /// Runs a closure while the writer is held up, until the closure releases it.
    func holdingWriter(
        _ body: (_ release: @Sendable () -> Void) async throws -> Void
    ) async throws {
        let hasBegun = Bell()
        let gate = Bell()
        async let held: Void = write { _ in
            hasBegun.ring()
            gate.wait()
        }
        try await read { _ in hasBegun.wait() }
        try await body { gate.ring() }
        try await held
    }

    func emails() throws -> [String] {
        try readInline { try $0.rows("SELECT email FROM member ORDER BY id") { try $0.text(0) } }
    }
}

extension WallTime {
    /// An arbitrary moment from which tests count.
    static let start = WallTime(microseconds: 1_700_000_000_000_000)

    func after(days: Int) -> WallTime { advanced(by: .seconds(days * 86_400)) }
}

/// The error that a call ends with; nil if it ends well.
func failure(of call: () async throws -> Void) async -> (any Error)? {
    do {
        try await call()
        return nil
    } catch {
        return error
    }
}
