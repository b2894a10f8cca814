import RPC

/// A method with what its server decides about each of its calls once.
final class ServerMethod: Sendable {
    let descriptor: MethodDescriptor
    /// Its place among the methods that the server announces; nil for one that a fallback made.
    let position: Int?
    let handler: MethodHandler
    let lane: Admission.Lane
    /// How many of its calls may be suspended at once; nil for streams and reserved services.
    let limiter: MethodLimiter?
    let isStream: Bool
    let streamsRequests: Bool

    init(
        _ method: RegisteredMethod, at position: Int? = nil, isReserved: Bool,
        limiter: MethodLimiter? = nil
    ) {
        self.position = position
        descriptor = method.descriptor
        handler = method.handler
        let kind = method.handler.kind
        isStream = kind != .unary
        streamsRequests = kind == .clientStreaming || kind == .bidirectional
        lane = isReserved ? .reserved : isStream ? .stream : .unary
        self.limiter = lane == .unary ? limiter : nil
    }
}

/// The methods of a server, by number and by path.
final class ServerMethods: Sendable {
    private let router: Router
    private let reservedServices: Set<String>
    /// Those that the server announces, by their numbers less one.
    let announced: [ServerMethod]
    private let byPath: [String: ServerMethod]

    init(_ router: Router, _ configuration: RPCServerConfiguration) {
        self.router = router
        let reservedServices = configuration.reservedServices
        self.reservedServices = reservedServices
        announced = router.methods.enumerated().map { position, method in
            ServerMethod(
                method, at: position,
                isReserved: reservedServices.contains(method.descriptor.service),
                limiter: MethodLimiter(configuration.limits))
        }
        byPath = Dictionary(announced.map { ($0.descriptor.path, $0) }) { first, _ in first }
    }

    /// The method with an announced number; nil when none has it.
    subscript(announced number: UInt32) -> ServerMethod? {
        let position = Int(number) - 1
        return announced.indices.contains(position) ? announced[position] : nil
    }

    /// The method that an opening names.
    ///
    /// - Throws: `UNIMPLEMENTED` when there is none.
    subscript(reference: MethodReference) -> ServerMethod {
        get throws(Status) {
            switch reference {
            case .number(let number):
                if let method = self[announced: number] { return method }
                return made(of: try router.method(number: number))
            case .path(let path):
                if let method = byPath[path] { return method }
                return made(of: try router.method(at: path))
            }
        }
    }

    /// A method that the router makes for a path of its own accord.
    private func made(of method: RegisteredMethod) -> ServerMethod {
        ServerMethod(method, isReserved: reservedServices.contains(method.descriptor.service))
    }
}
