import Access
import Messages
import RPC
import ServiceKit

@testable import Gateway

// What programs have to do with the guild: API keys, and hooks with their calls.

extension Guild {
    static let key = APIKeyID(millisecondsSince1970: 6, random: (3, 3)).text
    static let hook = HookID(millisecondsSince1970: 7, random: (4, 4)).text
    static let keySecret = "ghk_secret-of-the-key"
    static let hookSecret = "whsec_c2VjcmV0"

    /// A guild with a key, and a hook with calls.
    static func withPrograms() -> Guild {
        let guild = Guild()
        guild.with { state in
            state.keys = [
                ApiKey(
                    id: key, name: "Timetable",
                    grant: Messages.Grant(role: .userAdmin, organizationID: school),
                    prefix: "ghk_abcd", createdAt: Timestamp(seconds: 1_796_000_000),
                    expiresAt: Timestamp(seconds: 1_800_000_000),
                    lastUsedAt: Timestamp(seconds: 1_796_003_660))
            ]
            state.hooks = [
                Hook(
                    id: hook, organizationID: school, url: "https://b.org/in",
                    kinds: [.organizationCreated], enabled: true, version: 1, etag: "h1")
            ]
            state.calls = [
                HookDelivery(
                    id: "d-1", hookID: hook, kind: .organizationCreated, state: .failed,
                    attempts: 10, lastStatus: 500, lastError: "It did not answer well.",
                    body: #"{"type":"organization.created"}"#,
                    createdAt: Timestamp(seconds: 1_796_003_660)),
                HookDelivery(id: "d-2", hookID: hook, kind: .hookTest, state: .waiting),
            ]
        }
        return guild
    }

    var programs: [RegisteredMethod] { keys + hooks }

    private var keys: [RegisteredMethod] {
        [
            serve(ApiKeysMethods.listApiKeys) {
                (_: ListApiKeysRequest, _) throws -> ListApiKeysReply in
                ListApiKeysReply(apiKeys: self.with { $0.keys })
            },
            serve(ApiKeysMethods.createApiKey) {
                (request: CreateApiKeyRequest, context) throws -> CreateApiKeyReply in
                try self.change("make key \(request.name)", context) { state in
                    guard !request.name.isEmpty else {
                        throw Status.invalid([
                            FieldFault(field: "name", sentence: "A name is needed.")
                        ])
                    }
                    state.askedKey = request
                    let key = ApiKey(
                        id: Self.key, name: request.name,
                        grant: Messages.Grant(
                            role: request.role, organizationID: request.organizationID),
                        prefix: "ghk_secr", expiresAt: request.expiresAt)
                    state.keys.append(key)
                    return CreateApiKeyReply(apiKey: key, secret: Self.keySecret)
                }
            },
            serve(ApiKeysMethods.deleteApiKey) {
                (request: DeleteApiKeyRequest, context) throws -> DeleteApiKeyReply in
                try self.change("delete key \(request.id)", context) { state in
                    state.keys.removeAll { $0.id == request.id }
                    return DeleteApiKeyReply()
                }
            },
        ]
    }

    private var hooks: [RegisteredMethod] {
        [
            serve(HooksMethods.listHooks) { (_: ListHooksRequest, _) -> ListHooksReply in
                ListHooksReply(hooks: self.with { $0.hooks })
            },
            serve(HooksMethods.createHook) {
                (request: CreateHookRequest, context) throws -> CreateHookReply in
                try self.change("hook \(request.url)", context) { state in
                    guard request.url.hasPrefix("https://") else {
                        throw Status.invalid([
                            FieldFault(
                                field: "url", sentence: "The address must begin with “https://”.")
                        ])
                    }
                    let hook = Hook(
                        id: Self.hook, organizationID: request.organizationID, url: request.url,
                        kinds: request.kinds, enabled: true, etag: "h1")
                    state.hooks.append(hook)
                    return CreateHookReply(hook: hook, secret: Self.hookSecret)
                }
            },
            serve(HooksMethods.updateHook) {
                (request: UpdateHookRequest, context) throws -> Hook in
                let paths = request.updateMask?.paths ?? []
                return try self.change("update hook: \(paths.joined(separator: ", "))", context) {
                    state in
                    let asked = request.hook ?? Hook()
                    guard let index = state.hooks.firstIndex(where: { $0.id == asked.id }) else {
                        throw Status.notFound("There is no such hook.")
                    }
                    try Self.require(state.hooks[index].etag, context)
                    guard !paths.contains("url") || asked.url.hasPrefix("https://") else {
                        throw Status.invalid([
                            FieldFault(
                                field: "hook.url",
                                sentence: "The address must begin with “https://”.")
                        ])
                    }
                    state.updatedHook = request
                    if paths.contains("url") { state.hooks[index].url = asked.url }
                    if paths.contains("kinds") { state.hooks[index].kinds = asked.kinds }
                    if paths.contains("enabled") { state.hooks[index].enabled = asked.enabled }
                    state.hooks[index].etag += "+"
                    return state.hooks[index]
                }
            },
            serve(HooksMethods.deleteHook) {
                (request: DeleteHookRequest, context) throws -> DeleteHookReply in
                try self.change("delete hook", context) { state in
                    let etag = state.hooks.first { $0.id == request.id }?.etag ?? ""
                    try Self.require(etag, context)
                    state.hooks.removeAll { $0.id == request.id }
                    return DeleteHookReply()
                }
            },
            serve(HooksMethods.testHook) {
                (_: TestHookRequest, context) throws -> HookDelivery in
                try self.change("test hook", context) { _ in HookDelivery() }
            },
            serve(HooksMethods.listHookDeliveries) {
                (request: ListHookDeliveriesRequest, _) -> ListHookDeliveriesReply in
                self.with { state in
                    state.askedCalls = request
                    return ListHookDeliveriesReply(
                        deliveries: state.calls, nextPageToken: state.nextPage)
                }
            },
            serve(HooksMethods.retryHookDelivery) {
                (request: RetryHookDeliveryRequest, context) throws -> HookDelivery in
                try self.change("retry \(request.id)", context) { _ in HookDelivery() }
            },
        ]
    }
}
