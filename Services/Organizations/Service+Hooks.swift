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
        let order = try HookOrder(request.organizationID, context)
        let input = HookInput(url: request.url, kinds: request.kinds.map(\.rawValue))
        let details = try HookDetails.blank.changed([.url, .kinds], to: input, by: hooks)
        let id: HookID = identifiers.next()
        let secret = WebhookSecret()
        let incarnation = database.incarnation
        var reply = try await database.command(context, request) { transaction in
            let hook = try transaction.insertHook(
                id, of: try order.node(in: transaction).number, details, secret,
                by: order.principal.scope, incarnation: incarnation, at: order.now)
            return CreateHookReply(hook: Hook(hook, of: order.organization))
        }
        // Kept with the hook alone, not a second time with the answer.
        let created = try HookID(requestText: reply.hook?.id ?? "", field: "id")
        reply.secret = try database.readInline { try $0.hookSecret(of: created) }?.text ?? ""
        return reply
    }

    func listHooks(
        _ request: ListHooksRequest, _ context: CallContext
    ) async throws -> ListHooksReply {
        let order = try HookOrder(request.organizationID, context)
        return try await database.read { snapshot in
            let node = try order.node(in: snapshot, archive: .included)
            let hooks = try snapshot.hooks(of: node.number)
            return ListHooksReply(hooks: hooks.map { Hook($0, of: order.organization) })
        }
    }

    func updateHook(
        _ request: UpdateHookRequest, _ context: CallContext
    ) async throws -> Hook {
        let asked = request.hook ?? Hook()
        let order = try HookOrder(
            asked.organizationID, field: "hook.organization_id", context)
        let id = try HookID(requestText: asked.id, field: "hook.id")
        let input = HookInput(
            url: asked.url, kinds: asked.kinds.map(\.rawValue), isEnabled: asked.enabled,
            prefix: "hook.")
        let fields = try HookField.named(
            request.updateMask?.paths ?? [], in: input, isImplied: context.isMaskImplied)
        // What is wrong is told whether the hook is there or not.
        _ = try HookDetails.blank.changed(fields, to: input, by: hooks)
        let (incarnation, rules) = (database.incarnation, hooks)
        return try await database.command(context, request) { transaction in
            var hook = try order.hook(id, in: transaction)
            try context.requireMatch(version: hook.version, etag: asked.etag)
            let details = try hook.details.changed(fields, to: input, by: rules)
            if details != hook.details {
                hook = try transaction.update(
                    hook, to: details, incarnation: incarnation, at: order.now)
            }
            return Hook(hook, of: order.organization)
        }
    }

    func deleteHook(
        _ request: DeleteHookRequest, _ context: CallContext
    ) async throws -> DeleteHookReply {
        let order = try HookOrder(request.organizationID, context)
        let id = try HookID(requestText: request.id, field: "id")
        return try await database.command(context, request) { transaction in
            let hook = try order.hook(id, in: transaction)
            try context.requireMatch(version: hook.version)
            try transaction.remove(hook, at: order.now)
            return DeleteHookReply()
        }
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
