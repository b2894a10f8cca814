import Access
import Messages
import RPC
import ServiceKit
import Storage
import Webhooks

extension Service: HooksService {
    func createHook(
        _ request: CreateHookRequest, _ context: CallContext
    ) async throws -> CreateHookReply {
        let principal = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let input = HookInput(url: request.url, kinds: request.kinds.map(\.rawValue))
        let details = try HookDetails.blank.changed([.url, .kinds], to: input, by: hooks)
        let id: HookID = identifiers.next()
        let secret = WebhookSecret()
        let (now, incarnation) = (context.now, database.incarnation)
        var reply = try await database.command(context, request) { transaction in
            let node = try transaction.organization(
                organization, opening: .openSettings, to: principal, on: now.day)
            let hook = try transaction.insertHook(
                id, of: node.number, details, secret, by: principal.scope,
                incarnation: incarnation, at: now)
            return CreateHookReply(hook: Hook(hook, of: organization))
        }
        // Kept with the hook alone, not a second time with the answer.
        let created = try HookID(requestText: reply.hook?.id ?? "", field: "id")
        reply.secret = try database.readInline { try $0.hookSecret(of: created) }?.text ?? ""
        return reply
    }

    func listHooks(
        _ request: ListHooksRequest, _ context: CallContext
    ) async throws -> ListHooksReply {
        let principal = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let day = context.now.day
        return try await database.read { snapshot in
            let node = try snapshot.organization(
                organization, opening: .openSettings, to: principal, on: day)
            let hooks = try snapshot.hooks(of: node.number)
            return ListHooksReply(hooks: hooks.map { Hook($0, of: organization) })
        }
    }

    func updateHook(
        _ request: UpdateHookRequest, _ context: CallContext
    ) async throws -> Hook {
        let principal = try context.principal
        let asked = request.hook ?? Hook()
        let organization = try OrganizationID(
            requestText: asked.organizationID, field: "hook.organization_id")
        let id = try HookID(requestText: asked.id, field: "hook.id")
        let input = HookInput(
            url: asked.url, kinds: asked.kinds.map(\.rawValue), isEnabled: asked.enabled,
            prefix: "hook.")
        let fields = try HookField.named(
            request.updateMask?.paths ?? [], in: input, isImplied: context.isMaskImplied)
        // What is wrong is told whether the hook is there or not.
        _ = try HookDetails.blank.changed(fields, to: input, by: hooks)
        let (now, incarnation, rules) = (context.now, database.incarnation, hooks)
        return try await database.command(context, request) { transaction in
            let node = try transaction.organization(
                organization, opening: .openSettings, to: principal, on: now.day)
            var hook = try transaction.hook(id, of: node.number)
            try context.requireMatch(version: hook.version, etag: asked.etag)
            let details = try hook.details.changed(fields, to: input, by: rules)
            if details != hook.details {
                hook = try transaction.update(
                    hook, to: details, incarnation: incarnation, at: now)
            }
            return Hook(hook, of: organization)
        }
    }

    func deleteHook(
        _ request: DeleteHookRequest, _ context: CallContext
    ) async throws -> DeleteHookReply {
        let principal = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let id = try HookID(requestText: request.id, field: "id")
        let now = context.now
        return try await database.command(context, request) { transaction in
            let node = try transaction.organization(
                organization, opening: .openSettings, to: principal, on: now.day)
            let hook = try transaction.hook(id, of: node.number)
            try context.requireMatch(version: hook.version)
            try transaction.remove(hook, at: now)
            return DeleteHookReply()
        }
    }
}

extension Reading {
    /// An organization at which the principal has a right that is closed during a pause.
    func organization(
        _ id: OrganizationID, opening action: Action, to principal: Access.Principal,
        on day: CalendarDay
    ) throws -> Node {
        let (node, line) = try organization(id, seenBy: principal, on: day)
        try principal.requireOpen(action, at: line)
        return node
    }
}

extension Hook {
    /// A hook as it is answered.
    init(_ hook: HookRecord, of organization: OrganizationID) {
        self.init(
            id: hook.id.text, organizationID: organization.text, url: hook.url,
            kinds: hook.topics.named.map { HookEventKind(rawValue: Int32($0.rawValue)) },
            enabled: hook.state == .enabled, disabledReason: hook.disabledReason,
            createdAt: Timestamp(hook.createdAt), updatedAt: Timestamp(hook.updatedAt),
            version: hook.version, etag: EntityTag.of(version: hook.version))
    }
}
