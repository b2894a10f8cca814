import Messages

/// The page of one import: how far it is, what it would do, and what it has done.
struct ImportPage: Sendable {
    /// The rows on one page.
    static let rowsOnPage: Int32 = 50
    /// How long a browser waits until it asks again how far it is.
    static let refreshSeconds = 2
    /// The field of the query that names the outcome of which rows are shown.
    static let showField = "show"

    let run: Import
    /// The organization from which on it counts, where it can be seen.
    let parent: Organization?
    /// Its rows; nil where there are none to be looked at.
    let rows: Result<ListImportRowsReply, Problem>?
    let query: Form
    /// Why it was not applied, or not cancelled.
    let problem: Problem?
    /// Whether it may be applied and cancelled, and a file handed in.
    let mayImport: Bool

    /// Whether a browser asks again by itself how far it is.
    var looksAgain: Bool { run.state.isUnderWay && problem == nil }

    private var path: String { ImportDesk.path(of: run.id) }

    /// The page.
    func frame(_ menu: ConsoleMenu) -> PageFrame {
        let when = run.createdAt?.minute ?? run.id
        let crumbs = Breadcrumbs(
            parts: [("My account", Console.path), ("Imports", ImportDesk.path)], current: when)
        return PageFrame(
            title: "\(run.state.words) – import of \(when)",
            markup: """
                \(crumbs.markup)
                <div class="title"><h1>\(heading)</h1>\(run.state.badge)</div>
                \(place)
                \(problem.map(refused) ?? .empty)
                \(progress)
                \(end)
                \(totals)
                \(buttons)
                \(rows.map(list) ?? .empty)
                """, isConsole: true, menu: menu)
    }

    private var heading: String {
        switch run.state {
        case .planning: "The file is being read"
        case .planned: "What the file would change"
        case .applying: "The file is being applied"
        case .applied: "The file is applied"
        case .failed: "The import failed"
        case .cancelled: "The import is cancelled"
        case .unspecified, .unrecognized: "Import"
        }
    }

    private var place: Markup {
        guard let parent else { return .empty }
        return """
            <p class="lead">From <a href="\(ConsoleTab.info.path(of: parent.id))">\
            \(parent.title)</a> on</p>
            """
    }

    /// What leads to another plan: the file is not kept.
    private var again: Markup { again("Hand the file in again") }

    private func again(_ words: String) -> Markup {
        mayImport
            ? #"<a href="\#(ImportDesk.newPath(below: run.parent))">\#(words)</a>"# : "\(words)"
    }

    private func refused(_ problem: Problem) -> Markup {
        var told = problem
        for index in told.violations.indices where told.violations[index].at.hasPrefix("row ") {
            let row = told.violations[index].at.dropFirst(4)
            told.violations[index].message = "Row \(row): \(told.violations[index].message)"
        }
        let planAgain: Markup =
            problem.code == "plan_stale"
            ? Notice.hint("For a plan of how it is by now: \(again).") : .empty
        return "\(Notice.refused(told, "Nothing was changed"))\(planAgain)"
    }

    /// How far what is under way has come.
    private var progress: Markup {
        guard run.state.isUnderWay else { return .empty }
        let isCounted = run.rowCount > 0
        let bar: Markup =
            isCounted
            ? """
            <progress aria-label="Rows that are done" max="\(run.rowCount)" \
            value="\(min(run.rowsDone, run.rowCount))"></progress>
            """ : #"<progress aria-label="The file is being read"></progress>"#
        let words =
            isCounted
            ? "\(Count.grouped(run.rowsDone)) of \(Count.words(run.rowCount, "row", "rows"))"
            : "The rows are being counted."
        let next: Markup =
            looksAgain
            ? "This page looks again every \(Self.refreshSeconds) seconds until it is done."
            : #"<a href="\#(path)">Look how far it is</a>."#
        return """
            <div class="progress">\(bar)<p role="status">\(words)</p></div>
            <p class="hint">\(next) You may leave it: what is under way goes on.</p>
            """
    }

    /// What it came to.
    private var end: Markup {
        switch run.state {
        case .applied:
            let counts = """
                \(Count.words(run.createdCount, "organization is", "organizations are")) new, \
                \(Count.grouped(run.updatedCount)) changed.
                """
            let list = parent.map { ConsoleTab.suborganizations.path(of: $0.id) }
            return """
                \(Notice.done(counts))
                <p><a href="\(list ?? Console.listPath)">Look at the organizations</a></p>
                """
        case .failed:
            let row = run.faultRow > 0 ? "Row \(run.faultRow): " : ""
            return """
                <div class="notice" role="alert"><h2>Nothing was changed</h2>
                <p>\(row)\(run.fault)</p></div>
                <p>\(again)</p>
                """
        case .cancelled:
            return Notice.hint("Nothing was changed. \(again)")
        default: return .empty
        }
    }

