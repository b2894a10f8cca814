import Access
import Messages
import RPC
import ServiceKit
import Storage

/// The kind of identifiers that imports have.
enum ImportKind {}
typealias ImportID = Identifier<ImportKind>

/// How far an import has come.
enum ImportRunState: Int, Sendable {
    case planning = 1
    case planned = 2
    case applying = 3
    case applied = 4
    case failed = 5
    case cancelled = 6

    /// Whether it goes on by itself.
    var isUnderWay: Bool { self == .planning || self == .applying }
}

/// An import as it is stored.
struct ImportRun: Sendable, Hashable {
    let id: ImportID
    /// The organization that the first column names; nil: the roots.
    let parent: OrganizationID?
    var state: ImportRunState
    let createdBy: String
    let createdAt: WallTime
    var endedAt: WallTime?
    var counts = ImportCounts()
    var fault: ImportFailure?
}

/// How many rows become what.
struct ImportCounts: Sendable, Hashable {
    var rows = 0
    var created = 0
    var updated = 0
    var unchanged = 0
    var errors = 0
}

/// Why an import failed.
struct ImportFailure: Error, Sendable, Hashable {
    let code: String
    let sentence: String
    /// The row of the file; 0 for none.
    var row = 0
}

extension ImportRun {
    /// The columns in the order in which an import is made of them.
    static let runColumns: SQL = """
        id, parent_id, state, created_by, created_micros, ended_micros, row_count, created_count,
        updated_count, unchanged_count, error_count, fault_code, fault, fault_row
        """

    init(row: Row) throws {
        let code = try row.text(11)
        self.init(
            id: try row.identifier(0), parent: try row.identifierOrNil(1),
            state: try ImportRunState(stored: row.int(2)), createdBy: try row.text(3),
            createdAt: try row.time(4), endedAt: try row.timeOrNil(5),
            counts: ImportCounts(
                rows: try row.int(6), created: try row.int(7), updated: try row.int(8),
                unchanged: try row.int(9), errors: try row.int(10)),
            fault: code.isEmpty
                ? nil
                : ImportFailure(code: code, sentence: try row.text(12), row: try row.int(13)))
    }
}

extension Reading {
    /// An import.
    func importRun(_ id: ImportID) throws -> ImportRun? {
        try row(
            "SELECT \(ImportRun.runColumns) FROM import_run WHERE id = \(id)",
            ImportRun.init(row:))
    }

    /// Imports in a state, at most so many.
    func importRuns(in state: ImportRunState, limit: Int) throws -> [ImportRun] {
        try rows(
            """
            SELECT \(ImportRun.runColumns) FROM import_run WHERE state = \(state.rawValue)
            LIMIT \(limit)
            """, ImportRun.init(row:))
    }

    /// Rows of a plan after one, in the order of the file.
    func importRows(
        of id: ImportID, after row: Int64, limit: Int
    ) throws -> [(row: Int64, outcome: ImportOutcome, body: [UInt8])] {
        try rows(
            """
            SELECT row, outcome, body FROM import_row WHERE import_id = \(id) AND row > \(row)
            ORDER BY row LIMIT \(limit)
            """
        ) { (try $0.int64(0), try ImportOutcome(stored: $0.int(1)), try $0.bytes(2)) }
    }

    /// Rows of a plan with one outcome after a row, in the order of the file.
    func importRows(
        of id: ImportID, outcome: ImportOutcome, after row: Int64, limit: Int
    ) throws -> [(row: Int64, outcome: ImportOutcome, body: [UInt8])] {
        try rows(
            """
            SELECT row, outcome, body FROM import_row
            WHERE import_id = \(id) AND outcome = \(outcome.rawValue) AND row > \(row)
            ORDER BY row LIMIT \(limit)
            """
        ) { (try $0.int64(0), try ImportOutcome(stored: $0.int(1)), try $0.bytes(2)) }
    }

    /// The organization of a planned row: the one that it names, or that it has made.
    func organization(
        of planned: PlannedRow, _ row: Int64, in id: ImportID
    ) throws -> OrganizationID? {
        if planned.number != 0 { return try node(numbered: planned.number)?.id }
        return try self.row(
            """
            SELECT o.id FROM import_made AS made JOIN organization AS o ON o.number = made.number
            WHERE made.import_id = \(id) AND made.row = \(row)
            """
        ) { try $0.identifier(0) }
    }
}

