import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service: PlatformService {
    func getPlatformSettings(
        _ request: GetPlatformSettingsRequest, _ context: CallContext
    ) async throws -> PlatformSettings {
        try context.principal.require(.changePlatformSettings, at: [])
        return try database.readInline { PlatformSettings(try $0.platformSettings()) }
    }

    func updatePlatformSettings(
        _ request: UpdatePlatformSettingsRequest, _ context: CallContext
    ) async throws -> PlatformSettings {
        try context.principal.require(.changePlatformSettings, at: [])
        let asked = request.settings ?? PlatformSettings()
        let named = try PlatformField.named(
            request.updateMask?.paths ?? [], isImplied: context.isMaskImplied)
        let change = try PlatformChange(
            request.updateMask?.paths.isEmpty == false ? named : asked.fieldsPresent,
            nameScope: asked.nameScope.rawValue, contactReceivers: asked.contactReceivers,
            signUpApproval: asked.signUpApproval, receiversMax: limits.contactReceiversMax)
        let now = context.now
        return try await database.command(context, request) { transaction in
            var settings = try transaction.platformSettings()
            try context.requireMatch(version: settings.version, etag: asked.etag)
            let values = change.applied(to: settings.values)
            if values != settings.values {
                settings = try transaction.update(settings, to: values, at: now)
            }
            return PlatformSettings(settings)
        }
    }
}

extension PlatformSettings {
    fileprivate init(_ settings: PlatformRecord) {
        self.init(
            nameScope: Messages.NameScope(rawValue: Int32(settings.values.nameScope.rawValue)),
            contactReceivers: settings.values.contactReceivers,
            updatedAt: settings.updatedAt.map(Timestamp.init), version: settings.version,
            etag: EntityTag.of(version: settings.version),
            signUpApproval: settings.values.signUpApproval)
    }

    /// The settings that are not at their default.
    fileprivate var fieldsPresent: Set<PlatformField> {
        var present: Set<PlatformField> = []
        if nameScope != .unspecified { present.insert(.nameScope) }
        if !contactReceivers.isEmpty { present.insert(.contactReceivers) }
        if signUpApproval { present.insert(.signUpApproval) }
        return present
    }
}
