/// Finds the route of a request by its verb and path.
///
/// A literal segment wins over a variable one; of two routes at the same path the verb decides.
struct RouteTable: Sendable {
    /// A route with the values of its variables, by field.
    struct Match: Sendable {
        let route: Route
        let variables: [(field: String, value: String)]
    }

    /// What a look-up ends in.
    enum Outcome: Sendable {
        case found(Match)
        /// The path exists, for other verbs.
        case otherVerbs([String])
        case unknown
    }

    /// A place in the tree of segments.
    private struct Node: Sendable {
        var literals: [String: Node] = [:]
        /// Below a variable, by its verb; the empty one for none.
        var variables: [String: Node] = [:]
        var routes: [String: Route] = [:]
    }

    private var root = Node()

    /// A table; two routes with the same verb and path are a defect.
    init(_ routes: [Route]) {
        for route in routes {
            Self.insert(route, PathTemplate(route.template).segments[...], into: &root)
        }
    }

    private static func insert(
        _ route: Route, _ segments: ArraySlice<PathTemplate.Segment>, into node: inout Node
    ) {
        switch segments.first {
        case nil:
            precondition(node.routes[route.verb] == nil, "\(route.verb) \(route.template) twice")
            node.routes[route.verb] = route
        case .literal(let text):
            insert(route, segments.dropFirst(), into: &node.literals[text, default: Node()])
        case .variable(_, let verb):
            insert(route, segments.dropFirst(), into: &node.variables[verb ?? "", default: Node()])
        }
    }

    /// Finds a route.
    ///
    /// - Parameters:
    ///   - verb: The HTTP method.
    ///   - path: The path of the request target as it was sent, without the query.
    /// - Returns: The route with the values of its variables, or why there is none.
    func route(_ verb: String, _ path: some StringProtocol) -> Outcome {
        guard path.utf8.first == UInt8(ascii: "/") else { return .unknown }
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            .map { String($0) }
        var verbs: Set<String> = []
        let match = Self.search(root, segments[...], []) {
            (routes, values) -> Match? in
            guard let route = routes[verb] else {
                verbs.formUnion(routes.keys)
                return nil
            }
            let fields = PathTemplate(route.template).fields
            return Match(
                route: route, variables: zip(fields, values).map { (field: $0, value: $1) })
        }
        if let match { return .found(match) }
        return verbs.isEmpty ? .unknown : .otherVerbs(verbs.sorted())
    }

    /// The verbs that a path has.
    func verbs(_ path: some StringProtocol) -> [String] {
        // No route has the empty verb.
        if case .otherVerbs(let verbs) = route("", path) { verbs } else { [] }
    }

    private static func search(
        _ node: Node, _ segments: ArraySlice<String>, _ values: [String],
        accept: ([String: Route], [String]) -> Match?
    ) -> Match? {
        guard let segment = segments.first else {
            return node.routes.isEmpty ? nil : accept(node.routes, values)
        }
        let rest = segments.dropFirst()
        if let below = node.literals[segment],
            let match = search(below, rest, values, accept: accept)
        {
            return match
        }
        let parts = segment.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty,
            let below = node.variables[parts.count == 2 ? String(parts[1]) : ""],
            parts.count == 1 || !parts[1].isEmpty,
            let value = PercentEncoding.decode(name)
        else { return nil }
        return search(below, rest, values + [value], accept: accept)
    }
}
