/// The texts that a workbook's cells share, by their numbers.
final class SharedTexts: XMLHandler {
    private var bytes: [UInt8] = []
    /// Where each text ends.
    private var ends: [UInt32] = []
    private var isInText = false
    private var phoneticDepth = 0
    private let limits: SpreadsheetLimits

    init(limits: SpreadsheetLimits) {
        self.limits = limits
    }

    /// The text of a number; nil if there is none.
    subscript(number: Int) -> ArraySlice<UInt8>? {
        guard ends.indices.contains(number) else { return nil }
        return bytes[(number == 0 ? 0 : Int(ends[number - 1]))..<Int(ends[number])]
    }

    func begin(_ element: XMLElement, _ attributes: XMLAttributes) throws(SpreadsheetFault) {
        switch element {
        case .text: isInText = phoneticDepth == 0
        case .phonetic: phoneticDepth += 1
        default: break
        }
    }

    func end(_ element: XMLElement) throws(SpreadsheetFault) {
        switch element {
        case .text: isInText = false
        case .phonetic: phoneticDepth -= 1
        case .sharedItem:
            guard ends.count < limits.sharedTextsMax else { throw tooMany }
            ends.append(UInt32(bytes.count))
        default: break
        }
    }

    func text(_ piece: UnsafeRawBufferPointer) throws(SpreadsheetFault) {
        guard isInText else { return }
        guard bytes.count + piece.count <= limits.sharedTextBytesMax else { throw tooMany }
        unsafe bytes.append(contentsOf: piece)
    }

    private var tooMany: SpreadsheetFault {
        SpreadsheetFault(
            .contentsTooLarge,
            "The workbook has more than \(limits.sharedTextsMax) texts, or more "
                + "than \(limits.sharedTextBytesMax >> 20) MiB of them.")
    }
}
