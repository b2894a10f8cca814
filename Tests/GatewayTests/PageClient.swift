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

    /// What stands between the parts of a form with a file.
    static let boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"

    /// A form with a file as browsers send it.
    static func body(
        _ values: KeyValuePairs<String, String>, file: [UInt8]?, name: String = "schools.csv"
    ) -> [UInt8] {
        var body: [UInt8] = []
        func add(_ head: String, _ content: [UInt8]) {
            body += Array("--\(boundary)\r\nContent-Disposition: form-data; \(head)\r\n\r\n".utf8)
            body += content + Array("\r\n".utf8)
        }
        for (name, value) in values { add("name=\"\(name)\"", Array(value.utf8)) }
        add(
            "name=\"file\"; filename=\"\(file == nil ? "" : name)\"\r\nContent-Type: text/csv",
            file ?? [])
        return body + Array("--\(boundary)--\r\n".utf8)
    }

    /// Sends a form with a file; without one it is as if none was chosen.
    func upload(
        _ path: String, _ values: KeyValuePairs<String, String> = [:], file: [UInt8]?
    ) async throws -> HTTPClient.Answer {
        try await send(path, Self.body(values, file: file))
    }

    /// Sends a body as a form with a file.
    func send(
        _ path: String, _ body: [UInt8],
        type: String = "multipart/form-data; boundary=\(boundary)"
    ) async throws -> HTTPClient.Answer {
        var fields = origin
        fields["Cookie"] = cookie
        fields["Content-Type"] = type
        return try await http.send("POST", path, fields, bytes: body)
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
