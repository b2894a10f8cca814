import Foundation
import Glibc
import Testing

@testable import Spreadsheets

extension ProcessTests {
    /// Writing in a process of its own.
    @Suite(.timeLimit(.minutes(2))) struct WritingProcessTests {
        static let sheet = SpreadsheetSheet(
            name: "Organizations", columns: [.init("Title"), .init("Value", width: 30)])

        @Test func `every cell of a workbook comes back as it was written`() async throws {
            let cells: [Cell] = [
                .text("=1+1"), .text("-"), .text("'quoted"), .text("  spaces  "),
                .text("two\nlines"),
                .text("a\r\nb\u{0}\u{1B}\u{FFFE}"), .text("_x0041_ _x_ __"), .text("😀 <&>\""),
                .text("12"), .text(String(repeating: "ä", count: 32_767)), .number(15),
                .number(-0.1),
                .number(123_456_789.125), .number(0.155, isPercent: true), .boolean(true),
                .boolean(false), CellDate.of(1900, 1, 1), CellDate.of(1900, 2, 28),
                CellDate.of(1900, 3, 1), CellDate.of(2024, 2, 29), CellDate.of(9999, 12, 31),
                CellDate.of(2026, 3, 1, .milliseconds(34_215_250)),
            ]
            let rows = cells.map { [$0] } + [[.empty, .text("second")], [], [.empty, .empty]]

            let bytes = try await Host.bytes(
                of: Self.sheet, as: .xlsx, rows: Batches(batches: [rows]))
            let read = try await Host.rows(of: .bytes(bytes))

            #expect(read.first?.cells == [.text("Title"), .text("Value")])
            for (cell, row) in zip(cells, read.dropFirst()) { #expect(row.cells == [cell]) }
            #expect(read.last == SpreadsheetRow(number: 24, cells: [.empty, .text("second")]))
            #expect(read.count == 24)
        }

        @Test func `what cannot be said is written as it shows`() async throws {
            let bytes = try await Host.bytes(
                of: Self.sheet, as: .xlsx,
                rows: Batches(batches: [
                    [[.formula(.number(2)), .error("#N/A")], [.number(.infinity), .text("")]]
                ]))

            let read = try await Host.rows(of: .bytes(bytes))

            #expect(read[1].cells == [.number(2), .text("#N/A")])
            #expect(read[2].cells == [.text("inf")])
        }

        @Test func `a text file comes back as it was written`() async throws {
            let texts = ["=1+1", "-", "'=x", "a\"b", "x,y;z", "two\r\nlines", "\tt", " s "]
            let rows = texts.map { [Cell.empty, .text($0)] }

            let bytes = try await Host.bytes(
                of: Self.sheet, as: .csv, rows: Batches(batches: [rows]))
            let read = try await Host.rows(of: .bytes(bytes))

            #expect(bytes.starts(with: [0xEF, 0xBB, 0xBF]))
            #expect(read.dropFirst().map(\.cells) == rows)
        }

        @Test(arguments: SpreadsheetFormat.allCases)
        func `many rows in many batches are written`(format: SpreadsheetFormat) async throws {
            let batch = (0..<500).map { [Cell.text("Row \($0)"), .number(Double($0))] }
            let rows = Batches(batches: Array(repeating: batch, count: 40))

            let bytes = try await Host.bytes(of: Self.sheet, as: format, rows: rows)
            let read = try await Host.rows(of: .bytes(bytes))

            #expect(read.count == 20_001)
            #expect(read.last?[0] == .text("Row 499"))
        }

        @Test(arguments: SpreadsheetFormat.allCases)
        func `a file without rows has its header`(format: SpreadsheetFormat) async throws {
            let bytes = try await Host.bytes(
                of: Self.sheet, as: format, rows: Batches(batches: []))

            #expect(try await Host.rows(of: .bytes(bytes)).count == 1)
        }

        @Test(arguments: SpreadsheetFormat.allCases)
        func `a text that is too long is refused with its cell`(
            format: SpreadsheetFormat
        ) async throws {
            let long = Cell.text(String(repeating: "x", count: 32_768))

            let fault = await #expect(throws: SpreadsheetFault.self) {
                _ = try await Host.bytes(
                    of: Self.sheet, as: format,
                    rows: Batches(batches: [[[.text("a")], [.empty, long]]]))
            }

            #expect(fault?.code == .cellTooLong && fault?.cell == "B3")
        }

        @Test(arguments: SpreadsheetFormat.allCases)
        func `what the rows throw is thrown`(format: SpreadsheetFormat) async throws {
            let rows = Batches(batches: [[[.text("a")]]], failure: BrokenOff())

            await #expect(throws: BrokenOff()) {
                _ = try await Host.bytes(of: Self.sheet, as: format, rows: rows)
            }
            #expect(try Host.children().isEmpty)
        }

