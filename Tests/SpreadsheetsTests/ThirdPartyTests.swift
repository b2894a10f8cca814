import Foundation
import Glibc
import Subprocess
import SystemPackage
import Testing

@testable import Spreadsheets

extension ProcessTests {
    /// Files of other programs, and what other programs make of ours.
    @Suite(.timeLimit(.minutes(3))) struct ThirdPartyTests {
        @Test func `openpyxl, XlsxWriter and LibreOffice are read alike`() async throws {
            let folder = try Folder()
            try await Tool.python("make_workbooks.py", [folder.file("o"), folder.file("x")])
            try await Tool.convert(folder.file("o"), to: "xlsx", in: folder.path("converted"))
            let expected = Table.rows

            for file in [folder.file("o"), folder.file("x"), folder.path("converted") + "/o.xlsx"] {
                let rows = try await Host.rows(of: .path(file))

                #expect(rows.first?.cells == Table.titles.map { .text($0) }, "\(file)")
                #expect(rows.dropFirst().map(\.number) == expected.map(\.number), "\(file)")
                for (row, expected) in zip(rows.dropFirst(), expected) {
                    #expect(Table.shown(row) == expected.cells, "\(file), row \(row.number)")
                    guard case .formula = row[6] else {
                        Issue.record("\(file), row \(row.number): no formula")
                        continue
                    }
                }
            }
        }

        @Test func `a text file of LibreOffice is read`() async throws {
            let folder = try Folder()
            try await Tool.python("make_workbooks.py", [folder.file("o"), folder.file("x")])
            try await Tool.convert(folder.file("x"), to: "csv", in: folder.path("converted"))

            let path = folder.path("converted") + "/x-Organizations.csv"
            let rows = try await Host.rows(of: .path(path))

            #expect(rows.first?.cells == Table.titles.map { .text($0) })
            let texts = rows.dropFirst().map { $0[0] }
            // LibreOffice writes texts as they are, so that an apostrophe before a formula is ours.
            #expect(Array(texts) == Table.texts.map { .text($0) })
        }

        @Test func `every cut of a real workbook is refused`() async throws {
            let folder = try Folder()
            try await Tool.python("make_workbooks.py", [folder.file("o"), folder.file("x")])
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder.file("o"))))

            for count in stride(from: 7, to: bytes.count, by: 7) {
                let fault = try Reading.fault(of: Array(bytes.prefix(count)))
                #expect(fault?.code == .damaged || fault?.code == .notASpreadsheet, "\(count)")
            }
            for index in stride(from: 0, to: bytes.count, by: 3) {
                var changed = bytes
                changed[index] ^= 0xFF
                _ = try Reading.fault(of: changed)
            }
        }

        @Test func `openpyxl reads a workbook of ours as it was meant`() async throws {
            let folder = try Folder()
            let sheet = SpreadsheetSheet(
                name: "Organizations", columns: [.init("Title", width: 42), .init("B"), .init("C")])
            let rows: [[Cell]] = [
                [.text("=1+1"), .number(15), CellDate.of(2026, 3, 1)],
                [.text("Überall 😀\nzwei"), .number(0.15, isPercent: true), .boolean(true)],
                [.text(" -"), .number(-2.5), CellDate.of(2026, 3, 1, .seconds(34_215))],
            ]
            let bytes = try await Host.bytes(
                of: sheet, as: .xlsx, rows: Batches(batches: [rows]))
            try Data(bytes).write(to: URL(filePath: folder.file("ours")))

            let shown = try await Tool.python("show_workbook.py", [folder.file("ours")])
            let book = try JSONDecoder().decode(ShownBook.self, from: Data(shown.utf8))

            #expect(book.sheets == ["Organizations"])
            #expect(
                book.rows == [
                    [["text", "Title"], ["text", "B"], ["text", "C"]],
                    [["text", "=1+1"], ["number", "15.0"], ["date", "2026-03-01T00:00:00"]],
                    [["text", "Überall 😀\nzwei"], ["percent", "0.15"], ["boolean", "True"]],
                    [["text", " -"], ["number", "-2.5"], ["date", "2026-03-01T09:30:15"]],
                ])
            #expect(book.frozen == "A2" && book.filter == "A1:C4")
            #expect(book.bold == [true, true, true])
            #expect(book.widths[0] > 41 && book.widths[0] < 44)
        }

        @Test func `LibreOffice reads a workbook of ours as it was meant`() async throws {
            let folder = try Folder()
            let sheet = SpreadsheetSheet(name: "Organizations", columns: [.init("Title")])
            let texts = ["=1+1", "'-", "Überall 😀", "a\"b", "0012"]
            let bytes = try await Host.bytes(
                of: sheet, as: .xlsx, rows: Batches(batches: [texts.map { [.text($0)] }]))
            try Data(bytes).write(to: URL(filePath: folder.file("ours")))

            try await Tool.convert(folder.file("ours"), to: "xlsx", in: folder.path("converted"))
            let read = try await Host.rows(of: .path(folder.path("converted") + "/ours.xlsx"))

            #expect(read.dropFirst().map(\.cells) == texts.map { [.text($0)] })
        }
    }
}

