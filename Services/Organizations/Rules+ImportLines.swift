import Access
import ServiceKit
import Spreadsheets

/// What a cell wants of a value.
enum ImportValue<Value: Sendable & Hashable>: Sendable, Hashable {
    /// There is no such column, or the cell is blank.
    case unchanged
    /// The cell holds a dash.
    case cleared
    case set(Value)
}

/// A row of a file, read and checked by itself.
struct ImportLine: Sendable, Hashable {
    /// As spreadsheets count.
    let row: Int
    /// The titles from the first column down to the organization.
    var path: [Title] = []
    /// Whether the row names an organization for certain, whatever else is wrong with it.
    private(set) var hasPath = false
    var emailMasks = ImportValue<[String]>.unchanged
    /// Hundredths of a percent.
    var basisPoints = ImportValue<Int>.unchanged
    var expiration = ImportValue<CalendarDay>.unchanged
    var faults: [ImportProblem] = []
    var warnings: [String] = []

    private static let dash = "-"
    /// Of more faults in one row only the first are told.
    private static let faultsMax = 10
    /// No cell names more email domains: more than any organization may have.
    private static let emailMasksMax = 10_001
    /// How far binary fractions are off, as a part of the number.
    private static let noiseMax = 1e-12

    /// Reads a row.
    ///
    /// - Parameters:
    ///   - row: The row.
    ///   - columns: Where what stands.
    ///   - titles: Titles that were read before: most parents come again.
    init(_ row: SpreadsheetRow, _ columns: ImportColumns, titles: inout TitleCache) {
        self.row = row.number
        readPath(row, columns, &titles)
        findUnheaded(row, columns)
        // A title that cannot be read, or was cut in two, makes another path of it.
        hasPath = faults.isEmpty
        readEmailMasks(row, columns)
        readPercentage(row, columns)
        readExpiration(row, columns)
    }

    /// Whether the row holds nothing in any column that counts.
    var isBlank: Bool {
        path.isEmpty && faults.map(\.code) == ["title_missing"] && emailMasks == .unchanged
            && basisPoints == .unchanged && expiration == .unchanged
    }

    private mutating func readPath(
        _ row: SpreadsheetRow, _ columns: ImportColumns, _ titles: inout TitleCache
    ) {
        let texts = columns.levels.enumerated().map { index, column in
            text(row[column], ImportColumns.Header.level(index + 1))
        }
        // What is no title already has its fault: it is not missing, too.
        let unread = Set(faults.map(\.column))
        guard let deepest = texts.lastIndex(where: { !$0.isEmpty }) else {
            guard unread.isEmpty else { return }
            fail("title_missing", ImportColumns.Header.title, "There is no title in this row.")
            return
        }
        for (index, text) in texts[...deepest].enumerated() {
            let header = ImportColumns.Header.level(index + 1)
            guard !text.isEmpty else {
                guard !unread.contains(header) else { continue }
                fail("title_missing", header, "The title of a level above is missing.")
                continue
            }
            do throws(FieldFault) {
                path.append(try titles.title(text, field: header))
            } catch {
                fail("title_invalid", header, error.sentence)
            }
        }
    }

    /// Finds the first cell that would be lost: it stands below no heading.
    private mutating func findUnheaded(_ row: SpreadsheetRow, _ columns: ImportColumns) {
        guard
            let unheaded = row.cells.indices.first(where: {
                !columns.headed.contains($0) && !Self.showsNothing(row.cells[$0])
            })
        else { return }
        fail(
            "unknown_column", "",
            "The cell in column \(unheaded + 1) stands below no heading. "
                + "In a .csv file a title with a comma needs quotation marks.")
    }

    private mutating func readEmailMasks(_ row: SpreadsheetRow, _ columns: ImportColumns) {
        guard let column = columns.emailMask else { return }
        let header = ImportColumns.Header.emailMask
        let text = text(row[column], header)
        guard !text.isEmpty else { return }
        guard text != Self.dash else {
            emailMasks = .cleared
            return
        }
        var values: Set<String> = []
        for part in text.split(whereSeparator: { ";,\n\r\r\n".contains($0) }) {
            let value = part.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            guard !value.isEmpty else { continue }
            guard faults.count < Self.faultsMax, values.count < Self.emailMasksMax else { break }
            do throws(FieldFault) {
                let pattern = try MaskPattern(value, field: header)
                if pattern.coversPublicMail {
                    fail(
                        "public_email_domain", header,
                        "Anybody can have an address at \(pattern.base.text).")
                } else {
                    values.insert(pattern.text)
                }
            } catch {
                fail("email_mask_invalid", header, "“\(value.prefix(80))”: \(error.sentence)")
            }
        }
        emailMasks = .set(values.sorted())
    }

