/// Keeps texts of CSV files from running as formulas where a spreadsheet program opens the file.
///
/// A text that a program could take for a formula gets an apostrophe before it, and so does one
/// that begins with apostrophes before such a text. Reading takes one apostrophe away from exactly
/// these, so that every text comes back as it was written. Workbooks need none of it: there a cell
/// says itself that it is text.
enum FormulaGuard {
    /// What formulas begin with: `=`, `+`, `-`, `@`, also in full width, and what programs skip.
    private static let triggers: [Unicode.Scalar] = [
        "=", "+", "-", "@", "\t", "\r", "\n", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}",
    ]

    /// The text as a CSV file holds it.
    static func protect(_ text: String) -> String { isRisky(text) ? "'" + text : text }

    /// The text that a CSV file's field means.
    static func restore(_ field: String) -> String {
        guard field.utf8.first == UInt8(ascii: "'"), isRisky(field) else { return field }
        return String(decoding: field.utf8.dropFirst(), as: UTF8.self)
    }

    private static func isRisky(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first(where: { $0 != "'" }) else { return false }
        return triggers.contains(first)
    }
}
