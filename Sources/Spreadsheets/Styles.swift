/// What numbers mean by the styles of their cells.
final class Styles: XMLHandler {
    private var codes: [Int: NumberFormat] = [:]
    private var formats: [NumberFormat] = []
    private var isInCellFormats = false
    private let limits: SpreadsheetLimits

    init(limits: SpreadsheetLimits) {
        self.limits = limits
    }

    /// The format of a style; nil if the workbook has no such style.
    subscript(style: Int) -> NumberFormat? {
        if formats.indices.contains(style) { return formats[style] }
        // A workbook without a part for styles has the plain one.
        return style == 0 ? .plain : nil
    }

    func begin(_ element: XMLElement, _ attributes: XMLAttributes) throws(SpreadsheetFault) {
        switch element {
        case .numberFormat:
            guard let number = attributes["numFmtId"]?.integer,
                let code = attributes["formatCode"]?.string
            else { return }
            guard codes.count < limits.listLengthMax else { throw tooMany }
            codes[number] = NumberFormat(code: code)
        case .cellFormats: isInCellFormats = true
        case .format where isInCellFormats:
            guard formats.count < limits.listLengthMax else { throw tooMany }
            let number = attributes["numFmtId"]?.integer ?? 0
            formats.append(codes[number] ?? NumberFormat(builtIn: number))
        default: break
        }
    }

    func end(_ element: XMLElement) throws(SpreadsheetFault) {
        if element == .cellFormats { isInCellFormats = false }
    }

    private var tooMany: SpreadsheetFault {
        SpreadsheetFault(.tooComplex, "The workbook has too many styles.")
    }
}
