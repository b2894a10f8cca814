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
        var menu = ConsoleMenu()
        do throws(Problem) {
            let hasFile = Self.hasFile(request)
            if request.verb == "POST", !hasFile {
                form = try await door.forms.read(request, countMax: Forms.boxCountMax)
            }
            let visitor = try await door.visitor(request, requestID: requestID)
            menu = visitor.menu
            // A file is larger than a form: only of somebody who has signed in it is read.
            if hasFile, !ImportDesk.has(request.path) {
                form = try await door.forms.readFile(
                    request, bytesMax: Sheet.logoBytesMax, Sheet.logoBytesMaxWords)
            }
            return try await page(request, form, visitor)
        } catch {
            if error.httpStatus == 401 {
                return door.signInFirst(request, form, otherwise: Self.path)
            }
            if error.httpStatus >= 500, let form {
                let kept = KeptForm(path: String(request.path), form: form)
                return KeptFormPage(problem: error, form: kept, isInConsole: true, menu: menu)
                    .frame.answer(to: error)
            }
            var answer = ProblemPage(problem: error, isInConsole: true, menu: menu).frame
                .answer(to: error)
            if ImportDesk.looksAgain(for: request, after: error) {
                answer.fields["Refresh"] = "\(ImportPage.refreshSeconds)"
            }
            return answer
        }
    }

    /// Whether a request brings a form with a file: a logo, or that of an import, read when
    /// it has its turn.
    private static func hasFile(_ request: Incoming) -> Bool {
        guard request.verb == "POST" else { return false }
        return request.path == ImportDesk.newPath
            || request.path.hasSuffix("/" + ConsoleTab.look.rawValue)
                && request.mediaType == "multipart/form-data"
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
        if ImportDesk.has(request.path) {
            return try await ImportDesk(visitor: visitor, api: api).answer(request, form)
        }
        if let platform = PlatformDesk(visitor: visitor, path: String(request.path)) {
            return try await platform.answer(try door.query(request), form)
        }
        guard request.path.hasPrefix(Self.listPath + "/") else { throw .noSuchRoute }
        let parts = request.path.dropFirst(Self.listPath.utf8.count + 1)
            .split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let id = parts.first.flatMap({ OrganizationID(text: $0) })?.text
        else { throw .noSuchRoute }
        let place = parts.count == 1 ? "" : parts[1]
        let desk = OrganizationDesk(visitor: visitor, id: id)
        let query = try door.query(request)
        if parts.count > 2 { return try await desk.answer(Array(parts[1...]), query, form) }
        if place == DeletePage.place { return try await desk.delete(form) }
        guard let tab = ConsoleTab(rawValue: place) else { throw .noSuchRoute }
        return try await desk.answer(tab, query, form)
    }

    /// Hands out the list as a file, as the API does.
    private func export(_ request: Incoming, _ visitor: Visitor) async throws(Problem) -> Answer {
        let query = try door.query(request)
        return try await api.page(
            "GET",
            Link.to(
                "/v1/organizations:export",
                [("format", query["format"]), ("parent", query["parent"])]), visitor)
    }
}

/// The parts of the settings of an organization; each is a page, and is saved by itself.
enum ConsoleTab: String, Sendable, CaseIterable {
    case info = ""
    case suborganizations
    case users
    case services
    case modules
    case subscription
    case contacts
    case domains
    case urls
    case look
    case limits
    case programs

    /// What it is called.
    var title: String {
        switch self {
        case .info: "Info"
        case .suborganizations: "Suborganizations"
        case .users: "Users"
        case .services: "Services"
        case .modules: "Modules"
        case .subscription: "Subscription"
        case .contacts: "Contact details"
        case .domains: "Email domains"
        case .urls: "Custom URLs"
        case .look: "Look"
        case .limits: "Limits and seats"
        case .programs: "Programs"
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
    case approved, rejected
    case keyDeleted, hookDeleted, hookOn, hookOff, tested, retried
    case made, inherited, whiteLabelOn, whiteLabelOff, begun, cancelled

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
        case .made: "It is saved."
        case .inherited: "It is inherited again."
        case .whiteLabelOn: "White label is on."
        case .whiteLabelOff: "White label is off; what was set is kept."
        case .begun: "The subscription is begun. It gives something once it is paid for."
        case .cancelled: "The subscription is cancelled."
        case .released:
            "The custom URL is released. For 90 days nobody but this organization may take it."
        case .approved: "The sign-up is approved: a new member is let in."
        case .rejected: "The sign-up is turned down; the account stays."
        case .keyDeleted: "The API key is deleted. Whatever still uses it is refused."
        case .hookDeleted: "The hook is deleted, with what waited to be sent to it."
        case .hookOn: "The hook is switched on."
        case .hookOff: "The hook is switched off."
        case .tested: "A test call is on its way; it stands in the list of calls."
        case .retried: "The call is sent again."
        }
    }

    /// What a query says was done.
    static func notice(_ query: Form) -> Markup {
        Done(rawValue: query[field]).map { Notice.done($0.sentence) } ?? .empty
    }
}