    private var totals: Markup {
        guard run.state.hasRows else { return .empty }
        let items = ImportOutcome.told.map { outcome -> Markup in
            let many =
                switch outcome {
                case .created: "New"
                case .updated: "Changed"
                case .unchanged: "As they are"
                default: "With errors"
                }
            return "<div><dt>\(many)</dt><dd>\(Count.grouped(run.count(of: outcome)))</dd></div>"
        }
        return """
            <dl class="facts totals"><div><dt>Rows</dt><dd>\(Count.grouped(run.rowCount))</dd></div>
            \(items)</dl>
            """
    }

    private func button(_ action: String, _ label: String, look: String) -> Markup {
        ActionButton(
            action: path, label: label, values: [(ImportDesk.actionField, action)], look: look
        ).markup
    }

    /// What may be done with it.
    private var buttons: Markup {
        guard mayImport else { return .empty }
        switch run.state {
        case .planning:
            return
                #"<div class="buttons after">\#(button("cancel", "Cancel", look: "quiet"))</div>"#
        case .applying:
            return """
                <div class="buttons after">\(button("cancel", "Cancel and undo", look: "quiet"))\
                </div>
                """
        case .planned: return plannedButtons
        default: return .empty
        }
    }

    private var plannedButtons: Markup {
        let changes = run.createdCount + run.updatedCount
        let apply: Markup
        var hint = Markup.empty
        switch (changes, run.errorCount) {
        case (0, 0):
            apply = ""
            hint = Notice.hint("Everything is as the file says: there is nothing to apply.")
        case (_, 0): apply = button("apply", "Apply", look: "main")
        case (0, _):
            apply = ""
            hint = Notice.hint(
                """
                Only rows with errors would change something. Mend them, and \
                \(again("hand the file in again")).
                """)
        default:
            let rows = Count.words(run.errorCount, "row with errors", "rows with errors")
            apply = button("skip", "Apply without the \(rows)", look: "main")
            hint = Notice.hint(
                """
                Leave the rows with errors out, or mend them and \
                \(again("hand the file in again")).
                """)
        }
        return """
            <div class="after">\(hint)</div>
            <div class="buttons">\(apply)\(button("cancel", "Discard", look: "quiet"))</div>
            """
    }

    // MARK: Rows

    private func list(_ reply: Result<ListImportRowsReply, Problem>) -> Markup {
        switch reply {
        case .failure(let problem): Notice.refused(problem, "The rows cannot be shown")
        case .success(let reply): found(reply)
        }
    }

    private func found(_ reply: ListImportRowsReply) -> Markup {
        let shown = query[Self.showField]
        let parts =
            [("All", Link.to(path))]
            + ImportOutcome.told.map { outcome in
                (
                    "\(outcome.words) (\(Count.grouped(run.count(of: outcome))))",
                    Link.to(path, [(Self.showField, "\(outcome.rawValue)")])
                )
            }
        let tabs = Tabs(
            label: "Rows", parts: parts, current: Link.to(path, [(Self.showField, shown)]))
        let pages = Pagination(
            path: path, parameters: [(Self.showField, shown)], token: query[Pagination.field],
            next: reply.nextPageToken)
        let table = Table(
            caption: "Rows of the file",
            columns: [
                .init(title: "Organization"),
                .init(title: "Outcome", isWideOnly: true),
                .init(title: "Row", isWideOnly: true, isNumber: true),
            ], rows: reply.rows.map(row))
        let content = reply.rows.isEmpty ? Sheet.nothing("There are no such rows.") : table.markup
        return """
            <section class="further"><h2>Rows</h2>
            \(tabs.markup)\(content)\(pages.markup)</section>
            """
    }

    private func row(_ row: ImportRow) -> [Markup] {
        let above = row.path.dropLast().joined(separator: " › ")
        let place: Markup = above.isEmpty ? "" : #"<p class="path">\#(above)</p>"#
        let title = row.path.last ?? "Without a title"
        let name: Markup =
            row.organizationID.isEmpty
            ? #"<span class="name">\#(title)</span>"#
            : """
            <a class="name" href="\(ConsoleTab.info.path(of: row.organizationID))">\(title)</a>
            """
        let faults = row.faults.map { fault -> Markup in
            let column = fault.column.isEmpty ? "" : "\(fault.column): "
            return #"<li class="bad">\#(column)\#(fault.message)</li>"#
        }
        let warnings = row.warnings.map { "<li>Look at this: \($0)</li>" as Markup }
        let differences = row.differences.map {
            row.outcome == .created ? $0.newMarkup : $0.markup
        }
        let items = differences + faults + warnings
        let details: Markup = items.isEmpty ? "" : #"<ul class="changes">\#(items)</ul>"#
        return [
            """
            \(place)\(name)
            <p class="narrow-only facts">Row \(row.row) \(row.outcome.badge)</p>\(details)
            """, row.outcome.badge, "\(Count.grouped(row.row))",
        ]
    }
}
