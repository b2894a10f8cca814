/// Reads text with columns as RFC 4180 describes it, with any end of line.
///
/// The separator is the comma, the semicolon or the tab, whichever is most frequent in the first
/// line that is not blank. All cells are text.
struct TextReader {
    private static let quote = UInt8(ascii: "\"")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let separators = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]
    /// How far binary files are looked for, in bytes.
    private static let probeBytes = 4_096

    private enum State {
        /// At the start of a field.
        case start
        case plain
        case quoted
        /// After a quote in a quoted field: its end, or half of a quote.
        case closing
    }

    private let limits: SpreadsheetLimits
    private let take: (SpreadsheetRow) throws(SpreadsheetFault) -> Void
    private let separator: UInt8
    private var state = State.start
    private var row = 1
    private var column = 0
    private var cells: [Cell] = []
    private var field: [UInt8] = []
    private var rowsTaken = 0

    /// Reads a file.
    static func read(
        _ bytes: ArraySlice<UInt8>, limits: SpreadsheetLimits,
        take: @escaping (SpreadsheetRow) throws(SpreadsheetFault) -> Void
    ) throws(SpreadsheetFault) {
        let bytes = try utf8(bytes)
        guard !isOtherText(bytes), !isBinary(bytes.prefix(probeBytes)) else {
            throw SpreadsheetFault.notASpreadsheet
        }
        var reader = TextReader(
            separator: separator(of: bytes), limits: limits, take: take)
        try reader.read(bytes)
    }

    private init(
        separator: UInt8, limits: SpreadsheetLimits,
        take: @escaping (SpreadsheetRow) throws(SpreadsheetFault) -> Void
    ) {
        (self.separator, self.limits, self.take) = (separator, limits, take)
    }

    /// Whether text begins as that of other formats does, also a web page under a sheet's name.
    private static func isOtherText(_ bytes: ArraySlice<UInt8>) -> Bool {
        let start = bytes.drop { $0 <= 0x20 }.prefix(10)
        let text = String(decoding: start, as: UTF8.self).lowercased()
        return ["<!doctype", "<html", "<?xml", "<table", "%pdf-"].contains { text.hasPrefix($0) }
    }

    /// Whether bytes hold controls and are not in UTF-8; text may have one of both faults.
    private static func isBinary(_ bytes: ArraySlice<UInt8>) -> Bool {
        let white = [lineFeed, carriageReturn, UInt8(ascii: "\t")]
        guard bytes.contains(where: { $0 < 0x20 && !white.contains($0) }) else { return false }
        // The last character may be cut.
        guard let last = bytes.lastIndex(where: { $0 & 0xC0 != 0x80 }) else { return true }
        return String(validating: bytes[..<last], as: UTF8.self) == nil
    }

    /// The file without its mark, and in UTF-8 if the mark says UTF-16.
    private static func utf8(_ bytes: ArraySlice<UInt8>) throws(SpreadsheetFault)
        -> ArraySlice<UInt8>
    {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return bytes.dropFirst(3) }
        let isLittle = bytes.starts(with: [0xFF, 0xFE])
        guard isLittle || bytes.starts(with: [0xFE, 0xFF]) else { return bytes }
        let rest = bytes.dropFirst(2)
        guard rest.count % 2 == 0 else {
            throw SpreadsheetFault.damaged("it ends within a character.")
        }
        let units = stride(from: rest.startIndex, to: rest.endIndex, by: 2).lazy.map { index in
            let (first, second) = (UInt16(rest[index]), UInt16(rest[index + 1]))
            return isLittle ? second << 8 | first : first << 8 | second
        }
        var converted: [UInt8] = []
        converted.reserveCapacity(rest.count)
        let isBroken = transcode(
            units.makeIterator(), from: UTF16.self, to: UTF8.self, stoppingOnError: true
        ) { converted.append($0) }
        guard !isBroken else {
            throw SpreadsheetFault(
                .unknownEncoding, "The file is said to be in UTF-16 and is not. \(advice)")
        }
        return converted[...]
    }

    private static let advice = "Save it as “CSV UTF-8”."

    private static func separator(of bytes: ArraySlice<UInt8>) -> UInt8 {
        var counts = [0, 0, 0]
        var isQuoted = false
        for byte in bytes.drop(while: { $0 == lineFeed || $0 == carriageReturn }) {
            if byte == quote { isQuoted.toggle() }
            guard !isQuoted else { continue }
            if byte == lineFeed || byte == carriageReturn { break }
            if let index = separators.firstIndex(of: byte) { counts[index] += 1 }
        }
        let most = counts.indices.max { (counts[$0], -$0) < (counts[$1], -$1) } ?? 0
        return separators[most]
    }

    private mutating func read(_ bytes: ArraySlice<UInt8>) throws(SpreadsheetFault) {
        var last: UInt8 = 0
        for byte in bytes {
            // No text has it.
            guard byte != 0 else { throw SpreadsheetFault.notASpreadsheet }
            defer { last = byte }
            switch state {
            case .quoted:
                if byte == Self.quote { state = .closing } else { try append(byte) }
                continue
            case .closing where byte == Self.quote:
                try append(byte)
                state = .quoted
                continue
            case .start where byte == Self.quote:
                state = .quoted
                continue
            default: break
            }
            switch byte {
            case separator: try endField()
            case Self.lineFeed where last == Self.carriageReturn && isAtRowStart: break
            case Self.lineFeed, Self.carriageReturn: try endRow()
            default:
                // Excel too takes what follows a closing quote as it is.
                try append(byte)
                state = .plain
            }
        }
        guard state != .quoted else { throw place.fault(.damaged, "a quotation does not end.") }
        if !isAtRowStart { try endRow() }
    }

    private var isAtRowStart: Bool { state == .start && column == 0 }

    private var place: Place { Place(row: row, column: column) }

    private mutating func append(_ byte: UInt8) throws(SpreadsheetFault) {
        // No character has more bytes than this for a unit.
        guard field.count < 3 * limits.cellCharactersMax + 1 else { throw tooLong }
        field.append(byte)
    }

    private var tooLong: SpreadsheetFault {
        place.fault(
            .cellTooLong, "the text is longer than \(limits.cellCharactersMax) characters.")
    }

    private mutating func endField() throws(SpreadsheetFault) {
        if !field.isEmpty {
            guard column < limits.columnsMax else {
                throw place.fault(
                    .tooManyColumns, "the file has more than \(limits.columnsMax) columns.")
            }
            guard let raw = String(validating: field, as: UTF8.self) else {
                throw place.fault(
                    .unknownEncoding, "the text is not in UTF-8. \(Self.advice)")
            }
            let text = FormulaGuard.restore(raw)
            guard
                field.count <= limits.cellCharactersMax
                    || text.utf16.count <= limits.cellCharactersMax
            else { throw tooLong }
            while cells.count < column { cells.append(.empty) }
            cells.append(.text(text))
            field.removeAll(keepingCapacity: true)
        }
        column += 1
        state = .start
    }

    private mutating func endRow() throws(SpreadsheetFault) {
        try endField()
        if !cells.isEmpty {
            guard rowsTaken <= limits.rowsMax else {
                throw Place(row: row).fault(
                    .tooManyRows,
                    "the file has more than \(limits.rowsMax) rows below its header.")
            }
            rowsTaken += 1
            try take(SpreadsheetRow(number: row, cells: cells))
            cells.removeAll(keepingCapacity: true)
        }
        row += 1
        column = 0
    }
}
