import RPC
import ServiceKit

/// What organizations look like that have set nothing, nor anybody above them.
struct PlatformAppearance: Sendable, Hashable {
    let values: [Field: String]

    /// The settings of this service beside those of every service.
    static let keys = [
        ConfigurationKey(
            "platform.primary", default: "#1f4e8c", "The platform's primary color, #rrggbb."),
        ConfigurationKey(
            "platform.secondary", default: "#f2a33a", "The platform's secondary color, #rrggbb."),
        ConfigurationKey(
            "platform.advanced", default: "",
            "Further colors of the platform: name=#rrggbb, separated by commas."),
    ]

    /// - Throws: ``Refusal/invalid(_:)`` when a color is none.
    init(primary: String, secondary: String, advanced: String = "") throws(Refusal) {
        var named: [String: String] = [:]
        for entry in advanced.split(separator: ",") {
            let parts = entry.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            named[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
        }
        let palette = try Palette(primary: primary, secondary: secondary, advanced: named)
        values = palette.colors.mapValues(\.text)
    }

    init(_ configuration: ServiceConfiguration) throws {
        do {
            try self.init(
                primary: configuration.text("platform.primary") ?? "",
                secondary: configuration.text("platform.secondary") ?? "",
                advanced: configuration.text("platform.advanced") ?? "")
        } catch {
            throw ServiceConfiguration.Fault.usage(
                "branding: a --platform color is wrong: \(error.status.message)")
        }
    }
}
