import Foundation
import FoundationNetworking
import Testing

/// The HTTP API as a client sees it.
struct API: Sendable {
    /// One answer.
    struct Answer: Sendable {
        let status: Int
        let body: JSON
        let headers: [String: String]
        let data: Data
    }

    let url: URL
    var token: String?
    private let session = URLSession(configuration: .ephemeral)

    /// The API of an installation, signed in as its owner.
    init(_ installation: RunningInstallation) async throws {
        self.url = try #require(installation.url)
        let answer = try await post(
            "/v1/sessions",
            [
                "email": .text(installation.owner.email),
                "password": .text(installation.owner.password),
            ])
        try #require(answer.status == 201, "\(answer.body)")
        let token: String = try #require(answer.body.token.string)
        self.token = token
    }

    func get(_ path: String) async throws -> Answer {
        try await call("GET", path)
    }

    func post(
        _ path: String, _ members: [String: JSON] = [:], key: String? = nil
    ) async throws -> Answer {
        try await call("POST", path, json: .object(members), key: key)
    }

    func patch(_ path: String, _ members: [String: JSON]) async throws -> Answer {
        try await call("PATCH", path, json: .object(members))
    }

    func call(
        _ verb: String, _ path: String, json: JSON? = nil, body: Data? = nil, key: String? = nil,
        contentType: String = "application/json"
    ) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: path, relativeTo: url)))
        request.httpMethod = verb
        request.timeoutInterval = 30
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        if let key { request.setValue(key, forHTTPHeaderField: "Idempotency-Key") }
        request.httpBody = try body ?? json.map { try JSONEncoder().encode($0) }
        if request.httpBody != nil {
            request.setValue(contentType, forHTTPHeaderField: "Content-Type")
        }
        let (data, response) = try await session.data(for: request)
        let answer = try #require(response as? HTTPURLResponse)
        var headers: [String: String] = [:]
        for (name, value) in answer.allHeaderFields {
            headers["\(name)".lowercased()] = "\(value)"
        }
        return Answer(
            status: answer.statusCode,
            body: (try? JSONDecoder().decode(JSON.self, from: data)) ?? .absent,
            headers: headers, data: data)
    }
}

extension JSON: Encodable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int) { self = .number(Double(value)) }
    init(arrayLiteral values: JSON...) { self = .array(values) }
    init(dictionaryLiteral members: (String, JSON)...) {
        self = .object(Dictionary(members, uniquingKeysWith: { _, last in last }))
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .absent: try container.encodeNil()
        case .flag(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .object(let members): try container.encode(members)
        }
    }
}
