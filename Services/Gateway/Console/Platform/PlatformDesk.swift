import Access
import Messages
import RPC

/// The parts of what the platform offers to all organizations; each is a list.
enum PlatformPart: String, Sendable, CaseIterable {
    case types
    case catalog
    case seatTypes

    /// What it is called.
    var title: String {
        switch self {
        case .types: "Organization types"
        case .catalog: "Modules and courses"
        case .seatTypes: "Seat and license types"
        }
    }

    /// What leads to where a new one of its kind is made.
    fileprivate var newWords: String {
        switch self {
        case .types: "New organization type"
        case .catalog: "New module"
        case .seatTypes: "New seat type"
        }
    }

    /// Where its list is.
    var path: String { "\(Console.path)/\(rawValue)" }
    /// Where a new one of its kind is made.
    var newPath: String { "\(path)/\(RecordPath.new)" }
}

/// Last parts of paths at which something is made.
enum RecordPath {
    static let new = "new"
}

/// The pages of what the platform offers to all organizations.
struct PlatformDesk: Sendable {
    /// Where license types are, which have no list of their own.
    static let licensesPath = "/console/licenseTypes"

    private let visitor: Visitor
    private let place: Place

    private enum Place: Sendable {
        case list(PlatformPart)
        case record(any RecordDesk)
    }

    /// The desk of a path; nil when it has none.
    init?(visitor: Visitor, path: String) {
        guard let place = Self.place(of: path, visitor) else { return nil }
        self.visitor = visitor
        self.place = place
    }

    private static func place(of path: String, _ visitor: Visitor) -> Place? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3, "/" + parts[1] == Console.path,
            !parts.dropFirst().contains("")
        else { return nil }
        let (kind, names) = (parts[2], Array(parts.dropFirst(3)))
        if names.isEmpty, let part = PlatformPart(rawValue: kind) { return .list(part) }
        let id = names.last == RecordPath.new ? "" : names.last ?? ""
        switch (kind, names.count) {
        case ("types", 1) where isRecord(id, OrganizationTypeID.self):
            return .record(OrganizationTypeDesk(visitor: visitor, id: id))
        case ("catalog", 1) where isRecord(id, ModuleID.self):
            return .record(ModuleDesk(visitor: visitor, id: id))
        case ("catalog", 2) where isRecord(id, CourseID.self) && ModuleID(text: names[0]) != nil:
            return .record(CourseDesk(visitor: visitor, module: names[0], id: id))
        case ("seatTypes", 1) where isRecord(id, SeatTypeID.self):
            return .record(SeatTypeDesk(visitor: visitor, id: id))
        case ("licenseTypes", 1) where isRecord(id, LicenseTypeID.self):
            return .record(LicenseTypeDesk(visitor: visitor, id: id))
        default: return nil
        }
    }

    /// Whether a text is an identifier, or stands for a new one.
    private static func isRecord<Kind>(_ id: String, _ type: Identifier<Kind>.Type) -> Bool {
        id.isEmpty || Identifier<Kind>(text: id) != nil
    }

    /// Answers a request for the page.
    func answer(_ query: Form, _ form: Form?) async throws(Problem) -> Answer {
        switch place {
        case .list(let part):
            guard form == nil else { throw .otherVerbs(["GET", "HEAD"]) }
            return try await list(part, query)
        case .record(let desk): return try await desk.answer(query, form)
        }
    }

    private func list(_ part: PlatformPart, _ query: Form) async throws(Problem) -> Answer {
        let content: Markup =
            switch part {
            case .types: try await OrganizationTypeDesk.list(visitor, query)
            case .catalog: try await ModuleDesk.list(visitor, query)
            case .seatTypes:
                Markup([
                    try await SeatTypeDesk.list(visitor, query),
                    try await LicenseTypeDesk.list(visitor),
                ])
            }
        let new: Markup =
            visitor.maySetUpPlatform
            ? """
            <p class="actions"><a class="button" href="\(part.newPath)">\(part.newWords)</a></p>
            """ : .empty
        let crumbs = Breadcrumbs(parts: [("My account", Console.path)], current: part.title)
        return PageFrame(
            title: part.title,
            markup: """
                \(crumbs.markup)
                <div class="title"><h1>\(part.title)</h1>
                \(new)</div>
                \(Done.notice(query))
                \(content)
                """, isConsole: true, menu: visitor.menu
        ).answer()
    }
}

/// What looks after one record of the platform, or makes one.
protocol RecordDesk: Sendable {
    var visitor: Visitor { get }
    /// Its identifier; empty for one that is new.
    var id: String { get }
    /// Where it is.
    var path: String { get }
    /// Where one comes to once it is gone.
    var listPath: String { get }

