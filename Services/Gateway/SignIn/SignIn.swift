import Messages
import RPC
import ServiceKit

/// Signing in and out with a browser.
struct SignIn: Sendable {
    /// Where the form is, and goes to.
    static let path = "/login"
    /// Where a form goes that ends the session.
    static let outPath = "/logout"

    let door: PageDoor

    /// Answers a request for one of the paths.
    func answer(_ request: Incoming, requestID: String) async throws(Problem) -> Answer {
        if request.path == Self.outPath {
            guard request.verb == "POST" else { throw .otherVerbs(["POST"]) }
            return await signOut(request, requestID: requestID)
        }
        try Answer.requireGetOrPost(request)
        if request.verb == "POST" { return try await signIn(request, requestID: requestID) }
        let query = try door.query(request)
        let page = SignInPage(
            form: Form([SignInPage.nextField: query[SignInPage.nextField]]),
            said: SignInPage.Said(rawValue: query["said"]))
        return page.frame.answer()
    }

    private func signIn(_ request: Incoming, requestID: String) async throws(Problem) -> Answer {
        let form = try await door.forms.read(request)
        do throws(Problem) {
            let stranger = try door.stranger(request, requestID: requestID)
            let session = try await stranger.ask(.membership, key: form.key) {
                try await MembershipClient($0).signIn(
                    SignInRequest(email: form["email"].trimmed, password: form["password"]),
                    options: $1)
            }
            let next = Link.own(form[SignInPage.nextField])
            var answer = Answer.seeOther(
                await firstPage(of: session.token, next: next, requestID: requestID))
            answer.fields["Set-Cookie"] = door.cookie.field(session.token)
            return answer
        } catch {
            let page = SignInPage(form: form.renewed(after: error), problem: error)
            return page.frame.answer(to: error)
        }
    }

    /// Paths from which nobody comes for something of their own: they say no more than none.
    private static let beginnings: Set<String> = [
        Console.path, Console.path + "/", Console.listPath, Console.listPath + "/",
    ]

    /// Where somebody goes who has signed in: where they came from, else where they are asked for
    /// what is open, else to the console.
    private func firstPage(
        of token: String, next: String?, requestID: String
    ) async -> String {
        if let next, !Self.beginnings.contains(next) { return next }
        let start = next ?? Console.path
        do throws(Problem) {
            let session = try await door.sessions.session(of: token, requestID: requestID)
            let visitor = Visitor(
                identity: .person(session), token: token, requestID: requestID, door: door)
            guard case .success(true) = try await visitor.isAskedForOrganization() else {
                return start
            }
            return SignUp.organizationPath
        } catch {
            // The session is there all the same; the console will say what is wrong.
            return start
        }
    }

    private func signOut(_ request: Incoming, requestID: String) async -> Answer {
        var answer = Answer.seeOther(Link.to(Self.path, [("said", SignInPage.Said.out.rawValue)]))
        answer.fields["Set-Cookie"] = door.cookie.field(nil)
        guard let token = door.cookie.token(in: request) else { return answer }
        // Also afterwards: an answer of Membership may have been under way.
        defer { door.sessions.forget(token) }
        do throws(Problem) {
            let visitor = try await door.visitor(request, requestID: requestID)
            door.sessions.forget(token)
            _ = try await visitor.ask(.membership, key: RequestIdentifier.make()) {
                try await MembershipClient($0).signOut(SignOutRequest(token: token), options: $1)
            }
            return answer
        } catch {
            if error.httpStatus == 401 { return answer }
            // The session is still there: whoever believed it ended would leave it behind.
            return ProblemPage(problem: error, heading: "You are still signed in").frame
                .answer(to: error)
        }
    }
}

extension Visitor {
    /// Whether somebody who signed up may make an organization, and has none yet.
    ///
    /// - Returns: What Membership says, or why it says nothing.
    /// - Throws: ``Problem`` when the session is over.
    func isAskedForOrganization() async throws(Problem) -> Result<Bool, Problem> {
        let me = try await attempt(.membership) {
            try await MembershipClient($0).getMe(GetMeRequest(), options: $1)
        }
        return me.map { $0.prompts.contains(.createOrganization) }
    }
}
