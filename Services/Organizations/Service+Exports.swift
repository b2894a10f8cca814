import Access
import Messages
import RPC
import ServiceKit
import Spreadsheets
import Storage

extension ImportService {
    func getImportExample(
        _ request: GetImportExampleRequest, _ context: CallContext,
        _ replies: ReplyStream<FilePart>
    ) async throws {
        _ = try context.principal
        let format = try FileFormat(request.format)
        let sheet = ExportSheet(depth: 3, isExample: true)
        let rows = AsyncStream { continuation in
            continuation.yield(ExportSheet.example.map(sheet.cells))
            continuation.finish()
        }
        try await write(sheet, rows, as: format, named: "import-example", to: replies)
    }

    func exportOrganizations(
        _ request: ExportOrganizationsRequest, _ context: CallContext,
        _ replies: ReplyStream<FilePart>
    ) async throws {
        let principal = try context.principal
        let format = try FileFormat(request.format)
        let day = context.now.day
        let asked = try OrganizationID.optional(requestText: request.parent, field: "parent")
        let (walk, depth) = try await database.read { snapshot in
            let (top, _) = try snapshot.importTop(asked, for: principal, on: day)
            return (
                try ExportWalk(from: top, in: snapshot), try snapshot.height(below: top)
            )
        }
        let sheet = ExportSheet(depth: depth, isExample: false)
        let rows = ExportBatches(database: database, walk: walk, sheet: sheet)
        try await write(
            sheet, rows, as: format, named: "organizations-\(day.text)", to: replies)
    }

    private func write<Rows: AsyncSequence & Sendable>(
        _ sheet: ExportSheet, _ rows: Rows, as format: FileFormat, named name: String,
        to replies: ReplyStream<FilePart>
    ) async throws where Rows.Element == [[Cell]] {
        do {
            try await desk.spreadsheets.write(
                sheet.definition, as: format.spreadsheet, rows: rows
            ) { pieces in
                var isFirst = true
                for try await piece in pieces {
                    var rest = piece[...]
                    repeat {
                        let part = FilePart(
                            name: isFirst ? "\(name).\(format.rawValue)" : "",
                            contentType: isFirst ? format.contentType : "",
                            data: Array(rest.prefix(FileFormat.partBytesMax)))
                        rest = rest.dropFirst(FileFormat.partBytesMax)
                        isFirst = false
                        try await replies.write(part)
                    } while !rest.isEmpty
                }
            }
        } catch let fault as SpreadsheetFault {
            let reason: ErrorReason =
                switch fault.code {
                case .busy: .busy
                case .unavailable: .unavailable
                default: .validation
                }
            throw Status.refusal(reason, fault.message)
        }
    }
}

/// What a file is written as.
enum FileFormat: String, Sendable {
    case xlsx
    case csv

    /// The bytes of a file in one message.
    static let partBytesMax = 48 * 1_024

    /// The format in a field; .xlsx when it is empty.
    init(_ text: String) throws(Status) {
        guard let format = text.isEmpty ? .xlsx : FileFormat(rawValue: text) else {
            throw Status.invalid("format", "Please ask for “xlsx” or “csv”.")
        }
        self = format
    }

    var spreadsheet: SpreadsheetFormat {
        switch self {
        case .xlsx: .xlsx
        case .csv: .csv
        }
    }

    var contentType: String {
        switch self {
        case .xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        case .csv: "text/csv; charset=utf-8"
        }
    }
}

/// The columns of a file that is written.
struct ExportSheet: Sendable {
    /// How many levels have a column.
    let depth: Int
    /// An example has no columns that imports pass over.
    let isExample: Bool

    private static let titleWidth = 32.0

    var definition: SpreadsheetSheet {
        let levels = (1...max(depth, 1)).map { level in
            SpreadsheetSheet.Column(ImportColumns.Header.level(level), width: Self.titleWidth)
        }
        let values = [
            SpreadsheetSheet.Column(ImportColumns.Header.emailMask, width: 28),
            SpreadsheetSheet.Column(ImportColumns.Header.percentage, width: 20),
            SpreadsheetSheet.Column(ImportColumns.Header.expiration, width: 24),
        ]
        let facts = ImportColumns.Header.ignored.map {
            SpreadsheetSheet.Column($0, width: $0 == "id" ? 38 : 22)
        }
        return SpreadsheetSheet(
            name: "Organizations", columns: levels + values + (isExample ? [] : facts))
    }

    /// The cells of a row.
    func cells(_ row: ExportRow) -> [Cell] {
        var cells = row.path.map(Cell.text)
        cells += Array(repeating: .empty, count: max(0, depth - row.path.count))
        cells.append(Self.text(row.emailMasks.joined(separator: "; ")))
        cells.append(Self.text(row.basisPoints.map(Percentage.text) ?? ""))
        cells.append(Self.text(row.until?.text ?? ""))
        guard let facts = row.facts else { return cells }
        return cells + [
            .text(facts.id.text), .number(Double(facts.members)),
            .text(facts.updatedAt.day.text),
        ]
    }

    private static func text(_ text: String) -> Cell { text.isEmpty ? .empty : .text(text) }

    /// What the example shows: two levels more than the first, and every way to write a value.
    static let example = [
        ExportRow(path: ["Riverside School District"], emailMasks: ["riverside.example"]),
        ExportRow(
            path: ["Riverside School District", "North School"],
            emailMasks: ["north.riverside.example", "*.north.example"], basisPoints: 1_500,
            until: CalendarDay(year: 2030, month: 6, day: 30)),
        ExportRow(path: ["Riverside School District", "North School", "Class 5 A"]),
        ExportRow(path: ["Riverside School District", "South School"], basisPoints: 750),
    ]
}

/// An organization as it is written to a file.
struct ExportRow: Sendable, Hashable {
    /// What imports pass over.
    struct Facts: Sendable, Hashable {
        let id: OrganizationID
        let members: Int64
        let updatedAt: WallTime
    }

    /// The titles from the first column down.
    let path: [String]
    var emailMasks: [String] = []
    var basisPoints: Int?
    var until: CalendarDay?
    var facts: Facts?
}

/// The rows of an export, read in portions, each from one state of the database.
struct ExportBatches: AsyncSequence, Sendable {
    private static let rowsAtOnce = 1_000

    let database: Database
    let walk: ExportWalk
    let sheet: ExportSheet

    struct AsyncIterator: AsyncIteratorProtocol {
        let database: Database
        var walk: ExportWalk
        let sheet: ExportSheet

        mutating func next() async throws -> [[Cell]]? {
            let from = walk
            let (rows, after) = try await database.read { snapshot in
                var walk = from
                let rows = try walk.next(ExportBatches.rowsAtOnce, in: snapshot)
                return (rows, walk)
            }
            walk = after
            // What came to hang deeper since the columns were chosen has no column.
            let fitting = rows.filter { $0.path.count <= sheet.depth }
            return rows.isEmpty ? nil : fitting.map(sheet.cells)
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(database: database, walk: walk, sheet: sheet)
    }
}
