/// The pages that are about people: signing up, signing in, and what they look after.
struct Accounts: Sendable {
    let door: PageDoor
    let api: API

    /// Answers a request for one of these pages; nil when it is for something else.
    func answer(_ request: Incoming, requestID: String) async throws -> Answer? {
        let path = request.path
        let isSigning = path == SignIn.path || path == SignIn.outPath
        let isSigningUp = path == SignUp.path || path.hasPrefix(SignUp.path + "/")
        guard isSigning || isSigningUp || Console.has(path) else { return nil }
        do throws(Problem) {
            // The one place at which the forms of all these pages are held against their origin.
            if request.verb == "POST" {
                try door.forms.requireFromHere(request, silence: .isRefused)
            }
            if isSigning {
                return try await SignIn(door: door).answer(request, requestID: requestID)
            }
            if isSigningUp {
                return try await SignUp(door: door).answer(request, requestID: requestID)
            }
            return try await Console(door: door, api: api).answer(request, requestID: requestID)
        } catch {
            return ProblemPage(problem: error).frame.answer(to: error)
        }
    }

    /// Answers a request for the page of an organization at its custom URL.
    ///
    /// - Throws: ``Problem`` when there is no such page, and whoever asks is no browser.
    func landing(_ request: Incoming, requestID: String) async throws(Problem) -> Answer {
        guard request.verb == "GET" || request.verb == "HEAD" else { throw .noSuchRoute }
        let isBrowser = request.field("accept")?.contains("text/html") == true
        do throws(Problem) {
            guard let slug = LandingPage.slug(of: request.path) else { throw .noSuchRoute }
            return try await LandingPage.answer(slug, door.gateway(requestID: requestID))
        } catch {
            guard isBrowser else { throw error }
            return ProblemPage(problem: error).frame.answer(to: error)
        }
    }
}
