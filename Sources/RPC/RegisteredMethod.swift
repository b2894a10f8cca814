/// Runs one method: decodes its request, calls the service, hands back its reply.
public enum MethodHandler: Sendable {
    /// One request, one reply.
    case unary(@Sendable (any Payload, CallContext) async throws -> OutgoingMessage)
    /// One request, one reply, and never a wait: for reads of what is in memory.
    ///
    /// It runs on the thread that reads the connections, and holds all of them up while it runs.
    case synchronous(@Sendable (any Payload, CallContext) throws -> OutgoingMessage)
    /// One request, any number of replies.
    case serverStreaming(@Sendable (any Payload, CallContext, ReplyWriter) async throws -> Void)
    /// Any number of requests, one reply.
    case clientStreaming(@Sendable (MessageReader, CallContext) async throws -> OutgoingMessage)
    /// Any number of requests and of replies, in any order.
    case bidirectional(@Sendable (MessageReader, CallContext, ReplyWriter) async throws -> Void)

    /// How many messages travel each way.
    public var kind: MethodDescriptor.Kind {
        switch self {
        case .unary, .synchronous: .unary
        case .serverStreaming: .serverStreaming
        case .clientStreaming: .clientStreaming
        case .bidirectional: .bidirectional
        }
    }
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
