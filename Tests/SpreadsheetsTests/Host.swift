import Foundation
import Glibc
import Testing

@testable import Spreadsheets

/// All tests with processes of their own, one after the other.
@Suite(.serialized) struct ProcessTests {}

/// The program that reads and writes in these tests, and what is to be seen of it.
enum Host {
    /// The program of the build that these tests belong to.
    static let executable = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "SpreadsheetsHost").path

    static func processes(
        _ change: (inout SpreadsheetConfiguration) -> Void = { _ in }
    ) -> SpreadsheetProcesses {
        var configuration = SpreadsheetConfiguration()
        configuration.executable = executable
        change(&configuration)
        return SpreadsheetProcesses(configuration)
    }

    /// The processes of the program that this one has started and not yet waited for.
    static func children() throws -> [pid_t] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name in
            // Processes come and go while the folder is read.
            guard let number = pid_t(name),
                let status = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
                let end = status.lastIndex(of: ")")
            else { return nil }
            let fields = status[end...].split(separator: " ")
            return fields.count > 2 && fields[2] == "\(getpid())" ? number : nil
        }
    }

    static func rows(
        of file: SpreadsheetFile, with processes: SpreadsheetProcesses = processes()
    ) async throws -> [SpreadsheetRow] {
        try await processes.read(file) { batches in
            var rows: [SpreadsheetRow] = []
            for try await batch in batches { rows += batch }
            return rows
        }
    }

    static func fault(
        of bytes: [UInt8], with processes: SpreadsheetProcesses = processes()
    ) async throws -> SpreadsheetFault? {
        do {
            _ = try await rows(of: .bytes(bytes), with: processes)
            return nil
        } catch let fault as SpreadsheetFault {
            return fault
        }
    }

    static func bytes<Rows: AsyncSequence & Sendable>(
        of sheet: SpreadsheetSheet, as format: SpreadsheetFormat, rows: Rows,
        with processes: SpreadsheetProcesses = processes()
    ) async throws -> [UInt8] where Rows.Element == [[Cell]] {
        try await processes.write(sheet, as: format, rows: rows) { pieces in
            var bytes: [UInt8] = []
            for try await piece in pieces { bytes += piece }
            return bytes
        }
    }
}

/// A file of many rows, larger than what waits between two processes.
enum LongFile {
    static func bytes(rows: Int) -> [UInt8] {
        var bytes = Array("Number,Text\n".utf8)
        for row in 1..<rows { bytes += Array("\(row),some text that takes its room\n".utf8) }
        return bytes
    }
}

/// What a caller's own work may throw.
struct BrokenOff: Error, Equatable {}

/// A sequence of batches that are all there.
struct Batches: AsyncSequence {
    let batches: [[[Cell]]]
    /// How long each takes to come.
    var pause: Duration = .zero
    /// What comes after the last; nil for the end.
    var failure: BrokenOff?

    struct AsyncIterator: AsyncIteratorProtocol {
        var rest: ArraySlice<[[Cell]]>
        let pause: Duration
        let failure: BrokenOff?

        mutating func next() async throws -> [[Cell]]? {
            if pause > .zero { try await Task.sleep(for: pause) }
            if let batch = rest.popFirst() { return batch }
            if let failure { throw failure }
            return nil
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(rest: batches[...], pause: pause, failure: failure)
    }
}
