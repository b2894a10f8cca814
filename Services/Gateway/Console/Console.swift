import Access
import Messages
import RPC
import ServiceKit

/// The pages on which people look after organizations.
///
/// Every page asks the services as the person who is signed in, and shows what they refuse in their
/// words; nothing is decided here.
struct Console: Sendable {
    /// Where the console begins.
    static let path = "/console"
    /// The list of organizations.
    static let listPath = "/console/organizations"
    static let newPath = "/console/organizations/new"
    static let exportPath = "/console/organizations/export"

    let door: PageDoor
    let api: API

    /// Whether a path is one of the console.
    static func has(_ path: some StringProtocol) -> Bool {
        path == Self.path || path.hasPrefix(Self.path + "/")
    }

    /// Answers a request for one of its paths.
    func answer(_ request: Incoming, requestID: String) async throws(Problem) -> Answer {
        try Answer.requireGetOrPost(request)
        // A body can be read once: what becomes of the form later has it from here.
        var form: Form?
        do throws(Problem) {
            if request.verb == "POST" { form = try await door.forms.read(request) }
            let visitor = try await door.visitor(request, requestID: requestID)
            return try await page(request, form, visitor)
        } catch {
            if error.httpStatus == 401 {
                return door.signInFirst(request, form, otherwise: Self.path)
            }
            if error.httpStatus >= 500, let form {
                let kept = KeptForm(path: String(request.path), form: form)
                return KeptFormPage(problem: error, form: kept, isInConsole: true).frame
                    .answer(to: error)
            }
            return ProblemPage(problem: error, isInConsole: true).frame.answer(to: error)
        }
    }

    private func page(
        _ request: Incoming, _ form: Form?, _ visitor: Visitor
    ) async throws(Problem) -> Answer {
        switch String(request.path) {
        case Self.path, Self.path + "/", Self.listPath + "/":
            return .seeOther(Self.listPath)
        case Self.listPath where form == nil:
            return try await list(request, visitor)
        case Self.exportPath where form == nil:
            return try await export(request, visitor)
        case Self.newPath:
            if let form { return try await create(form, visitor) }
            return try await newForm(request, visitor)
        default: break
        }
        guard request.path.hasPrefix(Self.listPath + "/") else { throw .noSuchRoute }
        let parts = request.path.dropFirst(Self.listPath.utf8.count + 1)
            .split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let id = parts.first.flatMap({ OrganizationID(text: $0) })?.text, parts.count <= 2
        else { throw .noSuchRoute }
        let place = parts.count == 2 ? parts[1] : ""
        let desk = OrganizationDesk(visitor: visitor, id: id)
        let query = try door.query(request)
        if place == DeletePage.place { return try await desk.delete(form) }
        guard let tab = ConsoleTab(rawValue: place) else { throw .noSuchRoute }
        return try await desk.answer(tab, query, form)
    }

    /// Hands out the list as a file, as the API does.
    private func export(_ request: Incoming, _ visitor: Visitor) async throws(Problem) -> Answer {
        let query = try door.query(request)
        let target = Link.to(
            "/v1/organizations:export",
            [("format", query["format"]), ("parent", query["parent"])])
        guard case .found(let match) = api.routes.route("GET", target.prefix { $0 != "?" })
        else { throw .noSuchRoute }
        let asked = Incoming(
            verb: "GET", target: target,
            fields: [(name: "authorization", value: "Bearer \(visitor.token)")]
        ) { _ in [] }
        do {
            return try await api.answer(asked, match, requestID: visitor.requestID)
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem.internal
        }
    }

    /// What stands at the top of every page of the console.
    static let header: Markup = """
        <a class="skip" href="#content">Skip to the content</a>
        <header class="top"><nav aria-label="Console"><a class="brand" href="\(path)">Guildhall</a>
        <ul><li><a href="\(listPath)">Organizations</a></li></ul></nav>
        <form class="action" method="post" action="\(SignIn.outPath)"><button type="submit" \
        class="quiet">Sign out</button></form></header>
        """
}

/// The parts of the settings of an organization; each is a page, and is saved by itself.
enum ConsoleTab: String, Sendable, CaseIterable {
    case info = ""
    case suborganizations
    case users
    case services
    case contacts
    case domains
    case urls
    case limits

    /// What it is called.
    var title: String {
        switch self {
        case .info: "Info"
        case .suborganizations: "Suborganizations"
        case .users: "Users"
        case .services: "Services"
        case .contacts: "Contact details"
        case .domains: "Email domains"
        case .urls: "Custom URLs"
        case .limits: "Limits and seats"
        }
    }

    /// Where it is for an organization.
    func path(of organization: String) -> String {
        "\(Console.listPath)/\(organization)" + (rawValue.isEmpty ? "" : "/\(rawValue)")
    }
}

/// What was done before a page is shown, as its query names it.
enum Done: String, Sendable {
    case created, saved, activated, deactivated, deleted, restored
    case added, blocked, unblocked, removed
    case confirmed, disabled, enabled, released

    /// The field of the query.
    static let field = "done"

    /// What a person reads.
    var sentence: String {
        switch self {
        case .created: "The organization is saved."
        case .saved: "Your changes are saved."
        case .activated: "The organization is active again."
        case .deactivated: "The organization is inactive, and so is everything below it."
        case .deleted: "The organization is in the archive, where it is kept for 90 days."
        case .restored: "It is restored."
        case .added: "Added."
        case .blocked: "The member is blocked; the seat is free."
        case .unblocked: "The member is active again."
        case .removed: "Removed."
        case .confirmed: "The email domain is confirmed."
        case .disabled: "The custom URL is shut down."
        case .enabled: "The custom URL is open again."
        case .released:
            "The custom URL is released. For 90 days nobody but this organization may take it."
        }
    }

    /// What a query says was done.
    static func notice(_ query: Form) -> Markup {
        Done(rawValue: query[field]).map { Notice.done($0.sentence) } ?? .empty
    }
}
