/// What a workbook says of itself before its sheets: where they are, how cells are shown, and the
/// texts that cells share.
final class Workbook {
    private let archive: ZipArchive
    private let limits: SpreadsheetLimits

    /// Reads the first visible worksheet of a workbook, row by row.
    ///
    /// - Parameters:
    ///   - bytes: The file.
    ///   - limits: What it may cost.
    ///   - take: Gets each row that is not blank.
    /// - Throws: What is wrong with the file, or what `take` throws.
    static func read(
        _ bytes: UnsafeRawBufferPointer, limits: SpreadsheetLimits,
        take: @escaping (SpreadsheetRow) throws(SpreadsheetFault) -> Void
    ) throws(SpreadsheetFault) {
        let archive = try unsafe ZipArchive(bytes, limits: limits)
        try Workbook(archive, limits: limits).read(take: take)
    }

    private init(_ archive: ZipArchive, limits: SpreadsheetLimits) {
        (self.archive, self.limits) = (archive, limits)
    }

    private func read(
        take: @escaping (SpreadsheetRow) throws(SpreadsheetFault) -> Void
    ) throws(SpreadsheetFault) {
        let path = try workbookPath()
        let relationships = try Relationships(of: path, in: archive, limits: limits)
        let book = WorkbookPart(limits: limits)
        try read(path, with: book)
        guard book.isWorkbook else { throw SpreadsheetFault.notASpreadsheet }
        let found = book.sheets.lazy.filter { !$0.isHidden }.compactMap { sheet in
            relationships.target(id: sheet.relationship, kind: "worksheet")
                .map { (name: sheet.name, path: $0) }
        }
        guard let sheet = found.first else { throw SpreadsheetFault.noWorksheet }

        let styles = Styles(limits: limits)
        if let path = relationships.target(kind: "styles"), archive.contains(path) {
            try read(path, with: styles)
        }
        let texts = SharedTexts(limits: limits)
        if let path = relationships.target(kind: "sharedStrings"), archive.contains(path) {
            try read(path, with: texts)
        }
        let reader = SheetReader(
            sheet.name, styles: styles, texts: texts, isFrom1904: book.isFrom1904, limits: limits,
            take: take)
        try read(sheet.path, with: reader)
        try reader.finish()
    }

    private func read(_ path: String, with handler: any XMLHandler) throws(SpreadsheetFault) {
        let reader = XMLReader(path, handler: handler, limits: limits)
        try unsafe archive.read(path) { bytes throws(SpreadsheetFault) in
            try unsafe reader.feed(bytes)
        }
        try reader.finish()
    }

    /// The path of the part that the archive names as its document.
    private func workbookPath() throws(SpreadsheetFault) -> String {
        let relationships = try Relationships(of: "", in: archive, limits: limits)
        guard let path = relationships.target(kind: "officeDocument") else {
            // What OpenDocument begins with.
            guard !archive.contains("mimetype") else { throw SpreadsheetFault.otherFormat }
            throw SpreadsheetFault.notASpreadsheet
        }
        guard !path.lowercased().hasSuffix(".bin") else { throw SpreadsheetFault.otherFormat }
        return path
    }
}

/// The relationships of a part: where the parts are that it speaks of.
private final class Relationships: XMLHandler {
    private struct Relationship {
        let id: String
        let kind: Substring
        let target: String
    }

    private let folder: Substring
    private let limits: SpreadsheetLimits
    private var all: [Relationship] = []

    /// Reads the relationships of a part, or of the archive if the path is empty; none is fine.
    init(of path: String, in archive: ZipArchive, limits: SpreadsheetLimits)
        throws(SpreadsheetFault)
    {
        let cut = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        folder = path[..<cut]
        self.limits = limits
        let source = "\(folder)_rels/\(path[cut...]).rels"
        guard archive.contains(source) else { return }
        let reader = XMLReader(source, handler: self, limits: limits)
        try unsafe archive.read(source) { bytes throws(SpreadsheetFault) in
            try unsafe reader.feed(bytes)
        }
        try reader.finish()
    }

    func begin(_ element: XMLElement, _ attributes: XMLAttributes) throws(SpreadsheetFault) {
        guard element == .relationship, attributes["TargetMode"]?.string != "External",
            let id = attributes["Id"]?.string, let target = attributes["Target"]?.string
        else { return }
        guard all.count < limits.listLengthMax else {
            throw SpreadsheetFault(.tooComplex, "The file has too many relationships.")
        }
        let kind = attributes["Type"]?.string ?? ""
        let cut = kind.lastIndex(of: "/").map { kind.index(after: $0) } ?? kind.startIndex
        all.append(Relationship(id: id, kind: kind[cut...], target: target))
    }

    /// The path of the first part of a kind.
    func target(kind: String) -> String? {
        all.first { $0.kind == kind }.map { path(of: $0.target) }
    }

    /// The path of a part by its relationship, if it is of a kind.
    func target(id: String, kind: String) -> String? {
        all.first { $0.id == id && $0.kind == kind }.map { path(of: $0.target) }
    }

    private func path(of target: String) -> String {
        guard !target.hasPrefix("/") else { return String(target.dropFirst()) }
        var names = folder.split(separator: "/")
        for name in target.split(separator: "/") where name != "." {
            if name == ".." { _ = names.popLast() } else { names.append(name) }
        }
        return names.joined(separator: "/")
    }
}

/// The part that names the sheets in their order.
private final class WorkbookPart: XMLHandler {
    struct Sheet {
        let name: String
        let relationship: String
        let isHidden: Bool
    }

    private(set) var isWorkbook = false
    private(set) var isFrom1904 = false
    private(set) var sheets: [Sheet] = []
    private let limits: SpreadsheetLimits

    init(limits: SpreadsheetLimits) {
        self.limits = limits
    }

    func begin(_ element: XMLElement, _ attributes: XMLAttributes) throws(SpreadsheetFault) {
        switch element {
        case .workbook: isWorkbook = true
        case .workbookProperties: isFrom1904 = attributes["date1904"]?.isTrue ?? false
        case .sheet:
            guard sheets.count < limits.listLengthMax else {
                throw SpreadsheetFault(.tooComplex, "The workbook has too many sheets.")
            }
            let state = attributes["state"]?.string ?? "visible"
            sheets.append(
                Sheet(
                    name: attributes["name"]?.string ?? "",
                    relationship: attributes.relationship?.string ?? "",
                    isHidden: state != "visible"))
        default: break
        }
    }
}
