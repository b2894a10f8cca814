import CZip
import Foundation

/// Makes zip archives for tests.
enum Archive {
    /// The archive with parts of these names and contents, in this order.
    static func bytes(_ parts: [(name: String, contents: [UInt8])]) throws -> [UInt8] {
        let path = "/tmp/spreadsheets-test-\(getpid())-\(UInt64.random(in: 0 ... .max)).zip"
        defer { unsafe unlink(path) }
        guard let archive = unsafe zip_open(path, ZIP_CREATE | ZIP_EXCL, nil) else {
            throw Failure()
        }
        for part in parts {
            // The library frees what it is given once the archive is closed.
            guard let copy = unsafe malloc(max(part.contents.count, 1)) else { throw Failure() }
            unsafe part.contents.withUnsafeBytes { contents in
                if let start = contents.baseAddress {
                    unsafe memcpy(copy, start, contents.count)
                }
            }
            guard
                let source = unsafe zip_source_buffer(
                    archive, copy, UInt64(part.contents.count), 1),
                unsafe zip_file_add(archive, part.name, source, UInt32(ZIP_FL_OVERWRITE)) >= 0
            else { throw Failure() }
        }
        guard unsafe zip_close(archive) == 0 else { throw Failure() }
        return [UInt8](try Data(contentsOf: URL(filePath: path)))
    }

    struct Failure: Error {}
}

/// A workbook of parts written by hand: what no program writes can be written too.
struct HandmadeWorkbook {
    static let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    static let relationships =
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    static let strictMain = "http://purl.oclc.org/ooxml/spreadsheetml/main"
    static let strictRelationships =
        "http://purl.oclc.org/ooxml/officeDocument/relationships"

    var mainNamespace = main
    var relationshipNamespace = relationships
    var prolog = ""
    /// What stands in `sheetData`.
    var rows = ""
    /// What stands in `sst`; nil for no such part.
    var texts: String?
    /// What stands in `styleSheet`; nil for no such part.
    var styles: String?
    var properties = ""
    var sheets = #"<sheet name="Sheet" sheetId="1" r:id="rId1"/>"#
    var otherParts: [(name: String, contents: [UInt8])] = []
    /// The whole part of the sheet instead of one around `rows`.
    var sheet: [UInt8]?

    private func part(_ xml: String) -> [UInt8] {
        Array((#"<?xml version="1.0" encoding="UTF-8"?>"# + "\n" + prolog + xml).utf8)
    }

    private func relationship(_ id: String, _ kind: String, _ target: String) -> String {
        let type = "\(relationshipNamespace)/\(kind)"
        return #"<Relationship Id="\#(id)" Type="\#(type)" Target="\#(target)"/>"#
    }

    private func relationshipPart(_ all: String) -> [UInt8] {
        let package = "http://schemas.openxmlformats.org/package/2006/relationships"
        return part(#"<Relationships xmlns="\#(package)">\#(all)</Relationships>"#)
    }

    var parts: [(name: String, contents: [UInt8])] {
        var book = relationship("rId1", "worksheet", "worksheets/sheet1.xml")
        book += relationship("rId2", "worksheet", "/xl/worksheets/sheet2.xml")
        book += relationship("rId3", "chartsheet", "chartsheets/sheet1.xml")
        book += relationship("rId8", "sharedStrings", "sharedStrings.xml")
        book += relationship("rId9", "styles", "styles.xml")
        let namespaces = #"xmlns="\#(mainNamespace)" xmlns:r="\#(relationshipNamespace)""#
        let whole = part(
            "<worksheet \(namespaces)><sheetData>\(rows)</sheetData></worksheet>")
        var parts = [
            (
                name: "_rels/.rels",
                contents: relationshipPart(
                    relationship("rId1", "officeDocument", "xl/workbook.xml"))
            ),
            (
                "xl/workbook.xml",
                part("<workbook \(namespaces)>\(properties)<sheets>\(sheets)</sheets></workbook>")
            ),
            ("xl/_rels/workbook.xml.rels", relationshipPart(book)),
            ("xl/worksheets/sheet1.xml", sheet ?? whole),
        ]
        if let texts {
            parts.append(("xl/sharedStrings.xml", part("<sst \(namespaces)>\(texts)</sst>")))
        }
        if let styles {
            parts.append(
                ("xl/styles.xml", part("<styleSheet \(namespaces)>\(styles)</styleSheet>")))
        }
        return parts + otherParts
    }

    func bytes() throws -> [UInt8] { try Archive.bytes(parts) }
}
