import Access
import Messages
import RPC

enum HookKind {}
typealias HookID = Identifier<HookKind>

/// The page of one hook: where it is called, and what became of its calls.
struct HookPage: DetailPage {
    /// The part of its path below the tab.
    static let place = "hooks"
    private static let callsOnPage: Int32 = 20
    private static let stateField = "state"

    let sheet: Sheet
    let id: String
    /// Which part of the list of calls is shown.
    private let query: Form

    /// The page of a hook; a form that was sent says itself from which part of the list.
    init(sheet: Sheet, id: String, form: Form?) {
        self.sheet = sheet
        self.id = id
        query = form ?? sheet.query
    }

    private var visitor: Visitor { sheet.visitor }
    private var organization: String { sheet.id }
    var path: String { Self.path(of: id, at: organization) }

    /// Where the page of a hook is.
    static func path(of hook: String, at organization: String) -> String {
        "\(ConsoleTab.programs.path(of: organization))/\(place)/\(hook)"
    }

    /// Which part of the list of calls is shown, for forms to come back to.
    private var listPlace: [(name: String, value: String)] {
        [Self.stateField, Pagination.field].map { (name: $0, value: query[$0]) }
            .filter { !$0.value.isEmpty }
    }

    func page(_ form: Form?, _ problem: Problem?) async throws(Problem) -> PageFrame {
        let hook = try await sheet.hook(id)
        let calls = try await visitor.attempt(.organizations) {
            try await HooksClient($0).listHookDeliveries(
                ListHookDeliveriesRequest(
                    organizationID: organization, hookID: id,
                    state: HookDeliveryState(rawValue: Int32(query[Self.stateField]) ?? 0),
                    pageSize: Self.callsOnPage, pageToken: query[Pagination.field]),
                options: $1)
        }
        let typed = form?[Sheet.actionField] == "save" ? form : nil
        let isStale = typed != nil && problem?.httpStatus == 412
        var shown = typed ?? HookForm.filled(with: hook)
        if isStale { shown = HookForm.merged(shown, with: hook) }
        let notice: Markup =
            isStale
            ? Notice.changedMeanwhile(HookForm.differences(shown, from: hook))
            : problem.map {
                Notice.refused($0, "Nothing was changed", fields: HookForm.fields)
            } ?? .empty
        let originals = typed.flatMap { isStale ? nil : Self.sent($0) }
        return sheet.detail(
            hook.url, hook.badge, isRefused: problem != nil,
            """
            \(notice)
            \(gaveUp(hook))
            \(switches(hook))
            \(self.form(
                shown, "save", button: "Save", hidden: originals ?? HookForm.originals(of: hook),
                HookForm.markup(shown, typed == nil ? nil : problem)))
            \(callList(calls, hook))
            """)
    }

    /// What stood in a form that is sent again when it was shown first.
    private static func sent(_ form: Form) -> [(name: String, value: String)] {
        [Form.etagField, Form.original("url"), Form.original("kinds")].map {
            (name: $0, value: form[$0])
        }
    }

    private func gaveUp(_ hook: Hook) -> Markup {
        hook.enabled || hook.disabledReason.isEmpty
            ? .empty : Notice.hint("It was switched off by itself. \(hook.disabledReason)")
    }

    private func switches(_ hook: Hook) -> Markup {
        let version = [(name: Form.etagField, value: hook.etag)]
        let change =
            hook.enabled
            ? [button("test", "Send a test call"), button("off", "Switch off", version)]
            : [button("on", "Switch on", version)]
        return """
            <div class="buttons">\(change)
            <a class="button danger" href="\(path)/\(DeletePage.place)">Delete…</a></div>
            """
    }

    // MARK: Calls

    private func callList(
        _ calls: Result<ListHookDeliveriesReply, Problem>, _ hook: Hook
    ) -> Markup {
        let states = HookDeliveryState.offered.map {
            Field.Option(value: "\($0.rawValue)", label: $0.words)
        }
        let field = Field(
            name: Self.stateField, label: "State", control: .choice(states, none: "All"))
        let list: Markup =
            switch calls {
            case .failure(let problem): Notice.hint("\(problem.message)")
            case .success(let reply): table(reply, hook)
            }
        return """
            <section class="further"><h2>Calls</h2>
            <form class="filter" method="get" action="\(path)">\(field.markup(query))
            <div class="field last"><button type="submit" class="quiet">Show</button></div></form>
            \(list)
            </section>
            """
    }

