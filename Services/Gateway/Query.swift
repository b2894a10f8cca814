/// The query of a request target: names with the values that were given for them, in order.
struct Query: Sendable {
    /// One name with its values.
    struct Parameter: Sendable, Hashable {
        let name: String
        var values: [String]
    }

    private(set) var parameters: [Parameter] = []

    /// A query without parameters.
    init() {}

    /// The query in a text such as `pageSize=10&state=MEMBER_STATE_ACTIVE`.
    ///
    /// - Throws: ``Problem`` when an escape is wrong or there are too many parameters.
    init(_ text: some StringProtocol, countMax: Int) throws(Problem) {
        let pairs = text.split(separator: "&")
        guard pairs.count <= countMax else {
            throw .unreadable("query", "There are more than \(countMax) parameters.")
        }
        var positions: [String: Int] = [:]
        for pair in pairs {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0], plusIsSpace: true),
                let value = parts.count == 2
                    ? PercentEncoding.decode(parts[1], plusIsSpace: true) : ""
            else {
                throw .unreadable(
                    String(parts[0].prefix(100)), "The parameter is not encoded well.")
            }
            if let position = positions[name] {
                parameters[position].values.append(value)
            } else {
                positions[name] = parameters.count
                parameters.append(Parameter(name: name, values: [value]))
            }
        }
    }
}
