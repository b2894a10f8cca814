import Messages

/// The list of imports.
struct ImportList: Sendable {
    /// The imports on one page.
    static let pageSize: Int32 = 20
    /// The field of the query by which the list is narrowed.
    static let stateField = "state"

    let query: Form
    /// What the service answered.
    let reply: Result<ListImportsReply, Problem>
    /// The titles of organizations that are named.
    let titles: [String: String]
    /// Whether a file may be handed in.
    let mayImport: Bool

    private static let state = Field(
        name: stateField, label: "State",
        control: .choice(
            ImportState.offered.map { .init(value: "\($0.rawValue)", label: $0.words) },
            none: "All"))

    /// The page.
    func frame(_ menu: ConsoleMenu) -> PageFrame {
        let crumbs = Breadcrumbs(parts: [("My account", Console.path)], current: "Imports")
        let new: Markup = """
            <p class="actions"><a class="button" href="\(ImportDesk.newPath)">Import</a></p>
            """
        return PageFrame(
            title: "Imports",
            markup: """
                \(crumbs.markup)
                <div class="title"><h1>Imports</h1>
                \(mayImport ? new : .empty)
                </div>
                <p class="lead">Spreadsheets that were handed in. What waits to be applied has \
                changed nothing yet.</p>
                \(content)
                """, isConsole: true, menu: menu)
    }

    private var content: Markup {
        switch reply {
        case .success(let reply): "\(filter)\(found(reply))"
        case .failure(let problem):
            Notice.refused(problem, "The list cannot be shown", fields: [Self.state])
        }
    }

    private var filter: Markup {
        """
        <form class="filter" method="get" action="\(ImportDesk.path)" role="search" \
        aria-label="Narrow the list">\(Self.state.markup(query))
        <div class="field last"><button type="submit" class="quiet">Show</button></div></form>
        """
    }

    private func found(_ reply: ListImportsReply) -> Markup {
        let state = query[Self.stateField]
        let pages = Pagination(
            path: ImportDesk.path, parameters: [(Self.stateField, state)],
            token: query[Pagination.field], next: reply.nextPageToken)
        guard !reply.imports.isEmpty else {
            let sentence =
                state.isEmpty ? "Nothing was imported yet." : "There is no import like that."
            return "\(Sheet.nothing(sentence))\(pages.markup)"
        }
        let table = Table(
            caption: "Imports",
            columns: [
                .init(title: "Handed in (UTC)"), .init(title: "Rows", isWideOnly: true),
                .init(title: "Errors", isWideOnly: true, isNumber: true),
                .init(title: "State", isWideOnly: true),
            ], rows: reply.imports.map(row))
        return """
            <p class="count">\(Count.words(reply.totalSize, "import", "imports"))</p>
            \(table.markup)
            \(pages.markup)
            """
    }

    private func row(_ run: Import) -> [Markup] {
        let place: Markup =
            run.parent.isEmpty
            ? "" : #"<p class="about">From \#(titles[run.parent] ?? run.parent) on</p>"#
        let when = run.createdAt?.minute ?? run.id
        let rows = Count.words(run.rowCount, "row", "rows")
        let counts: Markup =
            run.rowCount == 0
            ? "–"
            : """
            \(rows): \(Count.grouped(run.createdCount)) new, \
            \(Count.grouped(run.updatedCount)) changed
            """
        return [
            """
            <a class="name" href="\(ImportDesk.path(of: run.id))">\(when)</a>\(place)
            <p class="narrow-only facts">\(run.state.badge)</p>
            """, counts, "\(Count.grouped(run.errorCount))", run.state.badge,
        ]
    }
}
