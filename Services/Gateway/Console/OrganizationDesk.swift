import Access
import Messages
import RPC

/// The settings of one organization.
struct OrganizationDesk: Sendable {
    let visitor: Visitor
    let id: String

    /// Answers a request for a tab.
    ///
    /// - Parameters:
    ///   - tab: The tab.
    ///   - query: What the address says beside it.
    ///   - form: What was sent; nil when the tab is only looked at.
    /// - Returns: The tab, or what leads to it once something was done.
    /// - Throws: ``Problem`` when the organization cannot be shown.
    func answer(_ tab: ConsoleTab, _ query: Form, _ form: Form?) async throws(Problem) -> Answer {
        let organization = try await organization()
        var query = query
        // A form says itself from which part of a list it was sent.
        if let form { for name in Sheet.listFields(of: tab) { query.take(name, from: form) } }
        let sheet = Sheet(desk: self, organization: organization, tab: tab, query: query)
        guard let form else {
            // Of what is in the archive there is one page.
            if organization.isArchived, tab != .info {
                return .seeOther(ConsoleTab.info.path(of: id))
            }
            let (page, refusal) = try await sheet.page()
            return refusal.map { page.answer(to: $0) } ?? page.answer()
        }
        do throws(Problem) {
            let done = try await sheet.save(form)
            if let page = done.page { return page.answer() }
            let told =
                [(name: Done.field, value: done.done.rawValue)] + sheet.listPlace + done.remarks
            return .seeOther(Link.to(tab.path(of: id), told))
        } catch {
            if error.httpStatus == 401 { throw error }
            let (page, _) = try await sheet.page(form.renewed(after: error), error)
            return page.answer(to: error)
        }
    }

    /// The organization as it is now.
    func organization() async throws(Problem) -> Organization {
        try await visitor.ask(.organizations) {
            try await OrganizationsClient($0).getOrganization(
                GetOrganizationRequest(id: id), options: $1)
        }
    }
}

/// One tab of the settings of an organization.
struct Sheet: Sendable {
    /// What a change ended in.
    struct Outcome: Sendable {
        let done: Done
        var remarks: [(name: String, value: String)] = []
        /// What is shown at once, because it can be shown this once only; else the tab follows.
        var page: PageFrame?
    }

    /// The field of a form that says which of the changes of its tab it is.
    static let actionField = "do"

    let desk: OrganizationDesk
    let organization: Organization
    let tab: ConsoleTab
    let query: Form

    var visitor: Visitor { desk.visitor }
    var id: String { desk.id }
    /// What is offered to the visitor here.
    var rights: Rights { Rights(of: visitor, at: organization) }

    /// The fields that say which part of the list on a tab is shown.
    static func listFields(of tab: ConsoleTab) -> [String] {
        tab == .users ? [stateField, Pagination.field, waitingField] : []
    }

    /// Which part of the list on the tab is shown, for its forms to come back to.
    var listPlace: [(name: String, value: String)] {
        Self.listFields(of: tab).map { (name: $0, value: query[$0]) }.filter { !$0.value.isEmpty }
    }

    /// Where the tab is, and its forms go.
    var path: String { tab.path(of: id) }

    /// The tab as a page.
    ///
    /// - Parameters:
    ///   - form: What was sent, if anything was.
    ///   - problem: Why it was not taken.
    /// - Returns: The page, and why what should stand on it does not.
    /// - Throws: ``Problem`` when the session is over.
    func page(
        _ form: Form? = nil, _ problem: Problem? = nil
    ) async throws(Problem) -> (PageFrame, refusal: Problem?) {
        if organization.isArchived { return (await archivePage(form, problem), nil) }
        var content = Markup.empty
        var refusal: Problem?
        do throws(Problem) {
            content = try await self.content(form, problem)
        } catch {
            // Whoever may not see one tab may see others.
            if error.httpStatus == 401 { throw error }
            let earlier: Markup = problem.map { Notice.refused($0) } ?? ""
            let kept: Markup = form.map { keep($0) } ?? ""
            content = "\(earlier)\(Notice.refused(error, "This cannot be shown"))\(kept)"
            refusal = error
        }
        let offered = rights.tabs
        let tabs = Tabs(
            label: "Settings", parts: offered.map { ($0.title, $0.path(of: id)) },
            current: path)
        let isRefused = problem != nil
        var frame = PageFrame(
            title: (isRefused ? "Not saved yet – " : "")
                + "\(tab.title) – \(organization.title)",
            markup: """
                \(crumbs.markup)
                <div class="title"><h1>\(organization.title)</h1>\
                \(organization.effectiveState.badge)</div>
                \(offered.count > 1 ? tabs.markup : .empty)
                \(isRefused ? .empty : Done.notice(query))
                \(isRefused ? .empty : goOn)
                \(isRefused ? .empty : notRestored)
                \(Remark.notices(query))
                \(content)
                """, isConsole: true, menu: visitor.menu)
        frame.hasImages = tab == .look
        return (frame, refusal)
    }

