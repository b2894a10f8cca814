import Messages
import RPC

/// Modules with their chapters: what organizations are given.
struct ModuleDesk: RecordDesk {
    let visitor: Visitor
    let id: String

    private static let part = PlatformPart.catalog

    var path: String { id.isEmpty ? Self.part.newPath : Self.path(of: id) }
    var listPath: String { Self.part.path }

    /// Where a module is.
    static func path(of id: String) -> String { "\(part.path)/\(id)" }

    // MARK: The list

    /// The modules, as a list.
    static func list(_ visitor: Visitor, _ query: Form) async throws(Problem) -> Markup {
        let reply = try await visitor.ask(.partners) {
            try await CatalogClient($0).listModules(
                ListModulesRequest(pageSize: 50, pageToken: query[Pagination.field]), options: $1)
        }
        let pages = Pagination(
            path: part.path, parameters: [], token: query[Pagination.field],
            next: reply.nextPageToken)
        guard !reply.modules.isEmpty else {
            return "\(Sheet.nothing("There are no modules yet."))\(pages.markup)"
        }
        let table = Table(
            caption: "Modules",
            columns: [
                .init(title: "Name"), .init(title: "Chapters", isNumber: true),
                .init(title: "Changed", isWideOnly: true),
            ],
            rows: reply.modules.map { module in
                [
                    visitor.recordName(module.name, path(of: module.id)),
                    "\(module.chapters.count)", "\(module.updatedAt?.day ?? "")",
                ]
            })
        return """
            <p class="lead">What organizations are given as a whole, or by chapters. Courses stand \
            with their module.</p>
            <p class="count">\(Count.words(reply.totalSize, "module", "modules"))</p>
            \(table.markup)\(pages.markup)
            """
    }

    // MARK: The form

    private static let name = Field(name: "name", label: "Name", isRequired: true)
    private static let added = Field(
        name: "newChapters", label: "New chapters", control: .area(rows: 3),
        hint: "A title on each line; they come last.")

    private static func title(_ chapter: String) -> String { "chapter.\(chapter)" }
    private static func place(_ chapter: String) -> String { "place.\(chapter)" }

    private static func fields(of chapter: String, _ number: Int) -> [Field] {
        [
            Field(name: title(chapter), label: "Chapter \(number)"),
            Field(name: place(chapter), label: "Place of chapter \(number)", control: .digits),
        ]
    }

    private static func entries(_ chapters: [String]) -> Entries {
        Entries(
            fields: [name] + chapters.enumerated().flatMap { fields(of: $1, $0 + 1) } + [added])
    }

    private static func filled(with module: Module) -> Form {
        var form = Form(["name": module.name, Form.etagField: module.etag])
        for (index, chapter) in module.chapters.enumerated() {
            form[title(chapter.id)] = chapter.title
            form[place(chapter.id)] = "\(index + 1)"
        }
        return form
    }

    func page(_ form: Form?, _ problem: Problem?) async throws(Problem) -> RecordPage {
        var kept = Module()
        if !id.isEmpty {
            kept = try await visitor.ask(.partners) {
                try await CatalogClient($0).getModule(GetModuleRequest(id: id), options: $1)
            }
        }
        let chapters = kept.chapters.map(\.id)
        return RecordPage(
            crumbs: [(Self.part.title, Self.part.path)],
            heading: id.isEmpty ? "New module" : kept.name, path: path, isNew: id.isEmpty,
            entries: Self.entries(chapters), kept: Self.filled(with: kept), form: form,
            problem: problem.map { Self.placed($0, form ?? Form()) },
            deletion: """
                Only a module that has no courses can be deleted. Organizations that have it lose \
                it.
                """, further: id.isEmpty ? .empty : try await courseList(kept)
        ) { form, problem in
            Self.content(form, problem, chapters)
        }
    }

    private static func content(_ form: Form, _ problem: Problem?, _ chapters: [String]) -> Markup {
        let rows = chapters.enumerated().map { index, chapter -> Markup in
            let fields = fields(of: chapter, index + 1).map { $0.markup(form, problem) }
            return #"<div class="ordered">\#(fields)</div>"#
        }
        let hint: Markup =
            rows.isEmpty
            ? ""
            : """
            <p class="hint">They are shown in the order of their places. A chapter whose title is \
            emptied is deleted.</p>
            """
        return """
            \(name.markup(form, problem))
            <fieldset><legend>Chapters</legend>\(hint)\(rows)
            \(added.markup(form, problem))</fieldset>
            """
    }

