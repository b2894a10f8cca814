import Access
import Messages
import RPC
import ServiceKit
import Spreadsheets
import Testing

@testable import Organizations

/// Cells of files that cannot be taken as they are: each is told, and none changes another row.
struct ImportCellTests {
    private let installation: Installation
    private let office: ImportOffice

    init() throws {
        installation = try Installation()
        office = try ImportOffice(installation)
    }

    /// Reads rows below a header, the first of them with the number 2.
    private func lines(_ header: [String], _ rows: [[Cell]]) throws -> [ImportLine] {
        let columns = try ImportColumns(header: header.map(Cell.text))
        var titles = TitleCache()
        var lines: [ImportLine] = []
        for cells in rows {
            let row = SpreadsheetRow(number: lines.count + 2, cells: cells)
            lines.append(ImportLine(row, columns, titles: &titles))
        }
        return lines
    }

    /// Plans rows where some organizations are there already.
    private func plan(_ lines: [ImportLine], besides titles: String...) throws -> [PlannedLine] {
        let day = try #require(CalendarDay(year: 2026, month: 1, day: 1))
        return try ImportPlanner(
            source: Roots(keys: titles.map { Title.key(of: $0) }), top: .roots, day: day,
            emailMasksMax: 10
        ).plan(lines)
    }

    // MARK: - Titles that cannot be read

    @Test(arguments: [
        (cell: Cell.formula(.number(2)), code: "formula"),
        (cell: Cell.formula(.text("Class")), code: "formula"),
        (cell: Cell.error("#N/A"), code: "cell_error"),
    ])
    func `a title that cannot be read is the fault of its row alone`(
        cell: Cell, code: String
    ) throws {
        let header = ["Title", "Suborganization 2", "Suborganization 3"]
        let land = Cell.text("Land")

        let planned = try plan(
            try lines(
                header,
                [[land], [land, cell], [land, .text("Good")], [land, cell, .text("Deep")]]))

        #expect(planned.map { $0.line.faults.map(\.code) } == [[], [code], [], [code]])
        #expect(planned.map(\.outcome) == [.created, .error, .created, .error])
        #expect(planned.flatMap(\.line.faults).allSatisfy { $0.column == "Suborganization 2" })
        #expect(planned[2].parentRow == 2)
    }

    @Test func `a formula in the first column leaves no row without a fault`() throws {
        let planned = try plan(
            try lines(["Title"], [[.formula(.text("Land"))], [.formula(.text("Land"))]]))

        #expect(planned.map { $0.line.faults.map(\.code) } == [["formula"], ["formula"]])
        #expect(planned.allSatisfy { !$0.line.isBlank })
    }

    @Test func `a title below that cannot be read keeps no update from being planned`() throws {
        let header = ["Title", "Suborganization 2", "Discount percentage"]
        let land = Cell.text("Land")

        let planned = try plan(
            try lines(
                header,
                [[land, .empty, .text("10")], [land, .formula(.number(2)), .text("20")]]),
            besides: "Land")

        #expect(planned.map(\.outcome) == [.updated, .error])
        #expect(planned.map { $0.line.faults.map(\.code) } == [[], ["formula"]])
    }

