import Testing

@testable import Gateway

/// A browser as far as tests of pages need one: it keeps a cookie, and says where forms come from.
struct PageClient: Sendable {
    let http: HTTPClient
    /// The cookie that is sent.
    var cookie: String? = "guildhall-session=\(Stage.token)"
    /// What a browser says of where a form comes from.
    var origin: [String: String] = ["Sec-Fetch-Site": "same-origin"]

    func get(_ path: String) async throws -> HTTPClient.Answer {
        try await http.send("GET", path, cookie.map { ["Cookie": $0] } ?? [:])
    }

    /// Sends a form; a name may stand in it more than once.
    func post(
        _ path: String, _ values: KeyValuePairs<String, String> = [:]
    ) async throws -> HTTPClient.Answer {
        var fields = origin
        fields["Cookie"] = cookie
        fields["Content-Type"] = "application/x-www-form-urlencoded"
        let body = values.map { "\($0)=\(PercentEncoding.encode($1))" }.joined(separator: "&")
        return try await http.send("POST", path, fields, body: body)
    }
}

extension HTTPClient.Answer {
    /// The value of a hidden field of the page.
    func hidden(_ name: String) throws -> String {
        let start = "<input type=\"hidden\" name=\"\(name)\" value=\""
        let rest = try #require(text.firstRange(of: start), "\(name) in \(text)").upperBound
        return String(text[rest...].prefix { $0 != "\"" })
    }

    /// What stands in the place of the page that says what went wrong.
    var alert: String {
        guard let start = text.firstRange(of: #"role="alert">"#)?.upperBound else { return "" }
        let rest = text[start...]
        return String(rest[..<(rest.firstRange(of: "</div>")?.lowerBound ?? rest.endIndex)])
    }
}

extension Stage {
    /// Runs a gateway before a guild, for a browser that is signed in.
    static func visit(
        _ guild: Guild = Guild(), publicURL: String = "http://gateway.test",
        _ body: @escaping @Sendable (PageClient, Guild) async throws -> Void
    ) async throws {
        try await run(guild.methods + exports, publicURL: publicURL) { stage in
            try await body(PageClient(http: stage.http), guild)
        }
    }

    private static let exports = [Guild.export]
}
