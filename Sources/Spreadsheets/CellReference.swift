/// References to cells, such as `C7`.
enum CellReference {
    /// What Excel's sheets end with; a larger number is damage.
    static let rowMax = 1_048_576
    static let columnMax = 16_384

    /// The letters of a column, counted from 0.
    static func letters(of column: Int) -> String {
        var letters = ""
        var rest = column + 1
        while rest > 0 {
            letters.append(Character(Unicode.Scalar(UInt8(65 + (rest - 1) % 26))))
            rest = (rest - 1) / 26
        }
        return String(letters.reversed())
    }

    /// The column, counted from 0, and the row, counted from 1; nil if there is no such cell.
    static func parse(_ text: XMLValue) -> (column: Int, row: Int)? {
        var column = 0
        var row = 0
        var index = 0
        while text.byte(at: index) != 0 {
            let letter = text.byte(at: index)
            switch letter {
            case 65...90 where row == 0 && column <= columnMax:
                column = column * 26 + Int(letter) - 64
            case 97...122 where row == 0 && column <= columnMax:
                column = column * 26 + Int(letter) - 96
            case 48...57 where column > 0 && row <= rowMax:
                guard row > 0 || letter > 48 else { return nil }
                row = row * 10 + Int(letter) - 48
            default: return nil
            }
            index += 1
        }
        guard (1...columnMax).contains(column), (1...rowMax).contains(row) else { return nil }
        return (column - 1, row)
    }
}
