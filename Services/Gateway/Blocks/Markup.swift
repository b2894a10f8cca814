/// HTML: a text that is put into it is escaped, so that what people wrote is never read as HTML.
///
/// Literals are HTML as they stand; what is interpolated is text, unless it is markup itself.
struct Markup: Sendable, Hashable, ExpressibleByStringInterpolation {
    /// As it is sent.
    let html: String

    /// No HTML at all.
    static let empty: Markup = ""

    init(stringLiteral value: String) {
        html = value
    }

    init(stringInterpolation: Interpolation) {
        html = stringInterpolation.html
    }

    /// Parts, one after the other.
    init(_ parts: [Markup]) {
        html = parts.map(\.html).joined(separator: "\n")
    }

    /// What literals and values come to.
    struct Interpolation: StringInterpolationProtocol {
        fileprivate var html = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            html.reserveCapacity(literalCapacity + 32 * interpolationCount)
        }

        mutating func appendLiteral(_ literal: String) {
            html += literal
        }

        mutating func appendInterpolation(_ text: String) {
            html += HTML.escaped(text)
        }

        mutating func appendInterpolation(_ number: some BinaryInteger) {
            html += String(number)
        }

        mutating func appendInterpolation(_ markup: Markup) {
            html += markup.html
        }

        mutating func appendInterpolation(_ parts: [Markup]) {
            html += Markup(parts).html
        }
    }
}
