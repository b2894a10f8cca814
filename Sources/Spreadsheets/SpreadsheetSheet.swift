/// What a file to be written looks like above its rows.
public struct SpreadsheetSheet: Hashable, Sendable {
    /// A column with its title, which becomes the first row.
    public struct Column: Hashable, Sendable {
        /// The text of the header's cell.
        public let title: String
        /// The width in characters of the usual font; nil for one that fits the title.
        public let width: Double?

        /// A column of a title.
        ///
        /// - Parameters:
        ///   - title: The text of the header's cell.
        ///   - width: The width in characters, up to 255; nil for one that fits the title.
        public init(_ title: String, width: Double? = nil) {
            (self.title, self.width) = (title, width)
        }
    }

    /// The name of the sheet; what Excel does not allow in it is left out.
    public let name: String
    /// The columns from A on.
    public let columns: [Column]

    /// A sheet of a name with columns.
    public init(name: String, columns: [Column]) {
        (self.name, self.columns) = (name, columns)
    }

    /// The name as Excel allows it: up to 31 units, some characters not, and no apostrophe around.
    var excelName: String {
        let forbidden: Set<Character> = ["[", "]", ":", "*", "?", "/", "\\"]
        var name = String(name.filter { !forbidden.contains($0) && $0 >= " " })
        while name.utf16.count > 31 { name.removeLast() }
        while name.hasPrefix("'") { name.removeFirst() }
        while name.hasSuffix("'") { name.removeLast() }
        return name.isEmpty ? "Sheet1" : name
    }
}

extension SpreadsheetSheet.Column {
    private static let widths = 10.0...60.0
    /// The room for the arrow of the filter, in characters.
    private static let arrowWidth = 4.0

    var displayWidth: Double {
        if let width { return min(max(width, 1), 255) }
        let needed = Double(title.count) + Self.arrowWidth
        return min(max(needed, Self.widths.lowerBound), Self.widths.upperBound)
    }
}

extension ByteWriter {
    mutating func write(_ sheet: SpreadsheetSheet, as format: SpreadsheetFormat) {
        write(format.rawValue)
        write(sheet.name)
        write(UInt16(sheet.columns.count))
        for column in sheet.columns {
            write(column.title)
            write(column.displayWidth)
        }
    }
}

extension ByteReader {
    mutating func sheet() throws(MalformedFrame) -> (SpreadsheetSheet, SpreadsheetFormat) {
        guard let format = SpreadsheetFormat(rawValue: try read()) else { throw MalformedFrame() }
        let name: String = try read()
        let count: UInt16 = try read()
        var columns: [SpreadsheetSheet.Column] = []
        for _ in 0..<count {
            let title: String = try read()
            columns.append(SpreadsheetSheet.Column(title, width: try read()))
        }
        return (SpreadsheetSheet(name: name, columns: columns), format)
    }
}
