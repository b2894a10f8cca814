import Foundation

/// An SQL statement as it stands in the sources, with a `?` for each value.
struct SourceStatement: Sendable, CustomStringConvertible {
    let path: String
    let line: Int
    let text: String

    var description: String { "\(path):\(line): \(text)" }

    /// The text on one line, for comparing.
    var words: String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}

extension SourceTree.File {
    /// The statements in the file, in their order.
    ///
    /// A part of a statement that stands under a name, such as a list of columns, is put in where
    /// the name is.
    var statements: [SourceStatement] {
        let literals = StringLiterals(of: lines).literals
        let parts = Dictionary(
            literals.compactMap { literal in literal.sqlName.map { ($0, literal) } },
            uniquingKeysWith: { first, _ in first })
        return literals.compactMap { literal in
            let text = literal.resolved(parts).trimmingCharacters(in: .whitespacesAndNewlines)
            let isStatement = Self.verbs.contains { text.hasPrefix("\($0) ") }
            // A named part may be a query of its own, to which others add.
            guard isStatement, literal.sqlName.map({ !isExtended($0, in: literals) }) ?? true
            else { return nil }
            return SourceStatement(path: path, line: literal.line, text: text)
        }
    }

    private static let verbs = ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"]

    private func isExtended(_ name: String, in literals: [StringLiteral]) -> Bool {
        literals.contains { literal in
            literal.pieces.contains { piece in
                guard case .value(let expression) = piece else { return false }
                return StringLiteral.lastWord(of: expression) == name
            }
        }
    }
}

/// A string of the sources.
struct StringLiteral: Sendable {
    enum Piece: Sendable {
        case text(String)
        /// What stands in `\( )`.
        case value(String)
    }

    let line: Int
    let pieces: [Piece]
    /// What it is called, when it is the first string after `let NAME: SQL =`.
    let sqlName: String?

    /// The text with named parts put in, and a `?` for each value.
    func resolved(_ parts: [String: StringLiteral], depth: Int = 0) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): return text
            case .value(let expression):
                let name = Self.lastWord(of: expression)
                guard depth < 3, let part = parts[name], part.line != line else { return "?" }
                return part.resolved(parts, depth: depth + 1)
            }
        }.joined()
    }

    /// What a named part of a statement is called where it is put in: `columns`, also in
    /// `Node.columns`; what is asked of a value is no part.
    static func lastWord(of expression: String) -> String {
        let words = expression.split(separator: ".").map(String.init)
        guard words.dropLast().allSatisfy({ $0.first?.isUppercase == true }) else { return "" }
        return words.last ?? ""
    }
}

/// Finds the strings of a source file.
private struct StringLiterals {
    private(set) var literals: [StringLiteral] = []
    private let characters: [Character]
    private var position = 0
    private var line = 1
    /// The code since the last string.
    private var code = ""

    init(of lines: [String]) {
        characters = Array(lines.joined(separator: "\n"))
        while position < characters.count { step() }
    }

    private mutating func step() {
        if starts(with: "//") {
            while position < characters.count, characters[position] != "\n" { advance() }
        } else if starts(with: "\"\"\"") {
            string(closedBy: "\"\"\"")
        } else if characters[position] == "\"" {
            string(closedBy: "\"")
        } else {
            code.append(characters[position])
            advance()
        }
    }

    private mutating func string(closedBy end: String) {
        let start = line
        var pieces: [StringLiteral.Piece] = []
        var text = ""
        advance(end.count)
        while position < characters.count, !starts(with: end) {
            if starts(with: "\\(") {
                pieces.append(.text(text))
                text = ""
                pieces.append(.value(interpolation()))
            } else if characters[position] == "\\" {
                text.append(characters[position])
                advance()
                text.append(position < characters.count ? characters[position] : " ")
                advance()
            } else {
                text.append(characters[position])
                advance()
            }
        }
        advance(end.count)
        pieces.append(.text(text))
        literals.append(StringLiteral(line: start, pieces: pieces, sqlName: sqlName))
        code = ""
    }

    /// What stands between `\(` and its `)`.
    private mutating func interpolation() -> String {
        advance(2)
        var depth = 1
        var expression = ""
        while position < characters.count {
            if characters[position] == "(" { depth += 1 }
            if characters[position] == ")" { depth -= 1 }
            if depth == 0 { break }
            expression.append(characters[position])
            advance()
        }
        advance()
        return expression
    }

    /// The name in `let NAME: SQL =`, if no other declaration stands after it.
    private var sqlName: String? {
        guard let mark = code.range(of: ": SQL =", options: .backwards) else { return nil }
        let rest = code[mark.upperBound...]
        guard !rest.contains("let "), !rest.contains("func ") else { return nil }
        return code[..<mark.lowerBound].split(whereSeparator: \.isWhitespace).last.map(String.init)
    }

    private func starts(with text: String) -> Bool {
        characters[position...].starts(with: text)
    }

    private mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where position < characters.count {
            if characters[position] == "\n" { line += 1 }
            position += 1
        }
    }
}
