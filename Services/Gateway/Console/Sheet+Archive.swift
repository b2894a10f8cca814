import Messages
import RPC

// An organization in the archive: what is kept of it, and how it comes back.

extension Organization {
    /// Whether it is in the archive.
    var isArchived: Bool { effectiveState == .archived }
}

extension Sheet {
    /// What makes a form of the info the one that takes the organization out of the archive.
    static let restoreAction = "restore"

    /// The field of a query that names what did not come back, and the most that are named.
    private static let notRestoredField = "notRestored"
    private static let notRestoredMax = 20

    private static let restoration = [
        Field(name: "title", label: "Another title", hint: "Nothing: the title that it had."),
        Field(name: "members", label: "Its people come back blocked", control: .box),
    ]

    /// The page of an organization in the archive: nothing of it can be changed there.
    ///
    /// - Parameters:
    ///   - form: What was sent, if anything was.
    ///   - problem: Why it was not taken.
    /// - Returns: The page.
    func archivePage(_ form: Form?, _ problem: Problem?) async -> PageFrame {
        let isRestoring = form?[Self.actionField] == Self.restoreAction
        let typed = isRestoring ? form ?? Form() : Form()
        let fault = isRestoring ? problem : nil
        let notice: Markup =
            problem.map {
                Notice.refused(
                    $0, isRestoring ? "It was not restored yet" : "Nothing was changed",
                    fields: isRestoring ? Self.restoration : [])
            } ?? .empty
        // What was typed into a form of before the deletion is good again once it is restored.
        let kept: Markup = isRestoring ? .empty : form.map { keep($0) } ?? .empty
        let day = organization.archivedAt?.day ?? ""
        let when = day.isEmpty ? "" : " on \(day)"
        let remains = await self.remains
        let hidden = HiddenFields(key: typed, [(Self.actionField, Self.restoreAction)])
        return PageFrame(
            title: (isRestoring ? "Not restored yet – " : "") + organization.title,
            markup: """
                \(crumbs.markup)
                <div class="title"><h1>\(organization.title)</h1>\
                \(organization.effectiveState.badge)</div>
                \(notice)
                \(kept)
                \(Notice.hint("It was deleted\(when), and is kept in the archive for 90 days."))
                \(remains)
                <section class="further"><h2>Restore</h2>
                <p>It comes back with everything that was deleted with it. Its people are let in \
                again, unless they come back blocked; blocked, they take no place.</p>
                <form method="post" action="\(ConsoleTab.info.path(of: id))" novalidate>\
                \(hidden.markup)
                \(Self.restoration.map { $0.markup(typed, fault) })
                <p class="buttons"><button type="submit">Restore</button></p>
                </form>
                </section>
                """, isConsole: true, menu: visitor.menu)
    }

    /// What is kept of it, to be read.
    private var remains: Markup {
        get async {
            let further = FactList(facts: [
                ("Services", organization.services.joined(separator: ", ")), ("Identifier", id),
            ])
            return """
                \(described(types: await visitor.organizationTypes()))
                \(further.markup)
                """
        }
    }

    /// Takes the organization out of the archive.
    func restore(_ form: Form) async throws(Problem) -> Outcome {
        let request = RestoreOrganizationRequest(
            id: id, title: form["title"].trimmed,
            members: form.has("members") ? .blocked : .unspecified)
        let reply = try await visitor.ask(.organizations, key: form.key) {
            try await OrganizationsClient($0).restoreOrganization(request, options: $1)
        }
        // One more than are named tells that there are more.
        let names = reply.notRestored.prefix(Self.notRestoredMax + 1)
        return Outcome(
            done: .restored, remarks: names.map { (name: Self.notRestoredField, value: $0) })
    }

    /// What others have by now, so that it did not come back with the organization.
    var notRestored: Markup {
        let names = query.all(Self.notRestoredField)
        guard query[Done.field] == Done.restored.rawValue, !names.isEmpty else { return .empty }
        let items = names.prefix(Self.notRestoredMax).joined(separator: ", ")
        let more = names.count > Self.notRestoredMax ? " and others" : ""
        return Notice.hint("Others have these by now, so they did not come back: \(items)\(more).")
    }
}
