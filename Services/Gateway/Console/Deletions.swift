import Access
import Messages
import RPC

/// The page that asks before an API key is deleted.
struct KeyDeletion: DetailPage {
    /// The part of its path below the tab.
    static let place = "keys"
    /// The keys that are looked through for the one: more than an organization may have.
    private static let keysMax: Int32 = 500

    let sheet: Sheet
    let id: APIKeyID

    var path: String { Self.path(of: id.text, at: sheet.id) }

    /// Where a key is deleted.
    static func path(of key: String, at organization: String) -> String {
        "\(ConsoleTab.programs.path(of: organization))/\(place)/\(key)/\(DeletePage.place)"
    }

    func page(_ form: Form?, _ problem: Problem?) async throws(Problem) -> PageFrame {
        let reply = try await sheet.visitor.ask(.membership) {
            try await ApiKeysClient($0).listApiKeys(
                ListApiKeysRequest(organizationID: sheet.id, pageSize: Self.keysMax), options: $1)
        }
        guard let key = reply.apiKeys.first(where: { $0.id == id.text }) else {
            throw .noSuchRoute
        }
        let question = Question(
            path: path, title: "Delete the API key \(key.name)?",
            sentence: "Whatever uses it is refused from then on. It does not come back.",
            button: "Delete it", back: sheet.path)
        return sheet.detail(
            question.title, isRefused: problem != nil, question.markup(form ?? Form(), problem))
    }

    func save(_ form: Form) async throws(Problem) -> String {
        // The key ends here at once, whatever comes of the call.
        defer { sheet.visitor.door.sessions.forget(.apiKey(id)) }
        _ = try await sheet.visitor.ask(.membership, key: form.key) {
            try await ApiKeysClient($0).deleteApiKey(
                DeleteApiKeyRequest(id: id.text), options: $1)
        }
        return Link.to(sheet.path, [(Done.field, Done.keyDeleted.rawValue)])
    }
}

/// The page that asks before a hook is deleted.
struct HookDeletion: DetailPage {
    let sheet: Sheet
    let id: String

    private var back: String { HookPage.path(of: id, at: sheet.id) }
    var path: String { "\(back)/\(DeletePage.place)" }

    func page(_ form: Form?, _ problem: Problem?) async throws(Problem) -> PageFrame {
        let hook = try await sheet.hook(id)
        let question = Question(
            path: path, title: "Delete the hook?",
            sentence: "\(hook.url) is called no more, also with what waits. Its secret ends.",
            button: "Delete it", back: back, etag: hook.etag)
        return sheet.detail(
            question.title, isRefused: problem != nil, question.markup(form ?? Form(), problem))
    }

    func save(_ form: Form) async throws(Problem) -> String {
        _ = try await sheet.visitor.ask(
            .organizations, key: form.key, etag: form[Form.etagField]
        ) {
            try await HooksClient($0).deleteHook(
                DeleteHookRequest(organizationID: sheet.id, id: id), options: $1)
        }
        return Link.to(sheet.path, [(Done.field, Done.hookDeleted.rawValue)])
    }
}
