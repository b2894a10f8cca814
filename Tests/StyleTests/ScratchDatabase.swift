import CSQLite
import Foundation
import Mail
import Storage
import TreeCopy

/// A database with the schema of a program and no rows, asked how it would run statements.
@safe final class ScratchDatabase {
    struct Fault: Error {
        let message: String
    }

    /// The tables of the program, its copy of the tree and storage.
    private(set) var tables: [String] = []
    /// How many columns tell the rows of a unique index apart; `TABLE PRIMARY KEY` for a key that
    /// is the table itself.
    private var uniqueColumns: [String: Int] = [:]
    private let folder: URL
    private let handle: OpaquePointer

    /// Programs whose tables are in one database have different names for them.
    init(of programs: StatementTests.Program...) throws {
        folder = FileManager.default.temporaryDirectory
            .appending(path: "statements-\(UUID().uuidString)")
        let path = folder.appending(path: "db").path
        var configuration = DatabaseConfiguration(path: path)
        configuration.freeBytesMin = 0
        try Database(configuration, migrations: programs.flatMap(Self.migrations)).close()
        var opened: OpaquePointer?
        guard unsafe sqlite3_open(path, &opened) == SQLITE_OK, let handle = unsafe opened else {
            throw Fault(message: "cannot open \(path)")
        }
        unsafe self.handle = handle
        tables = try texts(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite%'")
        for table in tables {
            let key = try texts("SELECT name FROM pragma_table_info('\(table)') WHERE pk > 0")
            uniqueColumns["\(table) PRIMARY KEY"] = key.count
            let indexes = try texts(
                "SELECT name FROM pragma_index_list('\(table)') WHERE \"unique\" = 1")
            for index in indexes {
                uniqueColumns[index] = try texts(
                    "SELECT seqno || '' FROM pragma_index_info('\(index)')"
                ).count
            }
        }
    }

    deinit {
        unsafe sqlite3_close(handle)
        // What is left behind lies in the temporary folder, which the system empties.
        try? FileManager.default.removeItem(at: folder)
    }

    /// The steps by which a statement would be run.
    func plan(of statement: String) throws -> [String] {
        try texts("EXPLAIN QUERY PLAN \(statement)", column: 3)
    }

    /// Whether a step of a plan reads every row of a table that may have many.
    func isScan(_ step: String, _ statement: String) -> Bool {
        let words = step.split(separator: " ").map(String.init)
        guard words.count >= 2, words[0] == "SCAN" else { return false }
        // An index of parts of texts is asked in this way, from any place in its order too; SQLite
        // calls that a scan.
        if step.contains(/VIRTUAL TABLE INDEX [0-9]+:L/) { return false }
        let table = table(words[1], in: statement)
        return tables.contains(table) && !Self.smallTables.contains(table)
    }

    /// Whether a step of a plan goes along a primary key from some place on, while the statement
    /// asks for more than that: rows that are left out are read all the same.
    func isFilteredRange(_ step: String, _ statement: SourceStatement) -> Bool {
        guard step.hasPrefix("SEARCH "), let open = step.lastIndex(of: "("),
            step.contains("PRIMARY KEY"), !step[open...].contains("="),
            step[open...].contains(">") || step[open...].contains("<")
        else { return false }
        let name = step.split(separator: " ").dropFirst().first.map(String.init) ?? ""
        guard tables.contains(table(name, in: statement.text)) else { return false }
        // What follows `WHERE`, up to the next clause: one comparison and nothing more?
        return statement.words.components(separatedBy: "WHERE ").dropFirst().contains { rest in
            let condition = rest.components(separatedBy: " ORDER BY ").first ?? rest
            return condition.contains(" AND ") || condition.contains(" OR ")
        }
    }

    /// Tables that have one row at most, or hold only what a statement before has put there for
    /// the one that reads all of it.
    private static let smallTables: Set<String> = ["tree_rebuild", "place_change", "place_source"]

    /// The table that a name in a statement stands for.
    private func table(_ name: String, in statement: String) -> String {
        let words = statement.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
        for (index, word) in words.enumerated() where word == name && index >= 2 {
            if words[index - 1] == "AS", tables.contains(words[index - 2]) {
                return words[index - 2]
            }
        }
        return name
    }

    /// Whether a step of a plan finds one row at most, or reads no table.
    func findsOneRow(_ step: String, _ statement: String) -> Bool {
        guard step.hasPrefix("SEARCH ") || step.hasPrefix("SCAN ") else { return true }
        if step == "SCAN CONSTANT ROW" { return true }
        guard step.hasPrefix("SEARCH "), let open = step.lastIndex(of: "(") else { return false }
        let words = step[..<open].split(separator: " ").map(String.init)
        let columns = step[open...].components(separatedBy: "=?").count - 1
        guard let last = words.last, !step[open...].contains(">"), !step[open...].contains("<")
        else { return false }
        if step.contains("INTEGER PRIMARY KEY") { return columns == 1 }
        return columns
            == uniqueColumns[last == "KEY" ? "\(table(words[1], in: statement)) PRIMARY KEY" : last]
    }

    /// One column of what a query finds.
    func texts(_ query: String, column: Int32 = 0) throws -> [String] {
        var prepared: OpaquePointer?
        guard unsafe sqlite3_prepare_v2(handle, query, -1, &prepared, nil) == SQLITE_OK else {
            throw Fault(message: unsafe String(cString: sqlite3_errmsg(handle)))
        }
        defer { unsafe sqlite3_finalize(prepared) }
        var found: [String] = []
        while unsafe sqlite3_step(prepared) == SQLITE_ROW {
            let text = unsafe sqlite3_column_text(prepared, column)
            found.append(unsafe text.map { unsafe String(cString: $0) } ?? "")
        }
        return found
    }

    /// The migrations of a service, from its files, and those of its copy of the tree or of its
    /// outbox.
    private static func migrations(of program: StatementTests.Program) throws -> [Migration] {
        let folder = SourceTree.here.root
            .appending(path: "Services/\(program.name)/Migrations")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let own = try files.enumerated().map { index, file in
            Migration(
                component: program.name, number: index + 1, name: file,
                sql: try String(contentsOf: folder.appending(path: file), encoding: .utf8))
        }
        return own + (program.hasTree ? TreeCopy.migrations : [])
            + (program.hasOutbox ? Outbox.migrations : [])
    }
}
