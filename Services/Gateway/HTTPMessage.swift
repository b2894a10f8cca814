import Encodings

/// An HTTP request as the gateway reads it, whatever server it arrived on.
struct Incoming: Sendable {
    /// The method, such as `GET`.
    let verb: String
    /// The request target as it was sent.
    let target: String
    /// The header fields in order; names in lower case.
    let fields: [(name: String, value: String)]
    /// The address of who is connected, which may be a proxy; nil when it has none.
    var peer: String?
    /// Reads the body, up to a number of bytes.
    let body: @Sendable (_ bytesMax: Int) async throws(Problem) -> [UInt8]

    /// The first value of a header field, named in lower case.
    func field(_ name: String) -> String? {
        fields.first { $0.name == name }?.value
    }

    /// The type of the body without its parameters, in lower case.
    var mediaType: String? {
        field("content-type").map { type in
            type.prefix { $0 != ";" }.filter { !$0.isWhitespace }.lowercased()
        }
    }

    /// The target before the question mark.
    var path: Substring { target.prefix { $0 != "?" } }

    /// The target after the question mark.
    var query: Substring { target.dropFirst(path.count + 1) }
}

/// An HTTP answer.
struct Answer: Sendable {
    var status: Int
    var fields: [String: String] = [:]
    var body: [UInt8] = []
    /// What follows the body: a file in its parts.
    var parts: [[UInt8]] = []
    /// The turn of a file, which ends when the body has been written out.
    var turn: FileTurn?

    /// An answer in JSON that nobody may keep.
    static func json(_ status: Int, _ body: [UInt8]) -> Answer {
        Answer(
            status: status,
            fields: ["Content-Type": "application/json", "Cache-Control": "no-store"], body: body)
    }

    /// The answer that a problem leaves as.
    init(_ problem: Problem, requestID: String) {
        self = .json(problem.httpStatus, problem.body(requestID: requestID))
        fields.merge(problem.fields) { $1 }
        if problem.closesConnection { fields["Connection"] = "close" }
    }

    init(status: Int, fields: [String: String] = [:], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }
}
