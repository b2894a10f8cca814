import Access
import Messages
import RPC

/// A page of one thing that an organization has, such as a member, with forms of its own.
protocol DetailPage: Sendable {
    /// Where it is, and its forms go.
    var path: String { get }

    /// The page.
    ///
    /// - Parameters:
    ///   - form: What was sent, if anything was.
    ///   - problem: Why it was not taken.
    /// - Returns: The page.
    /// - Throws: ``Problem`` when it cannot be shown.
    func page(_ form: Form?, _ problem: Problem?) async throws(Problem) -> PageFrame

    /// Does what a form of the page asks for.
    ///
    /// - Returns: Where to go on.
    func save(_ form: Form) async throws(Problem) -> String
}

extension DetailPage {
    /// A button that does one thing on the page.
    func button(
        _ action: String, _ label: String, spoken: String = "",
        _ values: [(name: String, value: String)] = [], look: String = "quiet"
    ) -> Markup {
        ActionButton(
            action: path, label: label, spoken: spoken,
            values: [(Sheet.actionField, action)] + values, look: look
        ).markup
    }

    /// A form of the page with a button at its end.
    func form(
        _ form: Form, _ action: String, button: String,
        hidden: [(name: String, value: String)] = [], _ content: Markup
    ) -> Markup {
        let hidden = HiddenFields(key: form, [(Sheet.actionField, action)] + hidden)
        return """
            <form method="post" action="\(path)" novalidate>\(hidden.markup)
            \(content)
            <p class="buttons"><button type="submit">\(button)</button></p>
            </form>
            """
    }
}

extension OrganizationDesk {
    /// Answers a request for the page of one thing of the organization.
    ///
    /// - Parameters:
    ///   - place: The parts of its path below the organization.
    ///   - query: What the address says beside it.
    ///   - form: What was sent; nil when the page is only looked at.
    /// - Returns: The page, or what leads on once something was done.
    /// - Throws: ``Problem`` when it cannot be shown.
    func answer(
        _ place: [String], _ query: Form, _ form: Form?
    ) async throws(Problem) -> Answer {
        guard let tab = ConsoleTab(rawValue: place[0]) else { throw .noSuchRoute }
        let parts = Array(place.dropFirst())
        guard Self.hasDetail(tab, parts) else { throw .noSuchRoute }
        let organization = try await organization()
        if organization.isArchived { return .seeOther(ConsoleTab.info.path(of: id)) }
        let sheet = Sheet(desk: self, organization: organization, tab: tab, query: query)
        guard let page = Self.detail(sheet, parts, form) else { throw .noSuchRoute }
        guard let form else { return try await page.page(nil, nil).answer() }
        do throws(Problem) {
            return .seeOther(try await page.save(form))
        } catch {
            if error.httpStatus == 401 { throw error }
            return try await page.page(form.renewed(after: error), error).answer(to: error)
        }
    }

    /// Whether a tab has pages of things at a place.
    private static func hasDetail(_ tab: ConsoleTab, _ parts: [String]) -> Bool {
        switch tab {
        case .users: parts.count == 1
        case .programs: (2...3).contains(parts.count)
        default: false
        }
    }

    private static func detail(
        _ sheet: Sheet, _ parts: [String], _ form: Form?
    ) -> (any DetailPage)? {
        switch (sheet.tab, parts.first ?? "", parts.count) {
        case (.users, let user, 1):
            UserID(text: user).map { MemberPage(sheet: sheet, user: $0.text) }
        case (.programs, KeyDeletion.place, 3) where parts[2] == DeletePage.place:
            APIKeyID(text: parts[1]).map { KeyDeletion(sheet: sheet, id: $0) }
        case (.programs, HookPage.place, 2):
            HookID(text: parts[1]).map { HookPage(sheet: sheet, id: $0.text, form: form) }
        case (.programs, HookPage.place, 3) where parts[2] == DeletePage.place:
            HookID(text: parts[1]).map { HookDeletion(sheet: sheet, id: $0.text) }
        default: nil
        }
    }
}

extension Sheet {
    /// The page of one thing on the tab.
    ///
    /// - Parameters:
    ///   - title: What it is called.
    ///   - badge: The state that it is in.
    ///   - isRefused: Whether a form of the page was not taken.
    ///   - content: What stands on it.
    /// - Returns: The page, with the way to it.
    func detail(
        _ title: String, _ badge: Markup = .empty, isRefused: Bool, _ content: Markup
    ) -> PageFrame {
        let way =
            crumbs.parts + [
                (title: organization.title, path: ConsoleTab.info.path(of: id)),
                (title: tab.title, path: path),
            ]
        return PageFrame(
            title: (isRefused ? "Not saved yet – " : "") + "\(title) – \(organization.title)",
            markup: """
                \(Breadcrumbs(parts: way, current: title).markup)
                <div class="title"><h1>\(title)</h1>\(badge)</div>
                \(isRefused ? .empty : Done.notice(query))
                \(content)
                """, isConsole: true, menu: visitor.menu)
    }
}

/// A question before something is taken away for good.
struct Question: Sendable {
    let path: String
    let title: String
    let sentence: String
    /// What the button says that does it.
    let button: String
    /// Where nothing is done.
    let back: String
    var etag = ""

    /// The question as it is shown.
    ///
    /// - Parameters:
    ///   - form: The form with the key of the change.
    ///   - problem: Why it was not done.
    /// - Returns: What stands below the title.
    func markup(_ form: Form, _ problem: Problem?) -> Markup {
        let notice: Markup = problem.map { Notice.refused($0, "It was not deleted") } ?? .empty
        return """
            \(notice)
            <p class="lead">\(sentence)</p>
            <form method="post" action="\(path)" novalidate>
            \(HiddenFields(key: form, [(Form.etagField, etag)]).markup)
            <p class="buttons"><button type="submit" class="danger">\(button)</button>
            <a href="\(back)">Keep it</a></p>
            </form>
            """
    }
}
