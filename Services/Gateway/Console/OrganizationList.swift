import Access
import Messages
import RPC

/// A list of organizations: what is looked for, and in which order.
struct OrganizationQuery: Sendable {
    /// The organizations on one page.
    static let pageSize: Int32 = 50

    /// The path of the list.
    let path: String
    /// The organization below which is looked, for the list of its suborganizations; empty: all.
    let parent: String
    let form: Form

    /// The fields by which the list is narrowed.
    static let fields = [
        Field(name: "q", label: "Name", control: .line(type: "search")),
        Field(
            name: "state", label: "State",
            control: .choice(
                EffectiveState.offered.map {
                    Field.Option(value: "\($0.rawValue)", label: $0.words)
                }, none: "Not archived")),
        Field(name: "from", label: "Changed from", control: .date),
        Field(name: "to", label: "Changed until", control: .date),
        Field(
            name: "order", label: "Order",
            control: .choice(
                [
                    .init(value: "title", label: "Title A–Z"),
                    .init(value: "title desc", label: "Title Z–A"),
                    .init(value: "members desc", label: "Most members"),
                    .init(value: "members", label: "Fewest members"),
                ], none: "Latest change")),
    ]

    /// Whether anything narrows the list.
    var isNarrowed: Bool {
        ["q", "state", "from", "to"].contains { !form[$0].isEmpty }
    }

    /// Whether it is the list of the archive, which has an order of its own.
    var isOfArchive: Bool { form["state"] == "\(EffectiveState.archived.rawValue)" }

    /// The query of the list without where its part begins.
    var parameters: [(name: String, value: String)] {
        Self.fields.map { ($0.name, form[$0.name]) }
    }

    /// The same list in another order.
    func ordered(by order: String) -> String {
        Link.to(path, parameters.filter { $0.name != "order" } + [("order", order)])
    }

    /// The request for the part of the list that is asked for.
    ///
    /// - Throws: ``Problem`` when a day is none.
    var request: ListOrganizationsRequest {
        get throws(Problem) {
            var request = ListOrganizationsRequest(
                parent: parent, pageSize: Self.pageSize, pageToken: form[Pagination.field],
                // The list of all tells by its path where each one hangs.
                subtree: parent.isEmpty, q: form["q"].trimmed,
                state: EffectiveState(rawValue: Int32(form["state"]) ?? 0),
                orderBy: isOfArchive ? "" : form["order"])
            if let from = try day("from") { request.updatedAfter = Timestamp(startOf: from) }
            if let to = try day("to") {
                request.updatedBefore = Timestamp(startOf: to.advanced(by: 1))
            }
            return request
        }
    }

    private func day(_ field: String) throws(Problem) -> CalendarDay? {
        let text = form[field].trimmed
        guard !text.isEmpty else { return nil }
        guard let day = CalendarDay(text: text) else {
            throw .invalid(field, "A day such as 2026-11-27 is expected.")
        }
        return day
    }
}

/// What a list of organizations looks like, with what narrows it.
struct OrganizationList: Sendable {
    let query: OrganizationQuery
    /// What the service answered.
    let reply: Result<ListOrganizationsReply, Problem>
    /// The noun for what is listed.
    var noun = ("organization", "organizations")
    let visitor: Visitor

    /// The list as it is shown.
    var markup: Markup {
        switch reply {
        case .success(let reply): "\(filter(nil))\(found(reply))"
        case .failure(let problem): refused(Self.placed(problem))
        }
    }

    private func refused(_ problem: Problem) -> Markup {
        """
        \(Notice.refused(problem, "The list cannot be shown", fields: OrganizationQuery.fields))
        \(filter(problem))
        """
    }

    /// A refusal with the fields of the page as its places.
    private static func placed(_ problem: Problem) -> Problem {
        var problem = problem
        for index in problem.violations.indices where problem.violations[index].at == "orderBy" {
            problem.violations[index].at = "order"
        }
        return problem
    }

    private func filter(_ problem: Problem?) -> Markup {
        let clear: Markup =
            query.isNarrowed ? #"<a href="\#(query.path)">Show all</a>"# : ""
        return """
            <form class="filter" method="get" action="\(query.path)" role="search" \
            aria-label="Narrow the list">
            \(OrganizationQuery.fields.map { $0.markup(query.form, problem) })
            <div class="field last"><button type="submit" class="quiet">Show</button>\(clear)</div>
            </form>
            """
    }

    private func found(_ reply: ListOrganizationsReply) -> Markup {
        let rows = reply.organizations.map(row)
        let pages = Pagination(
            path: query.path, parameters: query.parameters, token: query.form[Pagination.field],
            next: reply.nextPageToken)
        guard !rows.isEmpty else { return "\(nothing(reply))\(pages.markup)" }
        let count = Count.words(reply.totalSize, noun.0, noun.1)
        let words = reply.totalIsMinimum ? "At least \(count)" : count
        return """
            <p class="count">\(words)</p>
            \(Table(caption: "Organizations", columns: columns, rows: rows).markup)
            \(pages.markup)
            """
    }

    private func nothing(_ reply: ListOrganizationsReply) -> Markup {
        guard reply.nextPageToken.isEmpty else {
            return #"<p class="nothing">Nothing on this page; there may be more.</p>"#
        }
        guard query.isNarrowed else {
            return #"<p class="nothing">There are no \#(noun.1) yet.</p>"#
        }
        return """
            <p class="nothing">No \(noun.0) is like that. <a href="\(query.path)">Show all</a></p>
            """
    }

