import Access
import ServiceKit
import Spreadsheets

/// Why a file, or a row of one, is not taken: a code, the column and a sentence.
struct ImportProblem: Error, Sendable, Hashable {
    let code: String
    /// The header of the column; empty when the whole row, or the file, is meant.
    var column = ""
    let sentence: String
}

/// The columns of a file, found by their headers in any order.
struct ImportColumns: Sendable, Hashable {
    /// The headers, as they are written by exports.
    enum Header {
        static let title = "Title"
        static let emailMask = "Email mask"
        static let percentage = "Discount percentage"
        static let expiration = "Discount expiration date"
        /// What exports add and imports pass over.
        static let ignored = ["id", "members", "updated"]

        /// The column of a level below the first.
        static func level(_ number: Int) -> String {
            number == 1 ? title : "Suborganization \(number)"
        }
    }

    /// The column of each level, the first level first.
    let levels: [Int]
    let emailMask: Int?
    let percentage: Int?
    let expiration: Int?
    /// All columns with a header, those that are passed over among them.
    let headed: Set<Int>

    /// The columns that a header names.
    init(header: [Cell]) throws(ImportProblem) {
        var found: [String: Int] = [:]
        let known = Self.knownHeaders
        for (index, cell) in header.enumerated() {
            guard case .text(let text) = cell else {
                guard cell == .empty else {
                    throw ImportProblem(
                        code: "unknown_column",
                        sentence: "The header of column \(index + 1) is not a text.")
                }
                continue
            }
            let key = Title.key(of: text)
            guard !key.isEmpty else { continue }
            guard let name = known[key] else {
                throw ImportProblem(
                    code: "unknown_column", column: String(text.prefix(80)),
                    sentence: """
                        There is no column “\(text.prefix(80))”. Columns are Title, \
                        Suborganization 2 to \(Line.depthMax), Email mask, Discount percentage \
                        and Discount expiration date.
                        """)
            }
            guard found.updateValue(index, forKey: name) == nil else {
                throw ImportProblem(
                    code: "duplicate_column", column: name,
                    sentence: "The column “\(name)” is there twice.")
            }
        }
        var levels: [Int] = []
        for number in 1...Line.depthMax {
            guard let index = found[Header.level(number)] else { break }
            levels.append(index)
        }
        let named = (1...Line.depthMax).filter { found[Header.level($0)] != nil }
        guard !levels.isEmpty, named.count == levels.count else {
            let missing = Header.level(levels.count + 1)
            throw ImportProblem(
                code: "column_missing", column: missing,
                sentence: "The first row has no column “\(missing)”.")
        }
        self.levels = levels
        emailMask = found[Header.emailMask]
        percentage = found[Header.percentage]
        expiration = found[Header.expiration]
        headed = Set(found.values)
    }

    private static let knownHeaders: [String: String] = {
        let names =
            (1...Line.depthMax).map(Header.level) + Header.ignored
            + [Header.emailMask, Header.percentage, Header.expiration]
        var known = Dictionary(
            names.map { (Title.key(of: $0), $0) }, uniquingKeysWith: { first, _ in first })
        known[Title.key(of: "Email masks")] = Header.emailMask
        return known
    }()
}
