/// Wraps the methods of a server: logging, metrics, tracing and principal are interceptors.
///
/// Wrapping happens once, when the router is made; a call then pays for one closure. Most
/// interceptors are a call of ``RegisteredMethod/wrapped(begin:end:)``.
public protocol ServerInterceptor: Sendable {
    /// The method with this interceptor around its handler.
    func intercept(_ method: RegisteredMethod) -> RegisteredMethod
}

/// Begins and ends every call of a client: credentials, tracing and metrics are interceptors.
///
/// It is the caller's half of what ``RegisteredMethod/wrapped(begin:end:)`` is to a server.
public protocol ClientInterceptor: Sendable {
    /// What is kept from the beginning of a call to its end.
    associatedtype State: Sendable

    /// Called before a call is made; may change its options, wait, or refuse it.
    ///
    /// The deadline of the call begins only after it.
    func begin(_ method: MethodDescriptor, _ options: inout CallOptions) async throws -> State

    /// Called after it; `error` is nil when it went well. An error thrown here takes its place.
    func end(_ state: State, _ method: MethodDescriptor, _ error: (any Error)?) throws
}

extension ClientInterceptor {
    /// Does nothing.
    public func end(_ state: State, _ method: MethodDescriptor, _ error: (any Error)?) throws {}
}

extension RegisteredMethod {
    /// The method with closures before and after its handler, whatever kind it is.
    ///
    /// Both are synchronous: a synchronous handler stays one.
    ///
    /// - Parameters:
    ///   - begin: Runs first; it may refuse the call by throwing, and change its context.
    ///   - end: Runs last, with what `begin` returned and the handler's error or nil. An error
    ///     thrown here takes the place of the handler's.
    /// - Returns: The method, whose handler is of the same kind.
    public func wrapped<State: Sendable>(
        begin: @escaping @Sendable (inout CallContext) throws -> State,
        end: @escaping @Sendable (State, CallContext, (any Error)?) throws -> Void = { _, _, _ in }
    ) -> RegisteredMethod {
        surrounded(by: Wrapping(begin: begin, end: end))
    }

    /// The method with something around its handler, whatever kind it is.
    ///
    /// - Parameter surroundings: What runs around the handler.
    /// - Returns: The method, whose handler is of the same kind.
    public func surrounded(by surroundings: some HandlerSurroundings) -> RegisteredMethod {
        let surrounded: MethodHandler =
            switch handler {
            case .unary(let handler):
                .unary { payload, context in
                    try await surroundings.run(context) { try await handler(payload, $0) }
                }
            case .synchronous(let handler):
                .synchronous { payload, context in
                    try surroundings.runNow(context) { try handler(payload, $0) }
                }
            case .serverStreaming(let handler):
                .serverStreaming { payload, context, replies in
                    try await surroundings.run(context) { try await handler(payload, $0, replies) }
                }
            case .clientStreaming(let handler):
                .clientStreaming { requests, context in
                    try await surroundings.run(context) { try await handler(requests, $0) }
                }
            case .bidirectional(let handler):
                .bidirectional { requests, context, replies in
                    try await surroundings.run(context) { try await handler(requests, $0, replies) }
                }
            }
        return RegisteredMethod(descriptor, surrounded)
    }
}

/// What runs around the handlers of a method, for interceptors to which
/// ``RegisteredMethod/wrapped(begin:end:)`` does not suffice: those that set a task-local value.
///
/// Either function calls the handler once, on the task that it was itself called on, and answers
/// what it answers.
public protocol HandlerSurroundings: Sendable {
    /// Runs a handler.
    func run<Result>(
        _ context: CallContext, _ handler: (CallContext) async throws -> Result
    ) async throws -> Result

    /// Runs a handler that never waits.
    func runNow<Result>(
        _ context: CallContext, _ handler: (CallContext) throws -> Result
    ) throws -> Result
}

/// What runs before and after a handler.
private struct Wrapping<State: Sendable>: HandlerSurroundings {
    let begin: @Sendable (inout CallContext) throws -> State
    let end: @Sendable (State, CallContext, (any Error)?) throws -> Void

    func run<Result>(
        _ context: CallContext, _ body: (CallContext) async throws -> Result
    ) async throws -> Result {
        var context = context
        let state = try begin(&context)
        let result: Result
        do {
            result = try await body(context)
        } catch {
            try end(state, context, error)
            throw error
        }
        try end(state, context, nil)
        return result
    }

    func runNow<Result>(
        _ context: CallContext, _ body: (CallContext) throws -> Result
    ) throws -> Result {
        var context = context
        let state = try begin(&context)
        let result: Result
        do {
            result = try body(context)
        } catch {
            try end(state, context, error)
            throw error
        }
        try end(state, context, nil)
        return result
    }
}

extension Channel {
    /// The channel with an interceptor around every call.
    public func intercepted(by interceptor: any ClientInterceptor) -> any Channel {
        InterceptedChannel(channel: self, interceptor: interceptor)
    }
}

/// A channel with an interceptor around every call.
private struct InterceptedChannel: Channel {
    let channel: any Channel
    let interceptor: any ClientInterceptor

    func unary(
        _ method: MethodDescriptor, _ request: OutgoingMessage, options: CallOptions
    ) async throws -> any Payload {
        try await run(interceptor, method, options) {
            try await channel.unary(method, request, options: $0)
        }
    }

    func serverStreaming(
        _ method: MethodDescriptor, _ request: OutgoingMessage, options: CallOptions,
        onReply: @Sendable (any Payload) async throws -> Void
    ) async throws {
        try await run(interceptor, method, options) {
            try await channel.serverStreaming(method, request, options: $0, onReply: onReply)
        }
    }

    func bidirectional<Result: Sendable>(
        _ method: MethodDescriptor, options: CallOptions,
        _ body: @Sendable (RequestWriter, MessageReader) async throws -> Result
    ) async throws -> Result {
        try await run(interceptor, method, options) {
            try await channel.bidirectional(method, options: $0, body)
        }
    }

    private func run<Interceptor: ClientInterceptor, Result>(
        _ interceptor: Interceptor, _ method: MethodDescriptor, _ options: CallOptions,
        _ body: (CallOptions) async throws -> Result
    ) async throws -> Result {
        var options = options
        let state = try await interceptor.begin(method, &options)
        let result: Result
        do {
            result = try await body(options)
        } catch {
            try interceptor.end(state, method, error)
            throw error
        }
        try interceptor.end(state, method, nil)
        return result
    }
}
