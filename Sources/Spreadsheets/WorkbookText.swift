/// Text as workbooks write it: a character that XML cannot hold is `_x` and four digits and `_`.
enum WorkbookText {
    /// The longest text in bytes that can be within a limit in UTF-16 units: all of it escaped.
    static func bytesMax(characters: Int) -> Int { characters * 7 }

    /// The text of bytes.
    static func decode(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "_")) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        return decode(escaped: String(decoding: bytes, as: UTF8.self))
    }

    private static func decode(escaped text: String) -> String {
        let units = Array(text.utf16)
        var plain: [UInt16] = []
        plain.reserveCapacity(units.count)
        var index = 0
        while index < units.count {
            if let unit = escape(in: units, at: index) {
                plain.append(unit)
                index += 7
            } else {
                plain.append(units[index])
                index += 1
            }
        }
        return String(decoding: plain, as: UTF16.self)
    }

    /// The unit that an escape at an index stands for; nil if there is none.
    private static func escape(in units: [UInt16], at index: Int) -> UInt16? {
        guard index + 7 <= units.count, units[index] == 95, units[index + 1] == 120,
            units[index + 6] == 95
        else { return nil }
        var value: UInt16 = 0
        for unit in units[index + 2..<index + 6] {
            let digit: UInt16
            switch unit {
            case 48...57: digit = unit - 48
            case 65...70: digit = unit - 55
            case 97...102: digit = unit - 87
            default: return nil
            }
            value = value << 4 | digit
        }
        return value
    }

    /// The text with escapes for what XML cannot hold, or would change, or that looks like one.
    static func encode(_ text: String) -> String {
        let needsEscape = text.utf8.contains { $0 < 0x20 || $0 == 95 || $0 == 0xEF }
        guard needsEscape else { return text }
        let units = Array(text.utf16)
        var safe: [UInt16] = []
        safe.reserveCapacity(units.count)
        for (index, unit) in units.enumerated() {
            let isForbidden = unit < 0x20 && unit != 9 && unit != 10 || unit >= 0xFFFE
            guard isForbidden || escape(in: units, at: index) != nil else {
                safe.append(unit)
                continue
            }
            let digits = String(unit, radix: 16, uppercase: true)
            safe += "_x\(String(repeating: "0", count: 4 - digits.count))\(digits)_".utf16
        }
        return String(decoding: safe, as: UTF16.self)
    }
}