    @Test func `a value that cannot be read leaves its row the organization it names`() throws {
        let header = ["Title", "Discount percentage"]

        let planned = try plan(
            try lines(
                header,
                [[.text("Land"), .formula(.number(2))], [.text("Land"), .text("10")]]))

        #expect(
            planned.map { $0.line.faults.map(\.code) } == [
                ["formula", "duplicate_row"], ["duplicate_row"],
            ])
    }

    // MARK: - Cells below no header

    @Test func `half a title of a text file, without quotation marks, is an error`() async throws {
        let imports = try office.client(Access.Grant(.platformOwner))

        let plan = try await imports.plan(
            csv: "Title", "Miller, Smith & Co", "Miller, Jones & Co", "\"Miller, Brown & Co\"",
            "Good,", "Spaces,  ,,")
        let rows = try await imports.rows(plan)

        #expect(
            rows.map { $0.faults.map(\.code) } == [
                ["unknown_column"], ["unknown_column"], [], [], [],
            ])
        #expect(rows.first?.faults.first?.message.contains("column 2") == true)
        #expect(plan.createdCount == 3 && plan.errorCount == 2, "\(plan)")
    }

    @Test func `a cell of a workbook below a blank header, or beside the last, is an error`()
        async throws
    {
        let imports = try office.client(Access.Grant(.platformOwner))
        let rows: [[Cell]] = [
            [.text("Below"), .number(1)], [.text("Beside"), .empty, .text("-"), .text("note")],
            [.text("Good"), .empty, .text("good.example")], [.text("Spaces"), .text("  ")],
        ]
        let sheet = SpreadsheetSheet(
            name: "Organizations",
            columns: [.init("Title"), .init(" "), .init("Email mask")])
        let batches = AsyncStream<[[Cell]]> { continuation in
            continuation.yield(rows)
            continuation.finish()
        }
        let file: [UInt8] = try await office.desk.spreadsheets.write(
            sheet, as: .xlsx, rows: batches
        ) { pieces in
            var bytes: [UInt8] = []
            for try await piece in pieces { bytes += piece }
            return bytes
        }

        let plan = try await imports.plan(file)

        #expect(plan.state == .planned, "\(plan.fault)")
        #expect(
            try await imports.rows(plan).map { $0.faults.map(\.code) } == [
                ["unknown_column"], ["unknown_column"], [], [],
            ])
    }

    // MARK: - Percentages

    @Test(arguments: [
        Cell.number(1e-9), .number(1e-11, isPercent: true), .number(0.001), .number(15.001),
        .text("0.001"), .text("0.000000001"), .text("99.999999999"),
    ])
    func `a percentage with more than two decimals is an error, however near it is`(
        cell: Cell
    ) throws {
        let line = try #require(
            try lines(["Title", "Discount percentage"], [[.text("A"), cell]]).first)

        #expect(line.faults.map(\.code) == ["percent_invalid"])
        #expect(line.basisPoints == .unchanged && line.warnings.isEmpty)
    }

    @Test(arguments: [
        (cell: Cell.number(0), basisPoints: 0), (cell: Cell.number(0.15), basisPoints: 15),
        (cell: Cell.number(0.1 + 0.2), basisPoints: 30),
        (cell: Cell.number(0.07, isPercent: true), basisPoints: 700),
        (cell: Cell.number(0.1234, isPercent: true), basisPoints: 1_234),
        (cell: Cell.number(15), basisPoints: 1_500), (cell: Cell.text("15"), basisPoints: 1_500),
    ])
    func `a percentage is read to the hundredth, without the noise of binary fractions`(
        cell: Cell, basisPoints: Int
    ) throws {
        let line = try #require(
            try lines(["Title", "Discount percentage"], [[.text("A"), cell]]).first)

        #expect(line.faults.isEmpty && line.basisPoints == .set(basisPoints))
    }

    @Test func `a number below 1 is told with what it was read as, and what it was not`() throws {
        let header = ["Title", "Discount percentage"]
        let numbers: [Double] = [0.15, 0.07, 0.3, 0.1 + 0.2, 15, 1e-9]

        let read = try lines(header, numbers.map { [Cell.text("A"), .number($0)] })

        #expect(
            read.flatMap(\.warnings) == [
                "Discount percentage: 0.15 was read as 0.15 %, not 15 %.",
                "Discount percentage: 0.07 was read as 0.07 %, not 7 %.",
                "Discount percentage: 0.3 was read as 0.3 %, not 30 %.",
                "Discount percentage: 0.3 was read as 0.3 %, not 30 %.",
            ])
    }
}

/// Organizations at the root, each without anything.
private struct Roots: ImportSource {
    let keys: [String]
    let areTitlesUniqueEverywhere = false

    func organization(below parent: Int64?, titleKey: String) -> ImportedOrganization? {
        guard parent == nil, keys.contains(titleKey) else { return nil }
        return ImportedOrganization(
            number: 1, version: 1, isActive: true, emailMasks: [], discount: .none)
    }

    func organization(numbered number: Int64) -> ImportedOrganization? { nil }

    func isTakenEverywhere(titleKey: String) -> Bool { false }

    func owner(ofEmailMask value: String) -> Int64? { nil }
}
