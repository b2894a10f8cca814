import Access
import Messages
import RPC
import TestSupport
import Testing

@testable import Branding

/// The values that hold.
struct InheritanceTests {
    private static let names: [Field] = [
        .primary, .secondary, .logo, .advanced("link"), .advanced("a"), .advanced("b"),
    ]

    /// The values that hold, found by walking from the organization to the root for each field.
    private func walk(
        _ layers: [Layer], platform: [Field: String]
    ) -> [Field: SourcedText] {
        var found: [Field: SourcedText] = [:]
        for field in Self.names {
            var distance = 0
            var isFound = false
            for layer in layers.reversed() {
                if layer.whiteLabel, let value = layer.values[field] {
                    found[field] = SourcedText(
                        value: value, organization: layer.organization, distance: distance)
                    isFound = true
                    break
                }
                distance += 1
            }
            if !isFound, let value = platform[field] {
                found[field] = SourcedText(value: value, organization: nil, distance: distance)
            }
        }
        return found
    }

    @Test(arguments: 0..<200)
    func `the effective values are those of a walk to the root`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        func values() -> [Field: String] {
            var values: [Field: String] = [:]
            for field in Self.names where Bool.random(using: &random) {
                values[field] = "\(UInt16.random(in: .min ... .max, using: &random))"
            }
            return values
        }
        let layers = (0..<Int.random(in: 1...10, using: &random)).map { depth in
            Layer(
                organization: OrganizationID(high: seed, low: UInt64(depth)),
                whiteLabel: Bool.random(using: &random), values: values())
        }
        let platform = values()

        #expect(
            effectiveValues(of: layers, platform: platform) == walk(layers, platform: platform))
    }

    @Test(arguments: 0..<8)
    func `after any changes the service answers what a walk to the root finds`(
        seed: UInt64
    ) async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        var random = SplitMix(seed: seed)
        let origins: [OrganizationOrigin] = [.manual, .sale, .import, .partner]
        var path: [OrganizationID] = []
        var model: [OrganizationID: Layer] = [:]
        for _ in 0..<5 {
            let origin = origins.randomElement(using: &random) ?? .manual
            let id = try await installation.organization(origin, below: path.last)
            model[id] = Layer(
                organization: id, whiteLabel: origin == .manual || origin == .import, values: [:])
            path.append(id)
        }
        let platform: [Field: String] = [
            .primary: "#000001", .secondary: "#000002", .advanced("link"): "#000003",
        ]

        for _ in 0..<40 {
            guard let id = path.randomElement(using: &random), let layer = model[id] else { break }
            var values = layer.values
            var whiteLabel = layer.whiteLabel
            do {
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    whiteLabel = Bool.random(using: &random)
                    _ = try await owner.setWhiteLabel(
                        SetWhiteLabelRequest(organizationID: id.text, enabled: whiteLabel))
                case 1:
                    let color = "#\(100_000 + Int.random(in: 0..<900_000, using: &random))"
                    _ = try await owner.updateAppearance(
                        UpdateAppearanceRequest(
                            organizationID: id.text,
                            colors: Colors(primary: color, advanced: ["a": color])))
                    values[.primary] = color
                    values[.advanced("a")] = color
                default:
                    _ = try await owner.resetAppearance(
                        ResetAppearanceRequest(organizationID: id.text, field: "primary"))
                    values[.primary] = nil
                }
                model[id] = Layer(organization: id, whiteLabel: whiteLabel, values: values)
            } catch let status as Status {
                #expect(status.reason == "white_label_disabled")
                #expect(!layer.whiteLabel)
            }
        }

        for end in path.indices {
            let layers = path[...end].compactMap { model[$0] }
            let expected = EffectiveAppearance(
                of: path[end], walk(layers, platform: platform))
            let answered = try await owner.getEffectiveAppearance(
                GetEffectiveAppearanceRequest(organizationID: path[end].text))
            #expect(answered == expected)
        }
    }

    @Test func `what nobody has set is the platform's, one level above the root`()
        async throws
    {
        let installation = try Installation()
        let chain = try await installation.chain(3)

        let effective = try await installation.platformOwner().getEffectiveAppearance(
            GetEffectiveAppearanceRequest(organizationID: chain[2].text))

        let source = ValueSource(organizationID: "", distance: 3)
        #expect(effective.primary == SourcedValue(value: "#000001", source: source))
        #expect(effective.secondary == SourcedValue(value: "#000002", source: source))
        #expect(effective.advanced == ["link": SourcedValue(value: "#000003", source: source)])
        #expect(effective.logo == nil)
    }

    @Test func `a reset value is inherited again`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let chain = try await installation.chain(2)
        for (id, color) in zip(chain, ["#aaaaaa", "#bbbbbb"]) {
            _ = try await owner.updateAppearance(
                UpdateAppearanceRequest(
                    organizationID: id.text,
                    colors: Colors(primary: color, advanced: ["link": color])))
        }

        for field in ["primary", "advanced.link"] {
            _ = try await owner.resetAppearance(
                ResetAppearanceRequest(organizationID: chain[1].text, field: field))
        }

        let effective = try await owner.getEffectiveAppearance(
            GetEffectiveAppearanceRequest(organizationID: chain[1].text))
        let source = ValueSource(organizationID: chain[0].text, distance: 1)
        #expect(effective.primary == SourcedValue(value: "#aaaaaa", source: source))
        #expect(effective.advanced["link"] == SourcedValue(value: "#aaaaaa", source: source))
    }
}
