import Access
import Messages
import ServiceKit
import TreeCopy

extension Appearance {
    /// What is set at an organization, as it is answered.
    init(_ own: OwnAppearance, at node: TreeNode) {
        self.init(own, whiteLabel: own.whiteLabel ?? OriginKind(node.origin).whiteLabel)
    }

    init(_ own: OwnAppearance, whiteLabel: Bool) {
        var advanced: [String: String] = [:]
        for case (.advanced(let name), let color) in own.colors { advanced[name] = color.text }
        self.init(
            organizationID: own.organization.text, whiteLabel: whiteLabel,
            colors: Colors(
                primary: own.colors[.primary]?.text, secondary: own.colors[.secondary]?.text,
                advanced: advanced),
            logoHash: own.logo.map { AssetHash($0).text },
            updatedAt: own.updatedAt.map { Timestamp($0) }, version: own.version,
            etag: EntityTag.of(version: own.version))
    }
}

extension EffectiveAppearance {
    /// The values that hold for an organization, as they are answered.
    init(of id: OrganizationID, _ values: [Field: SourcedText]) {
        var advanced: [String: SourcedValue] = [:]
        for case (.advanced(let name), let value) in values {
            advanced[name] = SourcedValue(value)
        }
        self.init(
            organizationID: id.text, primary: values[.primary].map { SourcedValue($0) },
            secondary: values[.secondary].map { SourcedValue($0) }, advanced: advanced,
            logo: values[.logo].map { SourcedValue($0) })
    }
}

extension SourcedValue {
    init(_ value: SourcedText) {
        self.init(
            value: value.value,
            source: ValueSource(
                organizationID: value.organization?.text ?? "", distance: Int32(value.distance)))
    }
}

extension OriginKind {
    /// What an origin means for white label; an origin that is not known gives none.
    init(_ origin: OrganizationOrigin) {
        self =
            switch origin {
            case .manual, .import, .api, .auto: .platform
            case .signup, .sale, .partner, .unspecified, .unrecognized: .sales
            }
    }
}

extension Layer {
    /// What an organization contributes.
    init(_ node: TreeNode, _ own: OwnAppearance?) {
        self.init(
            organization: node.id,
            whiteLabel: own?.whiteLabel ?? OriginKind(node.origin).whiteLabel,
            values: own?.values ?? [:])
    }
}

extension Palette {
    /// The colors of a request.
    ///
    /// - Throws: ``Refusal/invalid(_:)``.
    init(_ colors: Colors?) throws(Refusal) {
        try self.init(
            primary: colors?.primary, secondary: colors?.secondary,
            advanced: colors?.advanced ?? [:])
    }
}
