import BenchmarkKit
import Foundation
import GRDB
import StorageFixture

/// The command by GRDB: `GRDBCommands FILE ORGANIZATIONS MEMBERSHIPS CALLERS SECONDS`.
@main
enum GRDBCommands {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        let numbers = arguments.dropFirst().compactMap { Int($0) }
        guard let path = arguments.first, numbers.count == 4 else {
            return Output.line("GRDBCommands FILE ORGANIZATIONS MEMBERSHIPS CALLERS SECONDS")
        }
        let pool = try openPool(path)
        let dataSet = DataSet(organizations: numbers[0], memberships: numbers[1])
        let statements = AdmissionStatements()
        let latencies = try await ClosedLoop.run(
            callers: numbers[2], for: .seconds(numbers[3])
        ) { number in
            let admission = dataSet.admission(number)
            try await pool.write { database in
                try database.perform(admission, statements)
            }
        }
        Output.line(latencies.json)
        try pool.close()
    }

    /// A pool whose writer is as durable as ours, with the same room.
    private static func openPool(_ path: String) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.maximumReaderCount = 2
        let pool = try DatabasePool(path: path, configuration: configuration)
        // A pool sets NORMAL after its configuration was applied.
        try pool.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
            try database.execute(sql: "PRAGMA cache_size = -32768")
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 15000")
        }
        let settings = try pool.writeWithoutTransaction { database in
            (
                try String.fetchOne(database, sql: "PRAGMA journal_mode"),
                try Int.fetchOne(database, sql: "PRAGMA synchronous"),
                try Int.fetchOne(database, sql: "PRAGMA foreign_keys")
            )
        }
        guard settings == ("wal", 2, 1) else { throw GRDBFault.settings }
        return pool
    }
}

/// What must not be in a measurement.
enum GRDBFault: Error {
    case settings
    case replyExists
    case levels
    case limitReached
}

extension Database {
    fileprivate func perform(_ admission: Admission, _ statements: AdmissionStatements) throws {
        let organization = Data(admission.organization)
        let user = Data(admission.user)
        let membership = Data(admission.membership)
        let key = Data(admission.key)

        let stored = try Row.fetchOne(
            cachedStatement(sql: statements.findReply), arguments: [admission.principal, key])
        guard stored == nil else { throw GRDBFault.replyExists }
        let used = try checkLimits(at: organization, statements)
        try cachedStatement(sql: statements.addMembership).execute(
            arguments: [organization, user, membership, admission.nameKey, admission.now])
        try cachedStatement(sql: statements.addPlace).execute(arguments: [organization, user])
        try cachedStatement(sql: statements.addLedgerLine).execute(
            arguments: [organization, user, used + 1, admission.now])
        try cachedStatement(sql: statements.addEvent).execute(
            arguments: [Admission.eventKind, membership, Data(admission.event), admission.now])
        try cachedStatement(sql: statements.addReply).execute(
            arguments: [
                admission.principal, key, Admission.method, Data(admission.digest),
                Data(admission.reply), admission.now,
            ])
    }

    /// Answers how many members the organization has.
    private func checkLimits(
        at organization: Data, _ statements: AdmissionStatements
    ) throws -> Int64 {
        var levels: [Int64] = []
        let limits = try Row.fetchCursor(
            cachedStatement(sql: statements.readLimits), arguments: [organization])
        while let limit = try limits.next() {
            let used: Int64 = limit[0]
            if let cap: Int64 = limit[1], used >= cap { throw GRDBFault.limitReached }
            levels.append(used)
        }
        guard levels.count == Admission.levels else { throw GRDBFault.levels }
        return levels[0]
    }
}
