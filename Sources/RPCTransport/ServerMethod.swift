import RPC

/// A method with what its server decides about each of its calls once.
final class ServerMethod: Sendable {
    let descriptor: MethodDescriptor
    /// Its place among the methods of the server.
    let position: Int
    let handler: MethodHandler
    let lane: Admission.Lane
    /// How many of its calls may be suspended at once; nil for streams and reserved services.
    let limiter: MethodLimiter?
    let isStream: Bool
    let streamsRequests: Bool
    /// The largest of its requests.
    let requestBytesMax: Int

    init(
        _ method: RegisteredMethod, at position: Int, isReserved: Bool, isOfEveryServer: Bool,
        limits: RPCServerConfiguration.Limits
    ) {
        self.position = position
        descriptor = method.descriptor
        handler = method.handler
        let kind = method.handler.kind
        isStream = kind != .unary
        streamsRequests = kind == .clientStreaming || kind == .bidirectional
        lane =
            switch (isReserved, isStream) {
            case (false, false): .unary
            case (false, true): .stream
            case (true, false): .reserved
            case (true, true): isOfEveryServer ? .reservedStream : .operatorStream
            }
        requestBytesMax =
            method.descriptor.isBulk
            ? limits.frameBytesMax : min(limits.requestBytesMax, limits.frameBytesMax)
        limiter = lane == .unary ? MethodLimiter(limits) : nil
    }
}

/// The methods of a server, by number and by path.
final class ServerMethods: Sendable {
    private let router: Router
    /// Those that the server announces, by their numbers less one.
    let announced: [ServerMethod]

    init(_ router: Router, _ configuration: RPCServerConfiguration) {
        self.router = router
        announced = router.methods.enumerated().map { position, method in
            ServerMethod(
                method, at: position,
                isReserved: configuration.reserves(method.descriptor),
                isOfEveryServer: RPCServerConfiguration.servicesOfEveryServer
                    .contains(method.descriptor.service),
                limits: configuration.limits)
        }
    }

    /// Whether the requests of any of them may be large.
    var hasBulk: Bool { announced.contains { $0.descriptor.isBulk } }

    /// The method that an opening names.
    ///
    /// - Throws: `UNIMPLEMENTED` when there is none.
    subscript(reference: MethodReference) -> ServerMethod {
        get throws(Status) { announced[try router.position(of: reference)] }
    }
}
