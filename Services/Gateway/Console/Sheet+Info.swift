import Access
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
        let types = await visitor.organizationTypes()
        let names = OrganizationForm.names(for: rights).union(isSave ? Self.sent(form) : [])
        let fields = OrganizationForm.fields(types: types, isNew: false)
            .filter { names.contains($0.name) }
        let notice: Markup =
            if isStale {
                Notice.changedMeanwhile(Self.differences(shown, now, fields))
            } else {
                problem.map { Notice.refused($0, fields: fields) } ?? .empty
            }
        let hidden = [("etag", shown["etag"])] + OrganizationForm.originals(of: shown, names)
        let look = OrganizationFormLook(fields: fields).markup(shown, isSave ? problem : nil)
        let changes: Markup =
            fields.isEmpty ? .empty : self.form(shown, button: "Save", hidden: hidden, look)
        return """
            \(notice)
            \(facts)
            \(changes)
            \(described(types: types, except: names, all: rights.isLookingAfter))
            \(further)
            """
    }

    /// The fields that stand in a form that was sent: what was typed is shown as it was.
    private static func sent(_ form: Form?) -> Set<String> {
        form.map { form in Set(OrganizationForm.names.filter { form.carries($0) }) } ?? []
    }

    /// What is kept of the organization, to be read.
    ///
    /// - Parameters:
    ///   - types: The organization types that are known by name.
    ///   - names: The fields that stand elsewhere on the page.
    ///   - all: Whether it is for somebody who looks after the organization; else it is described
    ///     and nothing more.
    /// - Returns: The fields in which something is kept; nothing when there is none.
    func described(
        types: [OrganizationType], except names: Set<String> = [], all: Bool = true
    ) -> Markup {
        let typeID = organization.typeID
        func words(_ field: String) -> String {
            OrganizationForm.filled(with: organization)[field].isEmpty
                ? "" : OrganizationForm.words(field, of: organization)
        }
        let trial = organization.trial?.enabled == true ? organization.trial?.validUntil ?? "" : ""
        let facts: [(name: String, label: String, value: String)] = [
            ("title", "Title", organization.title),
            ("description", "Description", organization.description),
            ("category", "Category", words("category")), ("country", "Country", words("country")),
            ("kind", "Kind", words("kind")),
            ("typeId", "Organization type", types.first { $0.id == typeID }?.name ?? typeID),
            ("salesRepEmail", "Sales representative", organization.salesRepEmail),
            ("trial.validUntil", "Trial until", trial),
            ("expiresAt", "Organization expires at", organization.expiresAt),
        ]
        let shown = facts.filter { fact in
            !fact.value.isEmpty && !names.contains(fact.name)
                && (all || fact.name == "description")
        }
        return FactList(facts: shown.map { ($0.label, $0.value) }).markup
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
        let roles = rights.ownRoles(at: organization).joined(separator: ", ")
        let own: Markup = roles.isEmpty ? "" : "<div><dt>Your roles</dt><dd>\(roles)</dd></div>"
        let numbers: Markup = """
            <div><dt>Members</dt><dd>\(Count.grouped(organization.memberCount))</dd></div>
            <div><dt>Changed</dt><dd>\(changed)</dd></div>
            <div><dt>Identifier</dt><dd><code>\(organization.id)</code></dd></div>
            """
        return """
            <dl class="facts">\(rights.isLookingAfter ? numbers : .empty)\(own)</dl>
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
        let delete: Markup = #"<a class="button danger" href="\#(deletion)">Delete…</a>"#
        let parts: (heading: String, sentence: String, buttons: [Markup])? =
            switch (
                rights.may(.changeActivation, evenPaused: true),
                rights.may(.archiveOrganization, evenPaused: true)
            ) {
            case (true, true): ("Pause or delete", sentence, [change, delete])
            case (true, false): ("Pause", sentence, [change])
            case (false, true): ("Delete", "It goes to the archive for 90 days.", [delete])
            case (false, false): nil
            }
        guard let parts else { return .empty }
        return """
            <section class="further"><h2>\(parts.heading)</h2>
            <p>\(parts.sentence)</p>
            <div class="buttons">\(parts.buttons)</div></section>
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
            query: query, reply: reply, noun: ("suborganization", "suborganizations"),
            visitor: visitor)
        let target = Link.to(Console.newPath, [("parent", id)])
        let new: Markup = """
            <p class="actions"><a class="button" href="\(target)">New suborganization</a></p>
            """
        return """
            \(rights.may(.createSuborganization) ? new : .empty)
            \(list.markup)
            \(rights.may(.importOrganizations) ? ExportLinks(parent: id).markup : .empty)
            """
    }
}
