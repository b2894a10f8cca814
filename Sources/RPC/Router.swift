/// Runs one method: decodes its request, calls the service, hands back its reply.
public enum MethodHandler: Sendable {
    /// One request, one reply.
    case unary(@Sendable (any Payload, CallContext) async throws -> OutgoingMessage)
    /// One request, any number of replies.
    case serverStreaming(@Sendable (any Payload, CallContext, ReplyWriter) async throws -> Void)
}

/// A method with its handler.
public struct RegisteredMethod: Sendable {
    /// The method as declared.
    public let descriptor: MethodDescriptor
    /// What runs when it is called.
    public let handler: MethodHandler

    /// A method with its handler.
    public init(_ descriptor: MethodDescriptor, _ handler: MethodHandler) {
        self.descriptor = descriptor
        self.handler = handler
    }
}

/// Finds the handler of a call by the method's path.
public struct Router: Sendable {
    /// The methods, each with the number that a server announces for it: its position plus one.
    public private(set) var methods: [RegisteredMethod] = []
    private var positions: [String: Int] = [:]
    private let interceptors: [any ServerInterceptor]
    /// Serves calls of methods that are not registered; a router of other servers needs it.
    private let fallback: (@Sendable (String) -> RegisteredMethod?)?

    /// A router.
    ///
    /// - Parameters:
    ///   - services: The methods of each service, as generated.
    ///   - interceptors: Run around every call, the first outermost.
    ///   - fallback: Finds a handler for a path that no service has.
    public init(
        services: [[RegisteredMethod]], interceptors: [any ServerInterceptor] = [],
        fallback: (@Sendable (String) -> RegisteredMethod?)? = nil
    ) {
        self.interceptors = interceptors
        self.fallback = fallback
        for method in services.joined() {
            precondition(
                positions[method.descriptor.path] == nil,
                "two services registered \(method.descriptor.path)")
            positions[method.descriptor.path] = methods.count
            methods.append(intercepted(method))
        }
    }

    /// The method with a path, such as `guildhall.rpc.v1.Health/Check`.
    ///
    /// - Throws: ``Status/Code/unimplemented`` when there is none.
    public func method(at path: String) throws(Status) -> RegisteredMethod {
        if let position = positions[path] { return methods[position] }
        if let found = fallback?(path) { return intercepted(found) }
        throw Status(.unimplemented, "This server has no method \(path.prefix(200)).")
    }

    /// The method with an announced number.
    ///
    /// - Throws: ``Status/Code/unimplemented`` when there is none.
    public func method(number: UInt32) throws(Status) -> RegisteredMethod {
        guard number >= 1, let position = Int(exactly: number), position <= methods.count else {
            throw Status(.unimplemented, "This server announced no method number \(number).")
        }
        return methods[position - 1]
    }

    private func intercepted(_ method: RegisteredMethod) -> RegisteredMethod {
        interceptors.reversed().reduce(method) { inner, interceptor in
            interceptor.intercept(inner)
        }
    }
}

/// Wraps the methods of a server: logging, metrics, principal and idempotency are interceptors.
///
/// Wrapping happens once, when the router is made; a call then pays for one closure.
public protocol ServerInterceptor: Sendable {
    /// The method with this interceptor around its handler.
    func intercept(_ method: RegisteredMethod) -> RegisteredMethod
}

/// Takes the replies of a server-streaming call.
///
/// Generated service protocols see it as a ``ReplyStream`` of their reply type.
public struct ReplyWriter: Sendable {
    private let send: @Sendable (OutgoingMessage) async throws -> Void

    /// A writer that hands each reply to a closure, which returns when there is room for more.
    public init(_ send: @escaping @Sendable (OutgoingMessage) async throws -> Void) {
        self.send = send
    }

    /// Sends a reply; returns when the receiver has room for another.
    ///
    /// - Throws: `CancellationError` or ``Status`` when the call is over.
    public func write(_ reply: OutgoingMessage) async throws {
        try await send(reply)
    }
}

/// Takes the typed replies of a server-streaming call.
public struct ReplyStream<Value: Message>: Sendable {
    private let writer: ReplyWriter

    /// A typed view of a writer.
    public init(_ writer: ReplyWriter) {
        self.writer = writer
    }

    /// Sends a reply; returns when the receiver has room for another.
    ///
    /// - Throws: `CancellationError` or ``Status`` when the call is over.
    public func write(_ value: Value) async throws {
        try await writer.write(.message(value))
    }
}