    /// The page with what is kept.
    ///
    /// - Parameters:
    ///   - form: What was sent, if it was to be saved.
    ///   - problem: Why it was not done.
    /// - Returns: The page.
    /// - Throws: ``Problem`` when it cannot be shown.
    func page(_ form: Form?, _ problem: Problem?) async throws(Problem) -> RecordPage
    /// Makes it.
    ///
    /// - Returns: Where it is.
    func create(_ form: Form) async throws(Problem) -> String
    /// Changes what was touched.
    func update(_ form: Form) async throws(Problem)
    /// Deletes it.
    func delete(_ form: Form) async throws(Problem)
}

extension RecordDesk {
    /// Answers a request for the page, or does what its form asks for.
    func answer(_ query: Form, _ form: Form?) async throws(Problem) -> Answer {
        guard let form else {
            guard visitor.maySetUpPlatform else { throw .forPlatformAlone }
            return try await page(nil, nil).frame(visitor.menu, Done.notice(query)).answer()
        }
        let action = form[Sheet.actionField]
        do throws(Problem) {
            switch (action, id.isEmpty) {
            case ("", true):
                let made = try await create(form)
                return .seeOther(Link.to(made, [(Done.field, Done.made.rawValue)]))
            case ("", false):
                try await update(form)
                return .seeOther(Link.to(path, [(Done.field, Done.saved.rawValue)]))
            case ("delete", false):
                try await delete(form)
                return .seeOther(Link.to(listPath, [(Done.field, Done.removed.rawValue)]))
            default: throw .noSuchAction
            }
        } catch {
            if error.httpStatus == 401 { throw error }
            // Nothing was typed: there is no form to come back to.
            guard visitor.maySetUpPlatform || action.isEmpty else { throw error }
            let page = try await page(action.isEmpty ? form.renewed(after: error) : nil, error)
            return page.frame(visitor.menu, .empty).answer(to: error)
        }
    }
}

/// The page on which a record of the platform is made or changed.
struct RecordPage: Sendable {
    let crumbs: [(title: String, path: String)]
    /// What it is called, or will be.
    let heading: String
    let path: String
    let isNew: Bool
    let entries: Entries
    /// The form as it stands with what is kept.
    let kept: Form
    /// What was sent; nil when nothing was.
    let form: Form?
    let problem: Problem?
    /// What stands above the form.
    var hints: Markup = ""
    /// What becomes of it when it is deleted; empty: it cannot be.
    var deletion = ""
    /// What stands below the form.
    var further: Markup = ""
    /// The fields, in groups.
    let content: @Sendable (Form, Problem?) -> Markup

    /// The page.
    func frame(_ menu: ConsoleMenu, _ done: Markup) -> PageFrame {
        var (shown, notice) = entries.shown(form, kept: kept, problem)
        if form == nil, let problem { notice = Notice.refused(problem, "It was not deleted") }
        let crumbs = Breadcrumbs(parts: [("My account", Console.path)] + crumbs, current: heading)
        let hidden = HiddenFields(key: shown, isNew ? [] : entries.hidden(shown))
        return PageFrame(
            title: (problem == nil ? "" : "Not saved yet – ") + heading,
            markup: """
                \(crumbs.markup)
                <h1>\(heading)</h1>
                \(done)\(notice)\(hints)
                <form method="post" action="\(path)" novalidate>\(hidden.markup)
                \(content(shown, form == nil ? nil : problem))
                <p class="buttons"><button type="submit">\(isNew ? "Make it" : "Save")</button>
                </p></form>
                \(further)\(removal)
                """, isConsole: true, menu: menu)
    }

    private var removal: Markup {
        guard !isNew, !deletion.isEmpty else { return .empty }
        let button = ActionButton(
            action: path, label: "Delete it", spoken: "Delete \(heading)",
            values: [(Sheet.actionField, "delete"), (Form.etagField, kept[Form.etagField])],
            look: "danger")
        return """
            <section class="further"><h2>Delete</h2><details><summary>Delete \(heading)…</summary>
            <p>\(deletion)</p>\(button.markup)</details></section>
            """
    }
}

extension Visitor {
    /// Whether what the platform offers is theirs to change.
    var maySetUpPlatform: Bool { mayAnywhere(.changePlatformSettings) }

    /// The name of a record in its list: it leads to its page for whoever may change it.
    func recordName(_ name: String, _ path: String) -> Markup {
        maySetUpPlatform
            ? #"<a class="name" href="\#(path)">\#(name)</a>"#
            : #"<span class="name">\#(name)</span>"#
    }
}

extension Problem {
    /// A page on which the platform is set up, asked for by somebody else.
    fileprivate static let forPlatformAlone = Problem(
        httpStatus: 403, code: "forbidden",
        message: "What the platform offers is changed by those who run it.")
}
