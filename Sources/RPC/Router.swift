/// Finds the handler of a call by the method's path or number.
public struct Router: Sendable {
    /// The methods, each with the number that a server announces for it: its position plus one.
    public let methods: [RegisteredMethod]
    private let positions: [String: Int]

    /// A router.
    ///
    /// - Parameters:
    ///   - services: The methods of each service, as generated.
    ///   - interceptors: Run around every call, the first outermost.
    public init(
        services: [[RegisteredMethod]], interceptors: [any ServerInterceptor] = []
    ) {
        methods = services.joined().map { method in
            interceptors.reversed().reduce(method) { inner, interceptor in
                interceptor.intercept(inner)
            }
        }
        positions = Dictionary(
            zip(methods.map(\.descriptor.path), methods.indices),
            uniquingKeysWith: { first, second in
                preconditionFailure(
                    "two services registered the method at \(first) again at \(second)")
            })
    }

    /// The method with a path, such as `guildhall.rpc.v1.Health/Check`.
    ///
    /// - Throws: ``Status/Code/unimplemented`` when there is none.
    public func method(at path: String) throws(Status) -> RegisteredMethod {
        methods[try position(of: .path(path))]
    }

    /// The place of a method among ``methods``.
    ///
    /// - Throws: ``Status/Code/unimplemented`` when there is none.
    public func position(of method: MethodReference) throws(Status) -> Int {
        switch method {
        case .path(let path):
            if let position = positions[path] { return position }
            throw Status(.unimplemented, "This server has no method \(path.prefix(200)).")
        case .number(let number):
            let position = Int(number) - 1
            if methods.indices.contains(position) { return position }
            throw Status(.unimplemented, "This server announced no method number \(number).")
        }
    }
}
