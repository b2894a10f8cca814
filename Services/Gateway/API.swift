import Access
import Encodings
import Messages
import RPC
import ServiceKit

/// Answers the REST routes: each is one call of one service.
struct API: Sendable {
    let routes: RouteTable
    let transcoder: Transcoder
    let sessions: Sessions
    let openCalls: OpenCalls
    let upstreams: Upstreams
    let files = FileTurns()

    /// Answers a request whose route is known.
    func answer(
        _ request: Incoming, _ match: RouteTable.Match, requestID: String
    ) async throws -> Answer {
        let route = match.route
        guard let upstream = Backend(of: route.method) else { throw Problem.noSuchRoute }
        var metadata = try Self.metadata(of: request, calling: route.method, requestID: requestID)
        var filled: [String: String] = [:]
        var holder: Access.Principal.Subject?
        var caller: String?
        if route.isOpen {
            try openCalls.admit(request)
        } else {
            let token = try Bearer.token(request.field("authorization"))
            let session = try await sessions.session(of: token, requestID: requestID)
            (holder, caller) = (session.holder, token)
            metadata[bytes: MetadataKey.principal] = try sessions.principal(
                of: session, calling: route.method, at: upstream)
            if let field = route.sessionTokenField {
                filled[field] = token
                sessions.forget(token)
            }
        }
        let query = try Query(request.query, countMax: transcoder.limits.parameterCountMax)
        if route.content.isBytes, request.mediaType?.hasPrefix("multipart/") == true {
            throw Problem.formForFile
        }
        if route.method.kind == .clientStreaming {
            let sent = try transcoder.request(match, query: query, body: [])
            let call = UploadCall(
                route: route, metadata: metadata, first: sent.message,
                explanationPlace: sent.explanationPlace)
            // Before there is a turn: whoever may send no file keeps nobody waiting who may.
            try await requireRight(to: call, at: upstream)
            let turn = try files.begin(.upload, for: holder)
            defer { withExtendedLifetime(turn) {} }
            return try await upload(request, call, to: upstream)
        }
        let body = try await self.body(of: request, route)
        let call = try transcoder.request(match, query: query, body: body, filled: filled)
        try Self.expect(call.entityTag, in: &metadata)
        if call.isMaskImplied { metadata[text: MetadataKey.maskIsImplied] = "true" }
        let options = CallOptions(timeout: transcoder.limits.callTimeout, metadata: metadata)
        // The session is over for this gateway whatever comes of the call, and also for answers
        // of Membership that were under way when it ended.
        defer {
            for token in filled.values { sessions.forget(token) }
            sessions.noteEnd(of: route.method, call.message)
        }
        if route.method.kind == .serverStreaming {
            let turn = try files.begin(.download, for: holder)
            return try await download(route, call, metadata, upstream, in: turn)
        }
        let reply: any Payload
        do {
            reply = try await upstreams[upstream].unary(
                route.method, .encoded(call.message), options: options)
        } catch {
            throw Problem(thrown: error, by: route, at: call.explanationPlace, from: upstream)
        }
        sessions.noteAnswer(of: route.method, reply.bytes, to: caller)
        return try self.answer(request, route, reply: reply.bytes)
    }

    /// Makes the entity tag in a body count like one in `If-Match`.
    private static func expect(_ tag: String?, in metadata: inout Metadata) throws(Problem) {
        guard let tag else { return }
        guard ETag.isLegal(tag) else { throw .invalid("etag", "An entity tag is expected.") }
        if let other = metadata[text: MetadataKey.ifMatch], other != "*", other != tag {
            throw .tagsDiffer
        }
        metadata[text: MetadataKey.ifMatch] = tag
    }

    private func body(of request: Incoming, _ route: Route) async throws(Problem) -> [UInt8] {
        let body = try await request.body(transcoder.limits.bodyBytesMax)
        if !body.isEmpty, route.content.isJSON, let type = request.mediaType {
            guard type == "application/json" else { throw .unsupportedType("application/json") }
        }
        return body
    }

    func answer(_ request: Incoming, _ route: Route, reply: [UInt8]) throws -> Answer {
        let json = try transcoder.reply(reply, of: route)
        var answer = Answer.json(route.status, json.encoded)
        guard case .string(let tag)? = json["etag"], ETag.isLegal(tag) else { return answer }
        answer.fields["ETag"] = "\"\(tag)\""
        if route.verb == "GET", ETag.matches(request.field("if-none-match"), tag) {
            answer.status = 304
            answer.body = []
        }
        return answer
    }

    /// What accompanies a call, made from header fields.
    private static func metadata(
        of request: Incoming, calling method: MethodDescriptor, requestID: String
    ) throws(Problem) -> Metadata {
        var metadata = Metadata()
        metadata[text: MetadataKey.requestID] = requestID
        if let parent = request.field("traceparent"), parent.utf8.count == 55 {
            metadata[text: MetadataKey.traceParent] = parent
        }
        if let match = request.field("if-match") {
            let tag = ETag.text(match)
            guard ETag.isLegal(tag) else {
                throw .unreadable("If-Match", "One entity tag is expected.")
            }
            metadata[text: MetadataKey.ifMatch] = tag
        }
        if let key = request.field("idempotency-key") {
            guard (1...128).contains(key.utf8.count),
                key.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
            else { throw .badIdempotencyKey }
            metadata[text: MetadataKey.idempotencyKey] = key
        } else if method.idempotency == .keyed {
            metadata[text: MetadataKey.idempotencyKey] = RequestIdentifier.make()
        }
        return metadata
    }
}

extension Problem {
    /// The problem that the call of a route ended in, with the path at which it is explained.
    ///
    /// - Parameters:
    ///   - error: What the call threw.
    ///   - route: The route.
    ///   - place: The organization in question, as the request names it.
    ///   - upstream: The service.
    init(thrown error: any Error, by route: Route, at place: String?, from upstream: Backend) {
        self.init(Status(thrown: error), from: upstream, bodyField: route.content.field)
        explainURL = Explanation.path(of: self, calling: route, at: place)
    }
}

/// Entity tags: the version of a resource in `ETag`, `If-Match` and `If-None-Match`.
enum ETag {
    /// The tag without its quotation marks.
    static func text(_ field: some StringProtocol) -> String {
        var tag = field.split(separator: " ").joined()
        if tag.hasPrefix("W/") { tag.removeFirst(2) }
        guard tag.utf8.count >= 2, tag.hasPrefix("\""), tag.hasSuffix("\"") else { return tag }
        return String(tag.dropFirst().dropLast())
    }

    /// Whether a text can stand between quotation marks in a header.
    static func isLegal(_ tag: String) -> Bool {
        (1...128).contains(tag.utf8.count)
            && tag.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") }
    }

    /// Whether an `If-None-Match` names a tag.
    static func matches(_ field: String?, _ tag: String) -> Bool {
        guard let field else { return false }
        return field.split(separator: ",").contains { text($0) == tag || text($0) == "*" }
    }
}

/// The credential of a caller.
enum Bearer {
    private static let bytesMax = 512

    /// The token in an `Authorization` field.
    ///
    /// - Throws: ``Problem/unauthenticated``.
    static func token(_ field: String?) throws(Problem) -> String {
        guard let field, field.utf8.count <= bytesMax else { throw .unauthenticated }
        let parts = field.split(separator: " ")
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { throw .unauthenticated }
        return String(parts[1])
    }
}
