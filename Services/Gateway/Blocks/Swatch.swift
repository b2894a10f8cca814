import Encodings
import Messages

/// A color as three bytes; what is none is not drawn.
struct RGB: Sendable, Hashable {
    let red: Double
    let green: Double
    let blue: Double

    /// The color in a text such as `#1f4e8c`.
    init?(_ text: String) {
        let digits = text.utf8.dropFirst()
        guard text.utf8.first == UInt8(ascii: "#"), digits.count == 6,
            digits.allSatisfy({ Hexadecimal.isDigit($0) }),
            let number = Int(text.dropFirst(), radix: 16)
        else { return nil }
        red = Double(number >> 16 & 255) / 255
        green = Double(number >> 8 & 255) / 255
        blue = Double(number & 255) / 255
    }

    /// How light it is, as WCAG counts it: 0 to 1.
    private var luminance: Double {
        func linear(_ part: Double) -> Double {
            // The curve of sRGB, near enough for black or white.
            part <= 0.04045 ? part / 12.92 : part * part * (0.8 + 0.2 * part)
        }
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    /// Black or white, whichever reads better on it.
    var ink: String { luminance > 0.179 ? "#000000" : "#ffffff" }
}

/// A small square of a color.
///
/// Pages take no style of their own but their sheet: the color is an attribute of a drawing.
struct Swatch: Sendable {
    let color: String

    var markup: Markup {
        guard RGB(color) != nil else { return .empty }
        return """
            <svg class="swatch" viewBox="0 0 1 1" aria-hidden="true"><rect width="1" height="1" \
            fill="\(color)"/></svg>
            """
    }
}

/// What pages of an organization look like, drawn small.
struct LookPreview: Sendable {
    let title: String
    let effective: EffectiveAppearance

    /// The colors on one line.
    private static let advancedMax = 12
    private static let titleLengthMax = 28

    /// A color that can be drawn; nil of what is none.
    private static func color(_ sourced: SourcedValue?) -> String? {
        sourced.flatMap { RGB($0.value) == nil ? nil : $0.value }
    }

    var markup: Markup {
        let primary = Self.color(effective.primary)
        let secondary = Self.color(effective.secondary)
        let onPrimary = primary.flatMap { RGB($0) }?.ink ?? "#000000"
        let onSecondary = secondary.flatMap { RGB($0) }?.ink ?? "#000000"
        let band: Markup =
            primary.map { #"<rect width="640" height="80" fill="\#($0)"/>"# } ?? .empty
        let box: Markup =
            secondary.map {
                #"<rect x="24" y="172" width="150" height="44" rx="6" fill="\#($0)"/>"#
            } ?? .empty
        let frame: Markup =
            primary.map {
                """
                <rect x="448" y="108" width="168" height="108" rx="6" fill="none" \
                stroke="\($0)" stroke-width="3"/>
                """
            } ?? .empty
        let logo: Markup =
            effective.logo.map { logo in
                """
                <image href="\(logo.value)" x="24" y="16" width="96" height="48" \
                preserveAspectRatio="xMinYMid meet"/>
                """
            } ?? .empty
        let start = effective.logo == nil ? 24 : 132
        let name =
            title.count > Self.titleLengthMax
            ? title.prefix(Self.titleLengthMax - 1) + "…" : title[...]
        let dots = effective.advanced.sorted { $0.key < $1.key }.prefix(Self.advancedMax)
            .enumerated().map { index, color -> Markup in
                guard RGB(color.value.value) != nil else { return .empty }
                return """
                    <circle cx="\(44 + index * 40)" cy="258" r="14" fill="\(color.value.value)" \
                    stroke="#767676"/>
                    """
            }
        let height = dots.isEmpty ? 240 : 300
        return """
            <svg class="preview" viewBox="0 0 640 \(height)" role="img" \
            aria-label="A page in the colors of \(title)" font-family="Georgia,serif">
            <rect width="640" height="\(height)" fill="#ffffff"/>
            \(band)\(logo)
            <text x="\(start)" y="49" font-size="24" font-weight="700" \
            fill="\(onPrimary)">\(String(name))</text>
            <rect x="24" y="108" width="360" height="14" rx="7" fill="#cfd3d8"/>
            <rect x="24" y="134" width="300" height="14" rx="7" fill="#e2e5e9"/>
            \(box)
            <text x="99" y="200" font-size="18" font-weight="700" text-anchor="middle" \
            fill="\(onSecondary)">Continue</text>
            \(frame)
            \(dots)</svg>
            """
    }
}
