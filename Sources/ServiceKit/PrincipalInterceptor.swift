public import RPC
internal import RPCServices

/// Finds out who calls, before any handler runs.
public struct PrincipalInterceptor: ServerInterceptor {
    /// What a method asks of its caller.
    private enum Need {
        case required
        case optional
    }

    /// The services that need no principal anywhere, since they are asked before anything else can
    /// be; and the one that decides for itself who needs one.
    private static let openServices: Set<String> = [
        ServiceHealth.serviceName, ServiceReflection.serviceName, ServiceIntrospection.serviceName,
    ]

    private let verifier: PrincipalVerifier
    private let clock: WallClock
    private let openMethods: Set<MethodDescriptor>

    /// An interceptor.
    ///
    /// - Parameters:
    ///   - verifier: Believes or refuses what callers say.
    ///   - clock: Tells when the call arrived.
    ///   - openMethods: The methods that need no principal; health and reflection need none
    ///     anywhere, and introspection decides for itself.
    public init(
        verifier: PrincipalVerifier, clock: WallClock = .system,
        openMethods: Set<MethodDescriptor> = []
    ) {
        self.verifier = verifier
        self.clock = clock
        self.openMethods = openMethods
    }

    /// The method with the check before its handler.
    public func intercept(_ method: RegisteredMethod) -> RegisteredMethod {
        let need: Need = isOpen(method.descriptor) ? .optional : .required
        return method.wrapped { context in
            try identify(&context, need)
        }
    }

    private func isOpen(_ method: MethodDescriptor) -> Bool {
        Self.openServices.contains(method.service) || openMethods.contains(method)
    }

    private func identify(_ context: inout CallContext, _ need: Need) throws(Status) {
        let now = clock.now()
        if let signed = context.metadata[bytes: MetadataKey.principal] {
            context[CallFacts.Key.self] = CallFacts(
                principal: try verifier.verify(signed, at: now), now: now)
            return
        }
        guard case .optional = need else { throw Status.unauthenticated() }
        context[CallFacts.Key.self] = CallFacts(principal: nil, now: now)
    }
}