    /// Where the organization hangs.
    var crumbs: Breadcrumbs {
        let above = organization.path.map { ($0.title, ConsoleTab.info.path(of: $0.id)) }
        return Breadcrumbs(
            parts: [("My account", Console.path), ("Organizations", Console.listPath)] + above,
            current: organization.title)
    }

    /// A form that was not taken, where what it is about cannot be shown.
    func keep(_ form: Form) -> Markup {
        """
        <p>Nothing is lost: this page keeps what you typed.</p>
        \(KeptForm(path: path, form: form).markup)
        """
    }

    /// What comes next for an organization that is new.
    private var goOn: Markup {
        guard query[Done.field] == Done.created.rawValue else { return .empty }
        let offered = [ConsoleTab.services, .users, .contacts].filter(rights.offers)
        let links = offered.reduce(Markup.empty) { links, tab in
            let title = tab == .services ? "Services and PLS" : tab.title
            let link: Markup = #"<a href="\#(tab.path(of: id))">\#(title)</a>"#
            return links == .empty ? link : "\(links), \(link)"
        }
        return links == .empty ? .empty : Notice.hint("Go on with: \(links)")
    }

    private func content(
        _ form: Form?, _ problem: Problem?
    ) async throws(Problem) -> Markup {
        switch tab {
        case .info: await info(form, problem)
        case .suborganizations: try await suborganizations()
        case .users: try await users(form, problem)
        case .services: await services(form, problem)
        case .modules: try await modules(form, problem)
        case .subscription: try await subscription(form, problem)
        case .contacts: try await contacts(form, problem)
        case .domains: try await domains(form, problem)
        case .urls: try await urls(form, problem)
        case .look: try await look(form, problem)
        case .limits: try await limits(form, problem)
        case .programs: try await programs(form, problem)
        }
    }

    /// Does what a form of the tab asks for.
    fileprivate func save(_ form: Form) async throws(Problem) -> Outcome {
        switch tab {
        case .info: try await saveInfo(form)
        case .suborganizations: throw .otherVerbs(["GET", "HEAD"])
        case .users: try await saveUsers(form)
        case .services: try await saveServices(form)
        case .modules: try await saveModules(form)
        case .subscription: try await saveSubscription(form)
        case .contacts: try await saveContacts(form)
        case .domains: try await saveDomains(form)
        case .urls: try await saveURLs(form)
        case .look: try await saveLook(form)
        case .limits: try await saveLimits(form)
        case .programs: try await savePrograms(form)
        }
    }

    /// A button that does one thing on this tab.
    func button(
        _ action: String, _ label: String, spoken: String = "",
        _ values: [(name: String, value: String)] = [], look: String = "quiet"
    ) -> Markup {
        ActionButton(
            action: path, label: label, spoken: spoken,
            values: [(Self.actionField, action)] + values, look: look
        ).markup
    }

    /// A form of this tab with a button at its end.
    func form(
        _ form: Form, _ action: String = "", button: String,
        hidden: [(name: String, value: String)] = [], _ content: Markup
    ) -> Markup {
        let hidden = HiddenFields(
            key: form, (action.isEmpty ? [] : [(Self.actionField, action)]) + hidden)
        return """
            <form method="post" action="\(path)" novalidate>\(hidden.markup)
            \(content)
            <p class="buttons"><button type="submit">\(button)</button></p>
            </form>
            """
    }

    /// A part of a list of which there is none yet.
    static func nothing(_ sentence: String) -> Markup {
        #"<p class="nothing">\#(sentence)</p>"#
    }
}

extension Problem {
    /// A form of a page that the page does not have.
    static let noSuchAction = Problem(
        httpStatus: 400, code: "malformed_message",
        message: "This page has no such button. Please load it again.")
}
