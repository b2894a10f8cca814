// Routes of the API of which pages make use: files are handed on in one place.

extension API {
    /// Answers a route for whoever looks at a page.
    ///
    /// - Parameters:
    ///   - verb: The method of the route.
    ///   - target: Its path with a query.
    ///   - visitor: Whoever is signed in.
    ///   - body: Reads the body, up to a number of bytes, once it is the request's turn.
    /// - Returns: The answer.
    /// - Throws: ``Problem``, as the API would answer it.
    func page(
        _ verb: String, _ target: String, _ visitor: Visitor,
        body: @escaping @Sendable (Int) async throws(Problem) -> [UInt8] = { _ in [] }
    ) async throws(Problem) -> Answer {
        guard case .found(let match) = routes.route(verb, target.prefix { $0 != "?" })
        else { throw .noSuchRoute }
        let asked = Incoming(
            verb: verb, target: target,
            fields: [(name: "authorization", value: "Bearer \(visitor.token)")], body: body)
        do {
            return try await answer(asked, match, requestID: visitor.requestID)
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem.internal
        }
    }
}