/// What `show_workbook.py` says.
private struct ShownBook: Decodable {
    let sheets: [String]
    let rows: [[[String]]]
    let frozen: String
    let filter: String
    let bold: [Bool]
    let widths: [Double]
}

/// The table that `make_workbooks.py` writes.
private enum Table {
    static let titles = [
        "Title", "Percent", "Day", "Moment", "Number", "Truth", "Formula", "Custom day",
    ]
    static let texts = [
        "Plain", "Überall & <überall>", "日本語 😀", "two\nlines", "  spaces  ", "=1+1", "-",
        "'quoted", "under_score_", "0012",
    ]
    private static let days = [
        CellDate.of(1900, 1, 1), CellDate.of(1900, 2, 28), CellDate.of(1900, 3, 1),
        CellDate.of(2024, 2, 29), CellDate.of(2026, 12, 31), CellDate.of(9999, 12, 31),
    ]

    /// The rows below the header; formulas, and cells that LibreOffice makes formulas, as values.
    static var rows: [SpreadsheetRow] {
        texts.enumerated().map { index, text in
            SpreadsheetRow(
                number: 2 * index + 2,
                cells: [
                    .text(text), .number(Double(index) / 20, isPercent: true),
                    days[index % days.count], CellDate.of(2026, 3, 1, .seconds(34_215)),
                    .number(Double(index) * 1.5 - 3), .boolean(index % 2 == 0),
                    days[days.count - 1 - index % 4],
                ])
        }
    }

    /// A row without its column of formulas.
    static func shown(_ row: SpreadsheetRow) -> [Cell] {
        [0, 1, 2, 3, 4, 5, 7].map { column in
            if case .formula(let value) = row[column] { value } else { row[column] }
        }
    }
}

/// A folder of a test's own, gone with it.
private final class Folder: Sendable {
    private let root: String

    init() throws {
        root = "/tmp/spreadsheets-test-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
    }

    deinit {
        // Nobody misses what cannot be removed.
        try? FileManager.default.removeItem(atPath: root)
    }

    func path(_ name: String) -> String { "\(root)/\(name)" }
    func file(_ name: String) -> String { "\(root)/\(name).xlsx" }
}

/// Programs of others.
private enum Tool {
    struct Failure: Error {
        let program: String
        let said: String
    }

    @discardableResult
    static func run(_ program: String, _ arguments: [String]) async throws -> String {
        let result = try await Subprocess.run(
            program.contains("/") ? .path(FilePath(program)) : .name(program),
            arguments: Arguments(arguments), output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            throw Failure(program: program, said: result.standardError)
        }
        return result.standardOutput
    }

    @discardableResult
    static func python(_ script: String, _ arguments: [String]) async throws -> String {
        let python = try #require(
            ProcessInfo.processInfo.environment["GUILDHALL_TEST_PYTHON"],
            "deploy/test prepares the Python that this test needs")
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Python/\(script)").path
        return try await run(python, [path] + arguments)
    }

    /// Converts a file with LibreOffice, which deploy/test installs.
    static func convert(_ file: String, to format: String, in folder: String) async throws {
        try await run(
            "soffice",
            [
                "-env:UserInstallation=file://\(folder)/profile", "--headless", "--convert-to",
                format == "csv"
                    ? "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,2"
                    : format,
                "--outdir", folder, file,
            ])
    }
}
