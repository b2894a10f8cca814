import Encodings
import Testing

@testable import Gateway

extension HTTPClient.Answer {
    /// The body as JSON.
    var json: JSONValue {
        get throws { try JSONValue(parsing: body, depthMax: 32) }
    }

    /// The text of a member of the body.
    func text(_ name: String) throws -> String? {
        guard case .string(let text)? = try json[name] else { return nil }
        return text
    }
}

/// A header that signs Ada in.
let bearer = ["Authorization": "Bearer \(Stage.token)"]

extension [String: String] {
    /// The header with further fields.
    func with(_ name: String, _ value: String) -> [String: String] {
        merging([name: value]) { $1 }
    }
}