extension Transaction {
    /// Keeps an import as it now stands.
    func put(_ run: ImportRun) throws {
        try execute(
            """
            INSERT INTO import_run (id, parent_id, state, created_by, created_micros,
                ended_micros, row_count, created_count, updated_count, unchanged_count,
                error_count, fault_code, fault, fault_row)
            VALUES (\(run.id), \(run.parent), \(run.state.rawValue), \(run.createdBy),
                \(run.createdAt), \(run.endedAt), \(run.counts.rows), \(run.counts.created),
                \(run.counts.updated), \(run.counts.unchanged), \(run.counts.errors),
                \(run.fault?.code ?? ""), \(run.fault?.sentence ?? ""), \(run.fault?.row ?? 0))
            ON CONFLICT (id) DO UPDATE SET state = excluded.state,
                ended_micros = excluded.ended_micros, row_count = excluded.row_count,
                created_count = excluded.created_count, updated_count = excluded.updated_count,
                unchanged_count = excluded.unchanged_count, error_count = excluded.error_count,
                fault_code = excluded.fault_code, fault = excluded.fault,
                fault_row = excluded.fault_row
            """)
    }

    /// Keeps a planned row.
    func insert(_ line: PlannedLine, of id: ImportID) throws {
        try execute(
            """
            INSERT INTO import_row (import_id, row, outcome, body)
            VALUES (\(id), \(line.line.row), \(line.outcome.rawValue),
                \(PlannedRow(line).encoded()))
            """)
    }

    /// Notes which organization a row has made.
    func note(_ number: Int64, madeBy row: Int64, of id: ImportID) throws {
        try execute(
            "INSERT INTO import_made (import_id, row, number) VALUES (\(id), \(row), \(number))")
    }

    /// Removes imports that were begun before an instant, with their rows; at most so many rows,
    /// and what is noted of so many.
    ///
    /// - Returns: Whether there may be more.
    func removeImports(before instant: WallTime, rowsMax: Int) throws -> Bool {
        let old: [ImportID] = try rows(
            """
            SELECT id FROM import_run
            WHERE created_micros < \(instant) AND state <> 1 AND state <> 3
            ORDER BY created_micros LIMIT 1
            """
        ) { try $0.identifier(0) }
        guard let id = old.first else { return false }
        // What has lost rows is applied no more.
        try execute("UPDATE import_run SET state = 6 WHERE id = \(id) AND state = 2")
        try execute(
            """
            DELETE FROM import_row WHERE import_id = \(id) AND row IN (
                SELECT row FROM import_row WHERE import_id = \(id) ORDER BY row LIMIT \(rowsMax))
            """)
        // Fewer than there are rows, so that none is left when no row is.
        try execute(
            """
            DELETE FROM import_made WHERE import_id = \(id) AND row IN (
                SELECT row FROM import_made WHERE import_id = \(id) ORDER BY row LIMIT \(rowsMax))
            """)
        guard try importRows(of: id, after: 0, limit: 1).isEmpty else { return true }
        try execute("DELETE FROM import_run WHERE id = \(id)")
        return true
    }
}

extension PlannedRow {
    /// A planned row as it is kept.
    init(_ line: PlannedLine) {
        self.init(
            path: line.line.path.map(\.text), parentNumber: line.parentNumber ?? 0,
            parentRow: Int64(line.parentRow ?? 0), number: line.organization?.number ?? 0,
            version: line.organization?.version ?? 0,
            emailMasks: line.line.emailMasks.text { $0.joined(separator: " ") },
            discountPercentage: line.line.basisPoints.text { String($0) },
            discountExpirationDate: line.line.expiration.text(\.text),
            differences: line.differences.map {
                Messages.ImportDifference(field: $0.field, oldValue: $0.old, newValue: $0.new)
            },
            faults: line.line.faults.map {
                ImportFault(code: $0.code, column: $0.column, message: $0.sentence)
            },
            warnings: line.line.warnings)
    }
}
