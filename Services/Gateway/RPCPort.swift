import Encodings
import RPC
import ServiceKit

/// The gateway's own RPC port: routes public methods to the service that has them.
///
/// A method is public when it has a route, or needs no principal; every other is for services.
struct RPCPort: Sendable {
    let sessions: Sessions
    let openCalls: OpenCalls
    let upstreams: Upstreams
    /// The paths of the methods that clients may call.
    let publicPaths: Set<String>

    /// The open methods whose calls are counted by address: those that have a route.
    private let countedPaths: Set<String>

    init(sessions: Sessions, openCalls: OpenCalls, upstreams: Upstreams, routes: [Route]) {
        self.sessions = sessions
        self.openCalls = openCalls
        countedPaths = Set(routes.filter(\.isOpen).map(\.method.path))
        self.upstreams = upstreams
        publicPaths = Set(Routes.openMethods.map(\.path)).union(routes.map(\.method.path))
    }

    /// The methods of the four services, handed on; every caller is told the identifier of its
    /// request, as over HTTP.
    var methods: [RegisteredMethod] {
        Backend.allCases.flatMap { upstream in
            upstream.methods.map { method in
                RegisteredMethod(method, handler(of: method, at: upstream)).wrapped { context in
                    let requestID = RequestIdentifier.of(context.metadata)
                    context.metadata[text: MetadataKey.requestID] = requestID
                    return requestID
                } end: { requestID, context, _ in
                    context.trailingMetadata[text: MetadataKey.requestID] = requestID
                }
            }
        }
    }

    private func handler(of method: MethodDescriptor, at upstream: Backend) -> MethodHandler {
        let channel = upstreams[upstream]
        switch method.kind {
        case .unary:
            return .unary { request, context in
                let options = try await options(method, at: upstream, context)
                let token = try tokenToEnd(method, context)
                if let token { sessions.forget(token) }
                // Also afterwards: an answer of Membership may have been under way.
                defer { if let token { sessions.forget(token) } }
                var message = OutgoingMessage.encoded(request)
                if let token, let fill = Routes.tokenFillers[method] {
                    message = .encoded(try Self.filled(request.bytes, token, fill))
                }
                defer { sessions.noteEnd(of: method, request.bytes) }
                let reply = try await channel.unary(method, message, options: options)
                // Without a token the call is one that needs none.
                let caller = try? Bearer.token(context.metadata[text: MetadataKey.authorization])
                sessions.noteAnswer(of: method, reply.bytes, to: caller)
                return .encoded(reply)
            }
        case .serverStreaming:
            return .serverStreaming { request, context, replies in
                let options = try await options(method, at: upstream, context)
                try await channel.serverStreaming(method, .encoded(request), options: options) {
                    try await replies.write(.encoded($0))
                }
            }
        case .clientStreaming:
            return .clientStreaming { requests, context in
                let options = try await options(method, at: upstream, context)
                return try await channel.bidirectional(method, options: options) { writer, reader in
                    while let request = try await requests.next() {
                        try await writer.write(.encoded(request))
                    }
                    try await writer.finish()
                    guard let reply = try await reader.next() else {
                        throw Status(.internal, "The service ended without an answer.")
                    }
                    let answer = OutgoingMessage.encoded(reply)
                    while try await reader.next() != nil {}
                    return answer
                }
            }
        case .bidirectional:
            preconditionFailure("no service behind the gateway converses: \(method.path)")
        }
    }

    /// The token whose session a call ends: a sign-out ends the session that makes it, and no
    /// other.
    private func tokenToEnd(
        _ method: MethodDescriptor, _ context: CallContext
    ) throws -> String? {
        guard Routes.tokenFillers[method] != nil else { return nil }
        return try Bearer.token(context.metadata[text: MetadataKey.authorization])
    }

    /// A request with a token, whatever the caller has put there.
    private static func filled(
        _ request: [UInt8], _ token: String, _ fill: ([UInt8], String) throws -> [UInt8]
    ) throws(Status) -> [UInt8] {
        do {
            return try fill(request, token)
        } catch {
            throw Status(.invalidArgument, "The request cannot be read.")
        }
    }

    /// What accompanies a call that is handed on: what the client sent, without any claim of who
    /// it is, and what its session says of it.
    private func options(
        _ method: MethodDescriptor, at upstream: Backend, _ context: CallContext
    ) async throws(Status) -> CallOptions {
        guard publicPaths.contains(method.path) else {
            throw Status.forbidden("\(method.path) is for services alone.")
        }
        var metadata = context.metadata
        let authorization = metadata[text: MetadataKey.authorization]
        metadata.removeAll(MetadataKey.authorization)
        metadata.removeAll(MetadataKey.principal)
        if countedPaths.contains(method.path) {
            do throws(Problem) {
                try openCalls.admit(from: context.peer.description)
            } catch {
                throw error.status
            }
        }
        if !Routes.openMethods.contains(method) {
            do {
                let token = try Bearer.token(authorization)
                let session = try await sessions.session(
                    of: token, requestID: RequestIdentifier.of(metadata))
                metadata[bytes: MetadataKey.principal] = try sessions.principal(
                    of: session, calling: method, at: upstream)
            } catch let problem as Problem {
                throw problem.status
            } catch {
                throw Status(thrown: error)
            }
        }
        // The deadline of the call being handled shortens this one.
        return CallOptions(
            timeout: method.kind == .unary ? Deadline.timeoutMax : nil, metadata: metadata,
            trailingMetadata: context.trailingMetadata)
    }
}

/// Leaves methods as they are: the handlers of ``RPCPort`` find out themselves who calls, by
/// session; no process is believed here.
struct OwnAuthentication: ServerInterceptor {
    func intercept(_ method: RegisteredMethod) -> RegisteredMethod { method }
}

extension Problem {
    /// The problem as the status of a call.
    var status: Status {
        let kind: Status.Code =
            switch httpStatus {
            case 400, 422: .invalidArgument
            case 401: .unauthenticated
            case 403: .permissionDenied
            case 404: .notFound
            case 409, 412: .failedPrecondition
            case 413, 429: .resourceExhausted
            case 499: .cancelled
            case 501: .unimplemented
            case 503: .unavailable
            case 504: .deadlineExceeded
            default: .internal
            }
        var details: [StatusDetail] = [
            .errorInfo(reason: code, domain: errorDomain, metadata: [:])
        ]
        if let seconds = fields["Retry-After"].flatMap({ Int64($0) }) {
            details.append(.retryInfo(delay: .seconds(seconds)))
        }
        return Status(kind, message, details: details)
    }
}
