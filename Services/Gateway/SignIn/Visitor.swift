import Access
import Messages
import RPC
import ServiceKit

/// Whoever looks at a page, as the services are called for them.
struct Visitor: Sendable {
    /// Who it is.
    enum Identity: Sendable {
        case person(Sessions.Session)
        /// Somebody who has not signed in.
        case stranger
        /// Nobody: the gateway asks for itself.
        case gateway
    }

    let identity: Identity
    /// The token of the session; empty without one.
    let token: String
    let requestID: String
    let door: PageDoor

    /// Makes a call as the person.
    ///
    /// - Parameters:
    ///   - backend: The service.
    ///   - key: The key of a change.
    ///   - etag: The version that is to be changed.
    ///   - field: The field of the request in which what is typed stands, if it is not the request.
    ///   - call: Makes the call.
    /// - Returns: The reply.
    /// - Throws: ``Problem``, as the API would answer it.
    func ask<Reply: Sendable>(
        _ backend: Backend, key: String? = nil, etag: String = "", in field: String? = nil,
        _ call: (any Channel, CallOptions) async throws -> Reply
    ) async throws(Problem) -> Reply {
        do {
            var metadata = Metadata()
            metadata[text: MetadataKey.requestID] = requestID
            switch identity {
            case .person(let session):
                metadata[bytes: MetadataKey.principal] = try door.sessions.principal(
                    of: session, at: backend)
            case .gateway:
                metadata[bytes: MetadataKey.principal] = try door.sessions.principal(
                    for: backend)
            case .stranger: break
            }
            if let key { metadata[text: MetadataKey.idempotencyKey] = key }
            if ETag.isLegal(etag) { metadata[text: MetadataKey.ifMatch] = etag }
            let options = CallOptions(timeout: door.limits.callTimeout, metadata: metadata)
            return try await call(door.upstreams[backend], options)
        } catch {
            throw Problem(Status(thrown: error), from: backend, bodyField: field)
        }
    }

    /// Asks for something without which a page has other parts to show.
    ///
    /// - Parameters:
    ///   - backend: The service.
    ///   - call: Makes the call.
    /// - Returns: The reply, or why there is none.
    /// - Throws: ``Problem`` when the session is over.
    func attempt<Reply: Sendable>(
        _ backend: Backend, _ call: (any Channel, CallOptions) async throws -> Reply
    ) async throws(Problem) -> Result<Reply, Problem> {
        do throws(Problem) {
            return .success(try await ask(backend, call))
        } catch {
            if error.httpStatus == 401 { throw error }
            return .failure(error)
        }
    }
}

/// What all pages that know people have in common: who comes, and what the services are.
struct PageDoor: Sendable {
    let sessions: Sessions
    let openCalls: OpenCalls
    let upstreams: Upstreams
    let address: HTTPAddress
    let limits: Limits

    /// The cookie of sessions.
    var cookie: SessionCookie { SessionCookie(publicURL: address.publicURL) }
    /// What comes by forms.
    var forms: Forms { Forms(address: address, limits: limits) }

    /// Whoever is signed in.
    ///
    /// - Throws: ``Problem/unauthenticated`` when nobody is.
    func visitor(_ request: Incoming, requestID: String) async throws(Problem) -> Visitor {
        guard let token = cookie.token(in: request) else { throw .unauthenticated }
        let session = try await sessions.session(of: token, requestID: requestID)
        // Pages are for people: an API key opens none.
        guard case .user = session.holder else { throw .unauthenticated }
        return Visitor(
            identity: .person(session), token: token, requestID: requestID, door: self)
    }

    /// Somebody who has not signed in, counted by their address: for one call.
    ///
    /// - Throws: ``Problem/tooManyOpenCalls(retryAfter:)``.
    func stranger(_ request: Incoming, requestID: String) throws(Problem) -> Visitor {
        try openCalls.admit(request)
        return Visitor(identity: .stranger, token: "", requestID: requestID, door: self)
    }

    /// The gateway itself, for what services tell services alone.
    func gateway(requestID: String) -> Visitor {
        Visitor(identity: .gateway, token: "", requestID: requestID, door: self)
    }

    /// Lets a change of somebody's rights hold here at once.
    func forget(_ user: String) {
        if let user = UserID(text: user) { sessions.forget(.user(user)) }
    }

    /// The query of a page.
    func query(_ request: Incoming) throws(Problem) -> Form {
        Form(try Query(request.query, countMax: limits.parameterCountMax))
    }
}

extension Answer {
    /// Leads to another page, which a reload then loads and nothing else.
    static func seeOther(_ path: String) -> Answer {
        Answer(status: 303, fields: ["Location": path, "Cache-Control": "no-store"])
    }

    /// The verbs of a page, when it was asked by another one.
    static func requireGetOrPost(_ request: Incoming) throws(Problem) {
        guard ["GET", "HEAD", "POST"].contains(request.verb) else {
            throw .otherVerbs(["GET", "HEAD", "POST"])
        }
    }
}
