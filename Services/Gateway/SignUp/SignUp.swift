import Messages
import RPC

/// The pages by which people come to the platform by themselves.
struct SignUp: Sendable {
    /// Where somebody registers.
    static let path = "/signup"
    /// Where they are told to look into their mail.
    static let sentPath = "/signup/sent"
    /// Where the link in the mail leads.
    static let verifyPath = "/signup/verify"
    /// Where they are asked for their organization.
    static let organizationPath = "/signup/organization"

    /// Where somebody registers who came by a custom URL.
    static func path(at slug: String) -> String { Link.to(path, [("at", slug)]) }

    let door: PageDoor

    /// Answers a request for one of the paths.
    func answer(_ request: Incoming, requestID: String) async throws(Problem) -> Answer {
        try Answer.requireGetOrPost(request)
        let isForm = request.verb == "POST"
        switch String(request.path) {
        case Self.path:
            return isForm
                ? try await register(request, requestID: requestID)
                : SignUpPage(form: try door.query(request)).frame.answer()
        case Self.sentPath:
            guard !isForm else { throw .otherVerbs(["GET", "HEAD"]) }
            return SignUpPage.sent.answer()
        case Self.verifyPath:
            return isForm
                ? try await verify(request, requestID: requestID)
                : VerifyPage(form: try door.query(request)).frame.answer()
        case Self.organizationPath: return try await found(request, requestID: requestID)
        default: throw .noSuchRoute
        }
    }

    private func register(_ request: Incoming, requestID: String) async throws(Problem) -> Answer {
        let form = try await door.forms.read(request)
        do throws(Problem) {
            let asked = SignUpRequest(
                email: form["email"].trimmed, password: form["password"],
                name: form["name"].trimmed, customURL: SignUpPage.slug(form))
            let stranger = try door.stranger(request, requestID: requestID)
            _ = try await stranger.ask(.membership, key: form.key) {
                try await SignUpsClient($0).signUp(asked, options: $1)
            }
            return .seeOther(Self.sentPath)
        } catch {
            return SignUpPage(form: form.renewed(after: error), problem: error).frame
                .answer(to: error)
        }
    }

    /// Confirms an address.
    ///
    /// Programs that look at the links of mails follow them, and send no forms.
    private func verify(_ request: Incoming, requestID: String) async throws(Problem) -> Answer {
        let form = try await door.forms.read(request)
        do throws(Problem) {
            let stranger = try door.stranger(request, requestID: requestID)
            let reply = try await stranger.ask(.membership, key: form.key) {
                try await SignUpsClient($0).verifyEmail(
                    VerifyEmailRequest(token: form["token"], password: form["password"]),
                    options: $1)
            }
            door.forget(reply.userID)
            return VerifyPage.confirmed(reply).answer()
        } catch {
            return VerifyPage(form: form.renewed(after: error), problem: error).frame
                .answer(to: error)
        }
    }

    /// Asks a person who signed up for their organization, and makes it.
    private func found(_ request: Incoming, requestID: String) async throws(Problem) -> Answer {
        // A body can be read once: what becomes of the form later has it from here.
        let form = request.verb == "POST" ? try await door.forms.read(request) : nil
        let visitor: Visitor
        var isOffered = true
        do throws(Problem) {
            visitor = try await door.visitor(request, requestID: requestID)
            // Where it is not known, the service says so once the form is sent.
            if form == nil,
                case .success(let isAsked) = try await visitor.isAskedForOrganization()
            {
                isOffered = isAsked
            }
        } catch {
            if error.httpStatus == 401 {
                return door.signInFirst(request, form, otherwise: Self.organizationPath)
            }
            // It cannot be found out at the moment who has sent the form.
            guard error.httpStatus >= 500, let form else { throw error }
            let kept = KeptForm(path: Self.organizationPath, form: form)
            return KeptFormPage(problem: error, form: kept).frame.answer(to: error)
        }
        guard let form else {
            return (isOffered ? FoundingPage(form: Form()).frame : FoundingPage.closed).answer()
        }
        do throws(Problem) {
            let made = try await visitor.ask(.membership, key: form.key) {
                try await SignUpsClient($0).createOwnOrganization(
                    FoundingPage.request(form), options: $1)
            }
            if case .person(let session) = visitor.identity { door.sessions.forget(session.holder) }
            return .seeOther(
                Link.to(
                    ConsoleTab.info.path(of: made.organizationID),
                    [(Done.field, Done.created.rawValue)]))
        } catch {
            return FoundingPage(form: form.renewed(after: error), problem: error).frame
                .answer(to: error)
        }
    }
}
