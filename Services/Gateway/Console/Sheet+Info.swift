import Messages
import RPC

// What an organization is: its own fields, and whether it is active.

extension Sheet {
    /// The tab.
    func info(_ form: Form?, _ problem: Problem?) async -> Markup {
        let isStale = problem?.httpStatus == 412
        // After a refusal the organization may be another one already.
        let now = isStale ? (await visitor.organization(id) ?? organization) : organization
        var shown = form ?? OrganizationForm.filled(with: organization)
        let isSave = form?[Self.actionField].isEmpty ?? true
        if !isSave { shown = OrganizationForm.filled(with: organization) }
        if isStale { shown = OrganizationForm.merged(shown, with: now) }
        let fields = OrganizationForm.fields(
            types: await visitor.organizationTypes(), isNew: false)
        let notice: Markup =
            if isStale {
                Notice.changedMeanwhile(Self.differences(shown, now, fields))
            } else {
                problem.map { Notice.refused($0, fields: fields) } ?? .empty
            }
        let hidden = [("etag", shown["etag"])] + OrganizationForm.originals(of: shown)
        let look = OrganizationFormLook(fields: fields).markup(shown, isSave ? problem : nil)
        return """
            \(notice)
            \(facts)
            \(self.form(shown, button: "Save", hidden: hidden, look))
            \(further)
            """
    }

    /// Where what was typed differs from what is kept by now.
    private static func differences(
        _ form: Form, _ now: Organization, _ fields: [Field]
    ) -> [Notice.Difference] {
        OrganizationForm.changes(form, from: now).map { change in
            Notice.Difference(
                id: change.field,
                label: fields.first { $0.name == change.field }?.label ?? change.field,
                kept: OrganizationForm.words(change.field, of: now))
        }
    }

    private var facts: Markup {
        let changed = organization.updatedAt?.day ?? ""
        return """
            <dl class="facts"><div><dt>Members</dt>\
            <dd>\(Count.grouped(organization.memberCount))</dd></div>
            <div><dt>Changed</dt><dd>\(changed)</dd></div>
            <div><dt>Identifier</dt><dd><code>\(organization.id)</code></dd></div></dl>
            \(because)
            """
    }

    /// Why it is not active, when that is decided above.
    private var because: Markup {
        guard let reason = organization.stateReason, reason.organizationID != id else {
            return .empty
        }
        let title =
            organization.path.first { $0.id == reason.organizationID }?.title
            ?? "an organization above"
        return Notice.hint(
            """
            It is not active because \
            <a href="\(ConsoleTab.info.path(of: reason.organizationID))">\(title)</a> is \
            \(reason.state.words.lowercased()).
            """)
    }

    private var further: Markup {
        let isActive = organization.status == .active
        let change =
            isActive
            ? button("deactivate", "Deactivate") : button("activate", "Activate")
        let sentence =
            isActive
            ? "Inactive, it lets nobody in, nor does anything below it; its members stay."
            : "Active again, it lets its members in as before."
        let deletion = "\(Console.listPath)/\(id)/\(DeletePage.place)"
        return """
            <section class="further"><h2>Pause or delete</h2>
            <p>\(sentence)</p>
            <div class="buttons">\(change)
            <a class="button danger" href="\(deletion)">Delete…</a></div></section>
            """
    }

    /// Saves the fields, or what a button asks for.
    func saveInfo(_ form: Form) async throws(Problem) -> Outcome {
        switch form[Self.actionField] {
        case "": return try await saveFields(form)
        case "activate":
            _ = try await visitor.ask(.organizations, key: form.key) {
                try await OrganizationsClient($0).activateOrganization(
                    ActivateOrganizationRequest(id: id), options: $1)
            }
            return Outcome(done: .activated)
        case "deactivate":
            _ = try await visitor.ask(.organizations, key: form.key) {
                try await OrganizationsClient($0).deactivateOrganization(
                    DeactivateOrganizationRequest(id: id), options: $1)
            }
            return Outcome(done: .deactivated)
        case Self.restoreAction: return try await restore(form)
        default: throw .noSuchAction
        }
    }

    private func saveFields(_ form: Form) async throws(Problem) -> Outcome {
        let changes = OrganizationForm.changes(form, from: organization)
        // As it was typed it is kept already, be it by the first click of two.
        guard !changes.isEmpty else { return Outcome(done: .saved) }
        let request = OrganizationForm.update(
            form, of: organization, paths: changes.map(\.path))
        let saved = try await visitor.ask(
            .organizations, key: form.key, etag: form["etag"], in: "organization"
        ) {
            try await OrganizationsClient($0).updateOrganization(request, options: $1)
        }
        return Outcome(done: .saved, remarks: Remark.parameters(of: saved))
    }

    // MARK: Suborganizations

    /// The tab with the organizations below.
    func suborganizations() async throws(Problem) -> Markup {
        let query = OrganizationQuery(path: path, parent: id, form: query)
        let reply = try await visitor.organizations(query)
        let list = OrganizationList(
            query: query, reply: reply, noun: ("suborganization", "suborganizations"))
        let new = Link.to(Console.newPath, [("parent", id)])
        return """
            <p class="actions"><a class="button" href="\(new)">New suborganization</a></p>
            \(list.markup)
            \(ExportLinks(parent: id).markup)
            """
    }
}