    private mutating func readPercentage(_ row: SpreadsheetRow, _ columns: ImportColumns) {
        guard let column = columns.percentage else { return }
        let header = ImportColumns.Header.percentage
        let number: Double
        var isPlain = false
        switch value(row[column], header) {
        case .number(let part, isPercent: true): number = part * 100
        case .number(let plain, isPercent: false):
            number = plain
            isPlain = true
        case .text(let text) where text == Self.dash:
            basisPoints = .cleared
            return
        case .text(let text):
            guard let parsed = Self.percentage(text) else {
                fail("percent_invalid", header, "“\(text.prefix(40))” is no percentage.")
                return
            }
            number = parsed
        case .empty: return
        default:
            fail("percent_invalid", header, "This is no percentage.")
            return
        }
        guard number.isFinite, (0...100).contains(number) else {
            fail("percent_out_of_range", header, "A discount has 0 to 100 percent.")
            return
        }
        guard let hundredths = Self.hundredths(number) else {
            fail("percent_invalid", header, "A discount has at most two decimal places.")
            return
        }
        if isPlain, number > 0, number < 1 {
            let shown = Percentage.number(hundredths)
            warnings.append("\(header): \(shown) was read as \(shown) %, not \(hundredths) %.")
        }
        basisPoints = .set(hundredths)
    }

    private mutating func readExpiration(_ row: SpreadsheetRow, _ columns: ImportColumns) {
        guard let column = columns.expiration else { return }
        let header = ImportColumns.Header.expiration
        switch value(row[column], header) {
        case .empty: return
        case .date(let date):
            guard let day = CalendarDay(year: date.year, month: date.month, day: date.day) else {
                fail("ambiguous_date", header, "This day cannot be told.")
                return
            }
            expiration = .set(day)
        case .text(let text) where text == Self.dash: expiration = .cleared
        case .text(let text):
            guard let day = CalendarDay(text: text) else {
                fail(
                    "ambiguous_date", header,
                    "“\(text.prefix(40))” is no day for certain. Please write 2026-12-31.")
                return
            }
            expiration = .set(day)
        default:
            fail("ambiguous_date", header, "Please write the day as a date, or as 2026-12-31.")
        }
    }

    // MARK: - Cells

    /// A percentage in words: `15`, `15%`, `15.5 %`, `15,5`.
    private static func percentage(_ text: String) -> Double? {
        var digits = text.hasSuffix("%") ? Substring(text).dropLast() : Substring(text)
        while digits.last?.isWhitespace == true { digits.removeLast() }
        let plain = digits.replacing(",", with: ".")
        guard !plain.isEmpty, plain.count <= 12,
            plain.allSatisfy({ $0 == "." || ("0"..."9").contains($0) })
        else { return nil }
        return Double(plain)
    }

    /// The hundredths of a percentage from 0 on; nil when it lies between two of them.
    private static func hundredths(_ percentage: Double) -> Int? {
        let exact = percentage * 100
        let whole = exact.rounded()
        guard abs(exact - whole) <= whole * noiseMax else { return nil }
        return Int(whole)
    }

    /// Whether nobody sees anything in a cell.
    private static func showsNothing(_ cell: Cell) -> Bool {
        switch cell {
        case .empty: true
        case .text(let text): text.allSatisfy(\.isWhitespace)
        case .formula(let result): showsNothing(result)
        case .number, .date, .boolean, .error: false
        }
    }

    /// The cell without white space around it; what cannot be taken at its word is a fault.
    private mutating func value(_ cell: Cell, _ header: String) -> Cell {
        switch cell {
        case .text(let text):
            let trimmed = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            return trimmed.isEmpty ? .empty : .text(trimmed)
        case .formula:
            fail("formula", header, "Formulas are not read. Please paste the value instead.")
            return .empty
        case .error(let text):
            fail("cell_error", header, "The cell holds the error \(text.prefix(20)).")
            return .empty
        case .empty, .number, .date, .boolean: return cell
        }
    }

    /// What stands in a cell, as a text.
    private mutating func text(_ cell: Cell, _ header: String) -> String {
        if case .text(let text) = cell {
            // Line breaks separate email domains.
            return text.allSatisfy(\.isWhitespace) ? "" : text
        }
        switch value(cell, header) {
        case .empty, .error, .formula, .text: return ""
        case .boolean(let isTrue): return isTrue ? "TRUE" : "FALSE"
        case .date(let date): return date.description
        case .number(let number, let isPercent):
            let shown = isPercent ? number * 100 : number
            let isWhole = shown.magnitude < 1e15 && shown == shown.rounded()
            return (isWhole ? String(Int64(shown)) : String(shown)) + (isPercent ? "%" : "")
        }
    }

    private mutating func fail(_ code: String, _ column: String, _ sentence: String) {
        faults.append(ImportProblem(code: code, column: column, sentence: sentence))
    }
}

/// Titles that were read before, up to a number.
struct TitleCache {
    private static let countMax = 50_000
    private var titles: [String: Title] = [:]

    init() {}

    /// The title of a text.
    mutating func title(_ text: String, field: String) throws(FieldFault) -> Title {
        if let known = titles[text] { return known }
        let title = try Title(text, field: field)
        if titles.count >= Self.countMax { titles.removeAll(keepingCapacity: true) }
        titles[text] = title
        return title
    }
}
