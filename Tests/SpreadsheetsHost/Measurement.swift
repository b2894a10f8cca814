import Glibc
import Spreadsheets

/// Measures what reading and writing cost this process and the one that does it.
enum Measurement {
    static func read(_ path: String) async throws {
        let start = ContinuousClock.now
        let counts = try await SpreadsheetProcesses().read(.path(path)) { rows in
            var counts = (rows: 0, cells: 0)
            for try await batch in rows {
                counts.rows += batch.count
                counts.cells += batch.reduce(0) { $0 + $1.cells.count }
            }
            return counts
        }
        say("\(counts.rows) rows, \(counts.cells) cells")
        report(since: start)
    }

    static func write(_ count: Int, as format: SpreadsheetFormat, to path: String) async throws {
        let start = ContinuousClock.now
        let titles = (1...9).map { SpreadsheetSheet.Column("Column \($0)") }
        let sheet = SpreadsheetSheet(name: "Organizations", columns: titles)
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(descriptor) }
        let byteCount = try await SpreadsheetProcesses().write(
            sheet, as: format, rows: Batches(count: count)
        ) { pieces in
            var byteCount = 0
            for try await piece in pieces {
                byteCount += unsafe Glibc.write(descriptor, piece, piece.count)
            }
            return byteCount
        }
        say("\(byteCount) bytes")
        report(since: start)
    }

    private static func report(since start: ContinuousClock.Instant) {
        say("\(start.duration(to: .now) / .milliseconds(1)) ms in all")
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        let microseconds =
            (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1_000_000
            + Int(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
        say("\(microseconds / 1_000) ms of the other process, \(usage.ru_maxrss) KiB at most")
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        say("\(usage.ru_maxrss) KiB at most of this process")
    }

    static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        unsafe _ = Glibc.write(STDOUT_FILENO, bytes, bytes.count)
    }
}

/// Rows as an export of organizations has them.
private struct Batches: AsyncSequence {
    static let batchSize = 500
    let count: Int

    struct AsyncIterator: AsyncIteratorProtocol {
        let count: Int
        var made = 0

        mutating func next() async throws -> [[Cell]]? {
            guard made < count else { return nil }
            defer { made += Batches.batchSize }
            let end = Swift.min(made + Batches.batchSize, count)
            return (made..<end).map { row in
                [
                    .text("Organization \(row % 1_000)"), .text("School \(row)"), .empty,
                    .text("*@school\(row).example"), .number(Double(row % 100)),
                    CellDate(year: 2026, month: 3, day: 1).map { .date($0) } ?? .empty,
                    .text("org_\(row)"), .number(Double(row)), .text("Überall"),
                ]
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(count: count) }
}