    private var columns: [Table.Column] {
        let order = query.isOfArchive ? "" : query.form["order"]
        return [
            Table.Column(
                title: "Title", link: link(order == "title" ? "title desc" : "title"),
                order: Self.direction(of: "title", in: order)),
            Table.Column(
                title: "Members",
                link: link(order == "members desc" ? "members" : "members desc"),
                order: Self.direction(of: "members", in: order), isWideOnly: true, isNumber: true),
            Table.Column(title: "State", isWideOnly: true),
            Table.Column(title: "Changed", isWideOnly: true),
            Table.Column(title: "Settings", isHeadHidden: true),
        ]
    }

    /// Where the list is in another order; nil where it has none.
    private func link(_ order: String) -> String? {
        query.isOfArchive ? nil : query.ordered(by: order)
    }

    private static func direction(of field: String, in order: String) -> Table.Order {
        switch order {
        case field: .ascending
        case field + " desc": .descending
        default: .none
        }
    }

    private func row(_ organization: Organization) -> [Markup] {
        let path = organization.path.map(\.title).joined(separator: " › ")
        let place: Markup =
            path.isEmpty || !query.parent.isEmpty ? "" : #"<p class="path">\#(path)</p>"#
        let about: Markup =
            organization.description.isEmpty
            ? "" : #"<p class="about">\#(organization.description)</p>"#
        let members = Count.words(organization.memberCount, "member", "members")
        let title: Markup = """
            \(place)<a class="name" href="\(ConsoleTab.info.path(of: organization.id))">\
            \(organization.title)</a>\(about)
            <p class="narrow-only facts">\(members) \(organization.effectiveState.badge)</p>
            """
        return [
            title, "\(Count.grouped(organization.memberCount))",
            organization.effectiveState.badge, "\(organization.updatedAt?.day ?? "")",
            menu(of: organization),
        ]
    }

    /// The three dots: every part of the settings, from the list.
    private func menu(of organization: Organization) -> Markup {
        let tabs =
            organization.isArchived ? [.info] : Rights(of: visitor, at: organization).tabs
        let items = tabs.map { tab -> Markup in
            #"<li><a href="\#(tab.path(of: organization.id))">\#(tab.title)</a></li>"#
        }
        return """
            <details class="menu"><summary><span class="unseen">Settings of \
            \(organization.title)</span><span aria-hidden="true">⋯</span></summary>
            <ul>\(items)</ul></details>
            """
    }
}

extension Console {
    /// The page with the list of organizations.
    func list(_ request: Incoming, _ visitor: Visitor) async throws(Problem) -> Answer {
        let form = try door.query(request)
        let query = OrganizationQuery(path: Self.listPath, parent: "", form: form)
        let reply = try await visitor.organizations(query)
        let list = OrganizationList(query: query, reply: reply, visitor: visitor)
        let founding = try await self.founding(query, reply, visitor)
        let crumbs = Breadcrumbs(
            parts: [("My account", Console.path)], current: "Organizations")
        let new: Markup = """
            <p class="actions"><a class="button" href="\(Self.newPath)">New organization</a></p>
            """
        let export =
            visitor.mayAnywhere(.importOrganizations)
            ? ExportLinks(parent: "").markup : Markup.empty
        let frame = PageFrame(
            title: "Organizations",
            markup: """
                \(crumbs.markup)
                <div class="title"><h1>Organizations</h1>
                \(visitor.mayCreateOrganizations ? new : .empty)
                </div>
                \(Done.notice(form))
                \(founding)
                \(list.markup)
                \(export)
                """, isConsole: true, menu: visitor.menu)
        if case .failure(let problem) = reply { return frame.answer(to: problem) }
        return frame.answer()
    }

    /// Leads somebody who may make an organization, and has none yet, to where it is asked for.
    private func founding(
        _ query: OrganizationQuery, _ reply: Result<ListOrganizationsReply, Problem>,
        _ visitor: Visitor
    ) async throws(Problem) -> Markup {
        guard case .success(let reply) = reply, reply.organizations.isEmpty,
            reply.nextPageToken.isEmpty, query.form[Pagination.field].isEmpty, !query.isNarrowed,
            case .success(true) = try await visitor.isAskedForOrganization()
        else { return .empty }
        return Notice.hint(
            """
            You may make one organization, and own it. <a href="\(SignUp.organizationPath)">Make \
            your organization</a>
            """)
    }
}

extension Visitor {
    /// Asks for a list of organizations; what is refused is shown in its place.
    ///
    /// - Throws: ``Problem`` when the session is over.
    func organizations(
        _ query: OrganizationQuery
    ) async throws(Problem) -> Result<ListOrganizationsReply, Problem> {
        let asked: ListOrganizationsRequest
        do throws(Problem) {
            asked = try query.request
        } catch {
            return .failure(error)
        }
        return try await attempt(.organizations) {
            try await OrganizationsClient($0).listOrganizations(asked, options: $1)
        }
    }
}

/// Where a page is in the console.
struct Breadcrumbs: Sendable {
    let parts: [(title: String, path: String)]
    let current: String

    var markup: Markup {
        let links = parts.map { #"<li><a href="\#($0.path)">\#($0.title)</a></li>"# as Markup }
        return """
            <nav class="crumbs" aria-label="Path"><ol>\(links)
            <li aria-current="page">\(current)</li></ol></nav>
            """
    }
}

/// What leads to the list as a file, and takes one in.
struct ExportLinks: Sendable {
    /// The organization from which on; empty: all.
    let parent: String

    var markup: Markup {
        let links = ["xlsx", "csv"].map { format -> Markup in
            let path = Link.to(Console.exportPath, [("format", format), ("parent", parent)])
            return #"<a class="button quiet" href="\#(path)">Export .\#(format)</a>"#
        }
        let new = Link.to(ImportDesk.newPath, [("parent", parent)])
        return """
            <p class="actions export"><a class="button quiet" href="\(new)">Import</a>\
            \(links)</p>
            """
    }
}