    private func courseList(_ module: Module) async throws(Problem) -> Markup {
        let offer = try await visitor.courses(of: id)
        let titles = Dictionary(
            module.chapters.map { ($0.id, $0.title) }, uniquingKeysWith: { first, _ in first })
        let table = Table(
            caption: "Courses of the module",
            columns: [.init(title: "Name"), .init(title: "Chapter")],
            rows: offer.elements.map { course in
                let chapter =
                    course.chapterID.isEmpty
                    ? "Any" : titles[course.chapterID] ?? course.chapterID
                return [
                    #"<a class="name" href="\#(path)/\#(course.id)">\#(course.name)</a>"#,
                    "\(chapter)",
                ]
            })
        let content =
            offer.elements.isEmpty && offer.problem == nil
            ? Sheet.nothing("It has no courses yet.") : table.markup
        return """
            <section class="further"><h2>Courses</h2>\(offer.notice)\(content)
            <p class="actions export"><a class="button quiet" href="\(path)/\(RecordPath.new)">\
            New course</a></p></section>
            """
    }

    // MARK: Changes

    /// The chapters that a form has, in their order.
    private static func chapters(_ form: Form) throws(Problem) -> [Chapter] {
        var placed: [(place: Int, chapter: Chapter)] = []
        for (name, value) in form.pairs where name.hasPrefix("chapter.") {
            let id = String(name.dropFirst("chapter.".count))
            guard !value.trimmed.isEmpty else { continue }
            guard let place = Int(form[place(id)].trimmed) else {
                throw .invalid(Self.place(id), "A number is expected.")
            }
            placed.append((place, Chapter(id: id, title: value)))
        }
        let kept = placed.enumerated()
            .sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }
            .map(\.element.chapter)
        let new = form[added.name].split(separator: "\n").map { String($0).trimmed }
            .filter { !$0.isEmpty }.map { Chapter(title: $0) }
        return kept + new
    }

    /// A refusal with the fields of the page as its places: the service names chapters by their
    /// number.
    private static func placed(_ problem: Problem, _ form: Form) -> Problem {
        var problem = problem
        var sent: [Chapter] = []
        // Without chapters that can be sent the refusal is about something else.
        do throws(Problem) { sent = try chapters(form) } catch { return problem }
        for index in problem.violations.indices {
            let parts = problem.violations[index].at.split { "[].".contains($0) }
            guard let start = parts.firstIndex(of: "chapters") else { continue }
            let number = parts.dropFirst(start + 1).first.flatMap { Int($0) }
            let chapter = number.flatMap { sent.indices.contains($0) ? sent[$0] : nil }
            let isKept = chapter.map { !$0.id.isEmpty } ?? false
            problem.violations[index].at = isKept ? title(chapter?.id ?? "") : added.name
        }
        return problem
    }

    func create(_ form: Form) async throws(Problem) -> String {
        let request = CreateModuleRequest(
            name: form["name"], chapters: try Self.chapters(form))
        let made = try await visitor.ask(.partners, key: form.key) {
            try await CatalogClient($0).createModule(request, options: $1)
        }
        return Self.path(of: made.id)
    }

    func update(_ form: Form) async throws(Problem) {
        let ids = form.pairs.filter { $0.name.hasPrefix("chapter.") }
            .map { String($0.name.dropFirst("chapter.".count)) }
        let touched = Self.entries(ids).touched(form)
        var paths: [String] = []
        if touched.contains(Self.name.name) { paths.append("name") }
        if touched.contains(where: { $0 != Self.name.name }) { paths.append("chapters") }
        guard !paths.isEmpty else { return }
        let request = UpdateModuleRequest(
            module: Module(id: id, name: form["name"], chapters: try Self.chapters(form)),
            updateMask: FieldMask(paths: paths))
        _ = try await visitor.ask(
            .partners, key: form.key, etag: form[Form.etagField], in: "module"
        ) {
            try await CatalogClient($0).updateModule(request, options: $1)
        }
    }

    func delete(_ form: Form) async throws(Problem) {
        _ = try await visitor.ask(.partners, key: form.key, etag: form[Form.etagField]) {
            try await CatalogClient($0).deleteModule(DeleteModuleRequest(id: id), options: $1)
        }
    }
}
