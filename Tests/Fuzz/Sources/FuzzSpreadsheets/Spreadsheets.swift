import FuzzKit

@testable import Spreadsheets

/// Small enough that every limit is reached by a few bytes.
private let limits = {
    var limits = SpreadsheetLimits()
    limits.inflatedBytesMax = 1 << 20
    limits.rowsMax = 100
    limits.columnsMax = 20
    limits.cellCharactersMax = 200
    limits.sharedTextsMax = 50
    limits.sharedTextBytesMax = 2_000
    limits.elementDepthMax = 20
    limits.attributesMax = 20
    limits.tokenBytesMax = 4_000
    limits.entriesMax = 50
    limits.listLengthMax = 50
    return limits
}()

/// The first byte says what the others are.
func test(_ input: Input) {
    var input = input
    switch input.byte() % 3 {
    case 0: testFile(input.bytes)
    case 1: testParts(input)
    default: testFrames(input.bytes)
    }
}

/// A whole file; text that was read is written and read again.
private func testFile(_ bytes: [UInt8]) {
    let read = bounded {
        rows { take throws(SpreadsheetFault) in
            try SpreadsheetContents.read(bytes, limits: limits, take: take)
        }
    }
    guard let read, !bytes.starts(with: [0x50, 0x4B]), let header = read.first else { return }
    let titles = header.cells.map { cell in
        if case .text(let text) = cell {
            SpreadsheetSheet.Column(text)
        } else {
            SpreadsheetSheet.Column("")
        }
    }
    let sheet = SpreadsheetSheet(name: "Sheet", columns: titles)
    do throws(SpreadsheetFault) {
        // An apostrophe more may be too much.
        var roomy = limits
        roomy.cellCharactersMax += 1
        roomy.fileBytesMax = .max
        var writer = try TextWriter(sheet, limits: roomy)
        for row in read.dropFirst() { try writer.write(row.cells) }
        let written = writer.take()
        let again = rows { take throws(SpreadsheetFault) in
            try SpreadsheetContents.read(written, limits: roomy, take: take)
        }
        expectEqual(again?.map { $0.cells }, read.map { $0.cells }, "written and read again")
    } catch {
        expect(false, "what was read is not written: \(error)")
    }
}

/// The parts of a workbook: texts, styles, and the sheet that uses them.
private func testParts(_ input: Input) {
    var input = input
    let texts = input.bytes(Int(input.byte()) * 2)
    let styles = input.bytes(Int(input.byte()) * 2)
    let isFrom1904 = input.byte() % 2 == 1
    let read = bounded {
        rows { take throws(SpreadsheetFault) in
            let sharedTexts = SharedTexts(limits: limits)
            try feed(texts, to: sharedTexts)
            let knownStyles = Styles(limits: limits)
            try feed(styles, to: knownStyles)
            let sheet = SheetReader(
                "Sheet", styles: knownStyles, texts: sharedTexts, isFrom1904: isFrom1904,
                limits: limits, take: take)
            try feed(input.bytes, to: sheet)
            try sheet.finish()
        }
    }
    guard let read else { return }
    expect(read.count <= limits.rowsMax + 1, "more rows than allowed")
    for (row, next) in zip(read, read.dropFirst()) {
        expect(row.number < next.number, "rows out of order")
    }
    for row in read {
        expect(!row.cells.isEmpty && row.cells.last != .empty, "a blank row")
        expect(row.cells.count <= limits.columnsMax, "more columns than allowed")
    }
    testFrames(encoded(read))
}

/// Two pieces, so that a piece may end anywhere; a part that is empty is left out.
private func feed(_ bytes: [UInt8], to handler: any XMLHandler) throws(SpreadsheetFault) {
    guard !bytes.isEmpty else { return }
    let reader = XMLReader("part.xml", handler: handler, limits: limits)
    for piece in [bytes.prefix(bytes.count / 2), bytes.suffix(from: bytes.count / 2)] {
        try unsafe piece.withUnsafeBufferPointer { (bytes) throws(SpreadsheetFault) in
            try unsafe reader.feed(UnsafeRawBufferPointer(bytes))
        }
    }
    try reader.finish()
}

/// Frames from the other process: rows read from them are the same when sent again.
private func testFrames(_ bytes: [UInt8]) {
    var frames = FrameAssembler()
    frames.append(bytes)
    do throws(MalformedFrame) {
        while var frame = try frames.next() {
            switch frame.kind {
            case .rows:
                let rows = try bounded { () throws(MalformedFrame) in try frame.contents.rows() }
                var again = FrameAssembler()
                again.append(encoded(rows))
                guard var frame = try again.next() else {
                    return expect(false, "rows are no frame")
                }
                expectEqual("\(try frame.contents.rows())", "\(rows)", "rows sent again")
            case .fault: _ = try frame.contents.fault()
            case .sheet: _ = try frame.contents.sheet()
            default: break
            }
        }
    } catch {}
}

private func encoded(_ rows: [SpreadsheetRow]) -> [UInt8] {
    Frame.encode(.rows) { writer in for row in rows { writer.write(row) } }
}

private final class Taken {
    var rows: [SpreadsheetRow] = []
}

/// The rows that reading gives; nil where it is refused, in a sentence.
private func rows(
    _ read: (
        _ take: @escaping (SpreadsheetRow) throws(SpreadsheetFault) -> Void
    ) throws(SpreadsheetFault) -> Void
) -> [SpreadsheetRow]? {
    let taken = Taken()
    do throws(SpreadsheetFault) {
        try read { taken.rows.append($0) }
        return taken.rows
    } catch {
        expect(error.message.hasSuffix("."), "a fault without a sentence")
        return nil
    }
}
