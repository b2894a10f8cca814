import Access
import Messages
import RPC

// What programs have to do with an organization: the keys by which they call, and where they are
// called.

extension Sheet {
    private static let keysOnPage: Int32 = 100

    private static let keyName = Field(
        name: "name", label: "Name", isRequired: true,
        hint: "What the key is for, such as the name of the program.")
    private static let keyExpiry = Field(
        name: "expiresAt", label: "Expires at",
        hint: "The last day, as YYYY-MM-DD; nothing: never.")

    private func keyFields(_ roles: [Messages.Role]) -> [Field] {
        let options = roles.map { Field.Option(value: "\($0.rawValue)", label: $0.words) }
        let role = Field(
            name: "role", label: "Role", control: .choice(options, none: "Please choose"),
            isRequired: true, hint: "What the program may do, here and below.")
        return [Self.keyName, role, Self.keyExpiry]
    }

    /// The tab.
    func programs(_ form: Form?, _ problem: Problem?) async throws(Problem) -> Markup {
        let action = form?[Self.actionField] ?? ""
        // Whoever is offered neither hears from the service why.
        let isNoneOffered = !rights.offers(.programs)
        var parts: [Markup] = []
        var refusals: [Problem] = []
        if rights.mayListKeys || action == "key" || isNoneOffered {
            switch try await keys() {
            case .success(let reply):
                let typed = action == "key" ? form : nil
                parts.append(keyPart(reply, typed, typed == nil ? nil : problem))
            case .failure(let refusal): refusals.append(refusal)
            }
        }
        if rights.may(.openSettings) || action == "hook" || isNoneOffered {
            let reply = try await visitor.attempt(.organizations) {
                try await HooksClient($0).listHooks(
                    ListHooksRequest(organizationID: id), options: $1)
            }
            switch reply {
            case .success(let reply):
                let typed = action == "hook" ? form : nil
                parts.append(hookPart(reply, typed, typed == nil ? nil : problem))
            case .failure(let refusal): refusals.append(refusal)
            }
        }
        if let refusal = refusals.first {
            // What was typed is kept by the page where its part cannot be shown.
            if parts.isEmpty || form != nil { throw refusal }
            parts.append(Notice.hint("\(refusal.message)"))
        }
        let heading =
            switch action {
            case "key": "The API key was not made yet"
            case "hook": "The hook was not added yet"
            default: "Nothing was changed"
            }
        let notice: Markup =
            problem.map {
                Notice.refused($0, heading, fields: keyFields([]) + HookForm.fields)
            } ?? .empty
        return """
            \(notice)
            \(parts)
            """
    }

    private func keys() async throws(Problem) -> Result<ListApiKeysReply, Problem> {
        try await visitor.attempt(.membership) {
            try await ApiKeysClient($0).listApiKeys(
                ListApiKeysRequest(
                    organizationID: id, pageSize: Self.keysOnPage,
                    pageToken: query[Pagination.field]),
                options: $1)
        }
    }

    // MARK: API keys

    private func keyPart(
        _ reply: ListApiKeysReply, _ typed: Form?, _ problem: Problem?
    ) -> Markup {
        let table = Table(
            caption: "API keys",
            columns: [
                .init(title: "Name"), .init(title: "Role", isWideOnly: true),
                .init(title: "Expires", isWideOnly: true),
                .init(title: "Last used", isWideOnly: true),
                .init(title: "Actions", isHeadHidden: true),
            ], rows: reply.apiKeys.map(keyRow))
        let pages = Pagination(
            path: path, parameters: [], token: query[Pagination.field], next: reply.nextPageToken)
        let list = reply.apiKeys.isEmpty ? Self.nothing("There are no API keys.") : table.markup
        return """
            <section class="even"><h2>API keys</h2>
            <p class="lead">A program that has a key calls the API by itself, with the role of the \
            key, here and below.</p>
            \(list)
            \(pages.markup)
            \(keyAddition(typed, problem))
            </section>
            """
    }

    private func keyRow(_ key: ApiKey) -> [Markup] {
        let role = (key.grant?.role ?? .unspecified).words
        let expiry = key.expiresAt.map(Self.words) ?? "Never"
        let use = key.lastUsedAt?.minute ?? "Not yet"
        let deletion: Markup =
            rights.mayGrant(key.grant?.role ?? .unspecified)
            ? """
            <a class="button danger" href="\(KeyDeletion.path(of: key.id, at: id))" \
            aria-label="Delete \(key.name)">Delete…</a>
            """ : .empty
        return [
            """
            <span class="name">\(key.name)</span>
            <p class="about"><code>\(key.prefix)…</code> made on \(key.createdAt?.day ?? "")</p>
            <p class="narrow-only facts"><span>\(role)</span> <span>Expires: \(expiry)</span> \
            <span>Last used: \(use)</span></p>
            """,
            "\(role)", "\(expiry)", "\(use)", deletion,
        ]
    }

