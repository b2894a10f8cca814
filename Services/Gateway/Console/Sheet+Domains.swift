import Access
import Messages
import RPC

// The email domains by which people join an organization.

extension Sheet {
    private static let domain = Field(
        name: "value", label: "Domain", isRequired: true,
        hint: "Such as company.com, or *.company.com with every domain below it.")
    private static let joining = Field.Option(
        value: "\(EmailMaskMode.join.rawValue)", label: "People with it join")
    private static let allowing = Field.Option(
        value: "\(EmailMaskMode.allow.rawValue)", label: "People with it need no approval")

    /// Whether a domain is offered to be entered and taken away: those by which people join also
    /// to people who have to prove that it is theirs.
    private func mayEnter(_ mode: EmailMaskMode) -> Bool {
        rights.may(.manageEmailMasks, meeting: mode == .allow ? [] : [.joinPending])
    }

    /// The tab.
    func domains(_ form: Form?, _ problem: Problem?) async throws(Problem) -> Markup {
        let reply = try await visitor.ask(.organizations) {
            try await OrganizationsClient($0).listEmailMasks(
                ListEmailMasksRequest(organizationID: id), options: $1)
        }
        let mode = Field(
            name: "mode", label: "What it is for",
            control: .choice(
                mayEnter(.allow) ? [Self.joining, Self.allowing] : [Self.joining], none: nil))
        let isAdding = form?[Self.actionField] == "add"
        let typed = isAdding ? form ?? Form() : Form()
        let fault = isAdding ? problem : nil
        let notice: Markup =
            problem.map {
                Notice.refused(
                    $0, isAdding ? "The email domain was not added yet" : "Nothing was changed",
                    fields: [Self.domain, mode])
            } ?? ""
        let table = Table(
            caption: "Email domains",
            columns: [
                .init(title: "Domain"), .init(title: "For", isWideOnly: true),
                .init(title: "State", isWideOnly: true),
                .init(title: "Actions", isHeadHidden: true),
            ], rows: reply.emailMasks.map(domainRow))
        let list =
            reply.emailMasks.isEmpty
            ? Self.nothing("There are no email domains yet.") : table.markup
        let addition: Markup = """
            <section class="further"><h2>Add an email domain</h2>
            \(self.form(
                typed, "add", button: "Add",
                """
                <div class="fields">\(Self.domain.markup(typed, fault))
                \(mode.markup(typed, fault))</div>
                """))
            </section>
            """
        return """
            \(notice)
            <p class="lead">Whoever signs up with an address of these domains joins, or needs no \
            approval.</p>
            \(list)
            \(mayEnter(.join) || isAdding ? addition : .empty)
            """
    }

    private func domainRow(_ mask: EmailMask) -> [Markup] {
        let isPending = mask.state == .pendingVerification
        let state: Markup =
            isPending
            ? #"<span class="state off">Waits for confirmation</span>"#
            : #"<span class="state good">Active</span>"#
        let purpose = mask.mode == .allow ? "No approval" : "Joining"
        let proof: Markup =
            mask.challenge.isEmpty
            ? ""
            : """
            <p class="about">To confirm it, publish a TXT record at \
            <code>\(mask.challengeName)</code> that says <code>\(mask.challenge)</code></p>
            """
        let values = [("value", mask.value)]
        let check = button(
            "verify", "Check the record", spoken: "Check the record of \(mask.value)", values)
        let confirmation = button("confirm", "Confirm", spoken: "Confirm \(mask.value)", values)
        let removal = button(
            "remove", "Remove", spoken: "Remove \(mask.value)", values, look: "danger")
        let actions = [
            isPending && mayEnter(.join) ? check : .empty,
            isPending && mayEnter(.allow) ? confirmation : .empty,
            mayEnter(mask.mode) ? removal : .empty,
        ].filter { $0 != .empty }
        return [
            """
            <span class="name">\(mask.value)</span>\(proof)
            <p class="narrow-only facts">\(purpose) \(state)</p>
            """,
            "\(purpose)", state,
            #"<div class="buttons">\#(actions)</div>"#,
        ]
    }

    /// Does what a form of the tab asks for.
    func saveDomains(_ form: Form) async throws(Problem) -> Outcome {
        let value = form["value"].trimmed
        switch form[Self.actionField] {
        case "add":
            let mode = EmailMaskMode(rawValue: Int32(form["mode"]) ?? 0)
            _ = try await visitor.ask(.organizations, key: form.key) {
                try await OrganizationsClient($0).createEmailMask(
                    CreateEmailMaskRequest(organizationID: id, value: value, mode: mode),
                    options: $1)
            }
            return Outcome(done: .added)
        case "verify", "confirm":
            let verification: EmailMaskVerification =
                form[Self.actionField] == "verify" ? .dns : .unspecified
            _ = try await visitor.ask(.organizations, key: form.key) {
                try await EmailMasksClient($0).confirmEmailMask(
                    ConfirmEmailMaskRequest(
                        organizationID: id, value: value, verification: verification),
                    options: $1)
            }
            return Outcome(done: .confirmed)
        case "remove":
            _ = try await visitor.ask(.organizations, key: form.key) {
                try await EmailMasksClient($0).deleteEmailMask(
                    DeleteEmailMaskRequest(organizationID: id, value: value), options: $1)
            }
            return Outcome(done: .removed)
        default: throw .noSuchAction
        }
    }
}
