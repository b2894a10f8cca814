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