    private func keyAddition(_ typed: Form?, _ problem: Problem?) -> Markup {
        // What was typed is shown, whatever has become of the right to it.
        let offered = typed == nil ? rights.grantableToKeys : Messages.Role.offered
        guard !offered.isEmpty else { return .empty }
        let shown = typed ?? Form()
        return """
            <h3 class="after">Make an API key</h3>
            \(self.form(
                shown, "key", button: "Make the key",
                """
                <div class="fields">\(keyFields(offered).map { $0.markup(shown, problem) })</div>
                """))
            """
    }

    private func makeKey(_ form: Form) async throws(Problem) -> Outcome {
        let request = CreateApiKeyRequest(
            name: form["name"], role: Messages.Role(rawValue: Int32(form["role"]) ?? 0),
            organizationID: id, expiresAt: try Self.endOfDay("expiresAt", form))
        let made = try await visitor.ask(.membership, key: form.key) {
            try await ApiKeysClient($0).createApiKey(request, options: $1)
        }
        guard !made.secret.isEmpty else { return Outcome(done: .added) }
        let role = (made.apiKey?.grant?.role ?? .unspecified).words
        return Outcome(
            done: .added,
            page: secretPage(
                Secret(
                    title: "The API key is made", text: made.secret,
                    facts: [
                        ("Name", made.apiKey?.name ?? ""), ("Role", role),
                        ("Expires", made.apiKey?.expiresAt.map(Self.words) ?? "Never"),
                    ],
                    use: "Programs send it with each call: <code>Authorization: Bearer …</code>")))
    }

    /// The last day of what ends with a day, as it is typed; else the minute of its end.
    private static func words(_ end: Timestamp) -> String {
        end.seconds % 86_400 == 0 ? Timestamp(seconds: end.seconds - 1).day : end.minute
    }

    /// The instant at which a day ends that was typed; nil when none was.
    private static func endOfDay(_ field: String, _ form: Form) throws(Problem) -> Timestamp? {
        let text = form[field].trimmed
        guard !text.isEmpty else { return nil }
        guard let day = CalendarDay(text: text) else {
            throw .invalid(field, "A day such as 2030-01-31 is expected.")
        }
        return Timestamp(startOf: day.advanced(by: 1))
    }

    // MARK: Hooks

    private func hookPart(
        _ reply: ListHooksReply, _ typed: Form?, _ problem: Problem?
    ) -> Markup {
        let table = Table(
            caption: "Hooks",
            columns: [
                .init(title: "Address"), .init(title: "Is told", isWideOnly: true),
                .init(title: "State", isWideOnly: true),
            ], rows: reply.hooks.map(hookRow))
        let list = reply.hooks.isEmpty ? Self.nothing("There are no hooks.") : table.markup
        let isOffered = rights.may(.openSettings) || typed != nil
        let shown = typed ?? Form()
        let addition: Markup = """
            <h3 class="after">Add a hook</h3>
            \(self.form(
                shown, "hook", button: "Add the hook", HookForm.markup(shown, problem)))
            """
        return """
            <section class="further"><h2>Hooks</h2>
            <p class="lead">Addresses of your own systems that are called when something happens \
            to this organization or below.</p>
            \(list)
            \(isOffered ? addition : .empty)
            </section>
            """
    }

    private func hookRow(_ hook: Hook) -> [Markup] {
        let told = HookForm.words(hook.kinds)
        return [
            """
            <a class="name" href="\(HookPage.path(of: hook.id, at: id))">\(hook.url)</a>
            <p class="narrow-only facts"><span>\(told)</span> \(hook.badge)</p>
            """,
            "\(told)", hook.badge,
        ]
    }

    private func addHook(_ form: Form) async throws(Problem) -> Outcome {
        let request = CreateHookRequest(
            organizationID: id, url: form["url"].trimmed, kinds: HookForm.kinds(in: form))
        let made = try await visitor.ask(.organizations, key: form.key) {
            try await HooksClient($0).createHook(request, options: $1)
        }
        guard !made.secret.isEmpty else { return Outcome(done: .added) }
        return Outcome(
            done: .added,
            page: secretPage(
                Secret(
                    title: "The hook is added", text: made.secret,
                    facts: [
                        ("Address", made.hook?.url ?? ""),
                        ("Is told", HookForm.words(made.hook?.kinds ?? [])),
                    ],
                    use: """
                        By it your system tells that a call comes from here: each one is signed, \
                        as Standard Webhooks has it.
                        """,
                    next: made.hook.map {
                        (title: "Go on to the hook", path: HookPage.path(of: $0.id, at: id))
                    })))
    }

    /// Does what a form of the tab asks for.
    func savePrograms(_ form: Form) async throws(Problem) -> Outcome {
        switch form[Self.actionField] {
        case "key": try await makeKey(form)
        case "hook": try await addHook(form)
        default: throw .noSuchAction
        }
    }
}
