import Messages

/// The page on which a spreadsheet of organizations is handed in.
struct ImportForm: Sendable {
    /// The organization below which it counts; empty: all that somebody may import.
    let parent: String
    /// The same, where it can be seen.
    let organization: Organization?
    let problem: Problem?

    private static let file = Field(
        name: Form.fileField, label: "Spreadsheet",
        control: .file(
            kinds: """
                .xlsx,.csv,text/csv,\
                application/vnd.openxmlformats-officedocument.spreadsheetml.sheet
                """), isRequired: true, hint: "A file .xlsx or .csv of at most 16 MiB.")

    private static let columns: [(name: String, about: String)] = [
        ("Title", "The organization; that of the top, where there are others below."),
        (
            "Suborganization 2 … 10",
            "One column for each level that there is; the last one filled in is meant."
        ),
        ("Email mask", "Its email domains, apart by semicolons."),
        ("Discount percentage", "What its members have off, such as 15 or 15%."),
        ("Discount expiration date", "The last day of that, as a date or as 2026-12-31."),
    ]

    /// The page.
    func frame(_ menu: ConsoleMenu) -> PageFrame {
        let crumbs =
            organization.map { organization in
                Breadcrumbs(
                    parts: [
                        ("My account", Console.path), ("Organizations", Console.listPath),
                        (organization.title, ConsoleTab.info.path(of: organization.id)),
                    ], current: "Import")
            }
            ?? Breadcrumbs(
                parts: [("My account", Console.path), ("Imports", ImportDesk.path)],
                current: "Import")
        let notice: Markup =
            problem.map {
                // A file has to be chosen once more: no page keeps one.
                Notice.refused(
                    $0, "The file was not taken", fields: $0.httpStatus >= 500 ? [] : [Self.file])
            } ?? ""
        let examples = ["xlsx", "csv"].map { format -> Markup in
            let path = Link.to(ImportDesk.examplePath, [("format", format)])
            return #"<a class="button quiet" href="\#(path)">Example .\#(format)</a>"#
        }
        let columns = Self.columns.map { column -> Markup in
            "<div><dt>\(column.name)</dt><dd>\(column.about)</dd></div>"
        }
        return PageFrame(
            title: (problem == nil ? "" : "Not taken – ") + "Import organizations",
            markup: """
                \(crumbs.markup)
                <h1>Import organizations</h1>
                <p class="lead">Hand in a spreadsheet, look at what it would change, and apply it \
                then. Nothing is changed before, and nothing is ever deleted or moved.</p>
                \(notice)
                \(place)
                <form method="post" enctype="multipart/form-data" \
                action="\(ImportDesk.newPath(below: parent))" novalidate>
                \(Self.file.markup(Form(), problem))
                <p class="buttons"><button type="submit">Check the file</button></p>
                </form>
                <section class="further"><h2>How the file is written</h2>
                <p>A row for each organization, below a row with the names of the columns, in any \
                order. A title that is there already is updated, and a new one made. An empty cell \
                changes nothing; a single - clears.</p>
                <dl class="columns">\(columns)</dl>
                <p class="actions export">\(examples)</p></section>
                """, isConsole: true, menu: menu)
    }

    /// Where the file counts.
    private var place: Markup {
        guard let organization else { return .empty }
        return Notice.hint(
            """
            It counts from \
            <a href="\(ConsoleTab.info.path(of: organization.id))">\(organization.title)</a> on: \
            the first column, Title, names it in every row.
            """)
    }
}