        @Test func `the time of the rows does not count`() async throws {
            let rows = Batches(
                batches: Array(repeating: [[.text("a")]], count: 3), pause: .milliseconds(900))

            let bytes = try await Host.bytes(
                of: Self.sheet, as: .csv, rows: rows,
                with: Host.processes { $0.limits.waitMax = .seconds(3) })

            #expect(try await Host.rows(of: .bytes(bytes)).count == 4)
        }

        @Test func `cancellation ends the process while rows are awaited`() async throws {
            let rows = Batches(batches: [[[.text("a")]]], pause: .seconds(60))
            let started = AsyncStream<Void>.makeStream()
            let task = Task {
                try await Host.processes().write(Self.sheet, as: .xlsx, rows: rows) { pieces in
                    started.continuation.yield()
                    for try await _ in pieces {}
                }
            }
            for await _ in started.stream { break }
            task.cancel()

            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try Host.children().isEmpty)
        }

        @Test func `no name is left in the temporary folder, nor ever there`() async throws {
            let folder = "/tmp/spreadsheets-test-\(getpid())-\(UInt64.random(in: 0 ... .max))"
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: false)
            defer { unsafe rmdir(folder) }
            let batch = (0..<500).map { [Cell.text("Row \($0)"), .number(Double($0))] }
            let rows = Batches(batches: Array(repeating: batch, count: 40))
            let processes = Host.processes { $0.temporaryFolder = folder }

            try await processes.write(Self.sheet, as: .xlsx, rows: rows) { pieces in
                for try await _ in pieces {
                    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
                }
            }

            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }

        @Test func `a file that grows too large ends, and its caller is told`() async throws {
            let batch = (0..<500).map { [Cell.text("Row \($0)"), .number(Double($0))] }
            let rows = Batches(batches: Array(repeating: batch, count: 40))

            let fault = await #expect(throws: SpreadsheetFault.self) {
                _ = try await Host.bytes(
                    of: Self.sheet, as: .xlsx, rows: rows,
                    with: Host.processes { $0.limits.writtenBytesMax = 100_000 })
            }

            #expect(fault == .tooComplexToWrite)
        }

        @Test func `a temporary folder that is missing is told`() async throws {
            let fault = await #expect(throws: SpreadsheetFault.self) {
                _ = try await Host.bytes(
                    of: Self.sheet, as: .xlsx, rows: Batches(batches: []),
                    with: Host.processes { $0.temporaryFolder = "/no/such/folder" })
            }

            #expect(fault == .unavailable)
        }

        @Test(arguments: ["", "'a'", "a/b:c*?[]\\", String(repeating: "x", count: 40), "😀"])
        func `every name of a sheet is made one that Excel takes`(name: String) async throws {
            let sheet = SpreadsheetSheet(name: name, columns: [.init("Title")])

            let bytes = try await Host.bytes(of: sheet, as: .xlsx, rows: Batches(batches: []))

            #expect(try await Host.rows(of: .bytes(bytes)).count == 1)
        }
    }
}