    private func table(_ reply: ListHookDeliveriesReply, _ hook: Hook) -> Markup {
        let pages = Pagination(
            path: path, parameters: [(Self.stateField, query[Self.stateField])],
            token: query[Pagination.field], next: reply.nextPageToken)
        guard !reply.deliveries.isEmpty else {
            return """
                \(Sheet.nothing("There are no calls here."))
                \(pages.markup)
                """
        }
        let table = Table(
            caption: "Calls",
            columns: [
                .init(title: "Call"), .init(title: "State", isWideOnly: true),
                .init(title: "Attempts", isWideOnly: true, isNumber: true),
                .init(title: "Actions", isHeadHidden: true),
            ], rows: reply.deliveries.map { row($0, hook) })
        return """
            \(table.markup)
            \(pages.markup)
            """
    }

    private func row(_ call: HookDelivery, _ hook: Hook) -> [Markup] {
        let when = call.createdAt?.minute ?? ""
        let status = call.lastStatus == 0 ? "" : "Answered \(call.lastStatus). "
        let next = call.nextAttemptAt.map { "Next attempt on \($0.minute). " } ?? ""
        let ending = "\(status)\(call.lastError.isEmpty ? "" : call.lastError + " ")\(next)"
        let fate: Markup = ending.isEmpty ? "" : #"<p class="about">\#(ending)</p>"#
        let values = [(name: "delivery", value: call.id)] + listPlace
        let isSent = call.state == .delivered || call.state == .failed
        let again =
            isSent && hook.enabled
            ? button(
                "retry", "Send again", spoken: "Send \(call.kind.name) of \(when) again", values)
            : .empty
        return [
            """
            <span class="name">\(call.kind.words)</span> <code>\(call.kind.name)</code>
            <p class="about">\(when)</p>\(fate)
            <p class="narrow-only facts">\(call.state.badge) \
            <span>\(Count.words(Int64(call.attempts), "attempt", "attempts"))</span></p>
            <details><summary>What is sent<span class="unseen"> with \(call.kind.name) of \(when)\
            </span></summary><pre tabindex="0">\(call.body)</pre></details>
            """,
            call.state.badge, "\(call.attempts)", again,
        ]
    }

    // MARK: Changes

    func save(_ form: Form) async throws(Problem) -> String {
        let done: Done
        switch form[Sheet.actionField] {
        case "save":
            let paths = HookForm.touched(form)
            if !paths.isEmpty {
                let typed = Hook(
                    id: id, organizationID: organization, url: form["url"].trimmed,
                    kinds: HookForm.kinds(in: form))
                try await update(typed, paths, form)
            }
            done = .saved
        case "on", "off":
            let isOn = form[Sheet.actionField] == "on"
            let typed = Hook(id: id, organizationID: organization, enabled: isOn)
            try await update(typed, ["enabled"], form)
            done = isOn ? .hookOn : .hookOff
        case "test":
            _ = try await visitor.ask(.organizations, key: form.key) {
                try await HooksClient($0).testHook(
                    TestHookRequest(organizationID: organization, id: id), options: $1)
            }
            done = .tested
        case "retry":
            let delivery = form["delivery"]
            _ = try await visitor.ask(.organizations, key: form.key) {
                try await HooksClient($0).retryHookDelivery(
                    RetryHookDeliveryRequest(
                        organizationID: organization, hookID: id, id: delivery),
                    options: $1)
            }
            done = .retried
        default: throw .noSuchAction
        }
        return Link.to(path, [(Done.field, done.rawValue)] + listPlace)
    }

    private func update(
        _ hook: Hook, _ paths: [String], _ form: Form
    ) async throws(Problem) {
        _ = try await visitor.ask(
            .organizations, key: form.key, etag: form[Form.etagField], in: "hook"
        ) {
            try await HooksClient($0).updateHook(
                UpdateHookRequest(hook: hook, updateMask: FieldMask(paths: paths)), options: $1)
        }
    }
}

extension Sheet {
    /// One hook of the organization.
    ///
    /// - Throws: ``Problem`` when there is none, or it may not be seen.
    func hook(_ hook: String) async throws(Problem) -> Hook {
        let reply = try await visitor.ask(.organizations) {
            try await HooksClient($0).listHooks(ListHooksRequest(organizationID: id), options: $1)
        }
        guard let found = reply.hooks.first(where: { $0.id == hook }) else { throw .noSuchRoute }
        return found
    }
}

extension HookDeliveryState {
    /// The states by which calls can be narrowed.
    fileprivate static let offered: [HookDeliveryState] = [.waiting, .delivered, .failed]

    /// What it is called.
    fileprivate var words: String {
        switch self {
        case .waiting: "Waits"
        case .delivered: "Delivered"
        case .failed: "Failed"
        case .unspecified, .unrecognized: "Unknown"
        }
    }

    /// The state with its mark.
    fileprivate var badge: Markup {
        #"<span class="state \#(self == .delivered ? "good" : "off")">\#(words)</span>"#
    }
}
