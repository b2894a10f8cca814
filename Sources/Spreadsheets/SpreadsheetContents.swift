/// The format of a file.
public enum SpreadsheetFormat: String, CaseIterable, Sendable {
    /// An Excel workbook.
    case xlsx
    /// Text with commas, in UTF-8.
    case csv
}

/// Reads whole files in memory; for the process that is made for it.
enum SpreadsheetContents {
    private static let zip: [UInt8] = [0x50, 0x4B, 0x03, 0x04]
    private static let emptyZip: [UInt8] = [0x50, 0x4B, 0x05, 0x06]
    /// What old workbooks begin with, and new ones with a password.
    private static let compoundFile: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]
    /// The name of the part that holds a workbook with a password, as the file writes it.
    private static let encryptedPart: [UInt8] = "EncryptedPackage".utf8.flatMap { [$0, 0] }

    /// Reads the rows that are not blank, of the first visible sheet if there are several.
    ///
    /// - Parameters:
    ///   - bytes: The file; what it is, it tells by its first bytes.
    ///   - limits: What it may cost.
    ///   - take: Gets each row.
    /// - Throws: What is wrong with the file, or what `take` throws.
    static func read(
        _ bytes: [UInt8], limits: SpreadsheetLimits,
        take: @escaping (SpreadsheetRow) throws(SpreadsheetFault) -> Void
    ) throws(SpreadsheetFault) {
        guard bytes.count <= limits.fileBytesMax else {
            throw SpreadsheetFault.fileTooLarge(limits)
        }
        var isEmpty = true
        let note = { (row: SpreadsheetRow) throws(SpreadsheetFault) in
            isEmpty = false
            try take(row)
        }
        if bytes.starts(with: zip) {
            try unsafe bytes.withUnsafeBufferPointer { (bytes) throws(SpreadsheetFault) in
                let bytes = UnsafeRawBufferPointer(bytes)
                try unsafe Workbook.read(bytes, limits: limits, take: note)
            }
        } else if bytes.starts(with: emptyZip) {
            throw SpreadsheetFault.notASpreadsheet
        } else if bytes.starts(with: compoundFile) {
            throw holds(encryptedPart, in: bytes) ? .encrypted : .oldFormat
        } else {
            try TextReader.read(bytes[...], limits: limits, take: note)
        }
        guard !isEmpty else { throw SpreadsheetFault.empty }
    }

    private static func holds(_ part: [UInt8], in bytes: [UInt8]) -> Bool {
        guard bytes.count >= part.count else { return false }
        return (0...bytes.count - part.count).contains { index in
            bytes[index] == part[0] && bytes[index..<index + part.count].elementsEqual(part)
        }
    }
}
