/// The parts of the OpenAPI document that are the same for every route.
enum OpenAPIParts {
    /// The parameters of header fields that a route takes.
    static func header(of route: Routes.Route) -> [JSONDocument] {
        let method = route.method
        let changes = method.options.idempotencyLevel == .idempotent
        let hasTag = method.outputType.hasTag && !method.serverStreaming
        var names: [String] = []
        if changes { names.append("IdempotencyKey") }
        if changes, hasTag, route.status == 200 { names.append("IfMatch") }
        if hasTag, route.rule.verb == "GET" { names.append("IfNoneMatch") }
        return names.map { .reference("parameters/\($0)") }
    }

    /// Those header fields.
    static let parameters: JSONDocument = .object([
        "IdempotencyKey": header(
            "Idempotency-Key",
            "1 to 128 visible characters; one is made if there is none.", lengthMax: 128),
        "IfMatch": header(
            "If-Match", "The etag that was seen; another one now is refused with 412."),
        "IfNoneMatch": header("If-None-Match", "The etag that was seen; 304 when it is the same."),
    ])

    private static func header(
        _ name: String, _ sentence: String, lengthMax: Int? = nil
    ) -> JSONDocument {
        .object([
            "name": .text(name), "in": .text("header"), "description": .text(sentence),
            "schema": .object([
                "type": .text("string"), "maxLength": lengthMax.map { .number($0) },
            ]),
        ])
    }

    /// The version of what is answered.
    static let tagHeader: JSONDocument = .object([
        "ETag": .object([
            "description": .text("The etag of what is answered."),
            "schema": .object(["type": .text("string")]),
        ])
    ])

    /// The content of a file: bytes as they are.
    static func file(_ types: [String]) -> JSONDocument {
        .object(
            (types.isEmpty ? ["application/octet-stream"] : types).map { type in
                .init(name: type, value: .object([]))
            })
    }

    /// The answer to whatever is not done.
    static let responses: JSONDocument = .object([
        "Problem": .object([
            "description": .text("It was refused, or failed."),
            "headers": .object([
                "Retry-After": .object([
                    "description": .text("With 429 and 503: when to try again, in seconds."),
                    "schema": .object(["type": .text("integer")]),
                ])
            ]),
            "content": .object([
                "application/json": .object(["schema": .reference("schemas/Problem")])
            ]),
        ])
    ])

    /// The schemas of errors.
    static let schemas: [JSONDocument.Member] = [
        .init(
            name: "Problem",
            value: .object([
                "type": .text("object"),
                "description": .text("What went wrong, and what must change."),
                "properties": .object([
                    "code": text("The code of the domain, such as members_limit_reached."),
                    "message": text("A sentence for a person."),
                    "violations": .object([
                        "type": .text("array"), "items": .reference("schemas/Violation"),
                        "description": .text("Every gate that refused, every field that is wrong."),
                    ]),
                    "requestId": text("The identifier of the request, as in X-Request-Id."),
                    "explainUrl": .object([
                        "type": .list([.text("string"), .text("null")]),
                        "description": .text(
                            "The path at which the refusal is explained; null when none does."),
                    ]),
                ]),
                "required": .list(
                    ["code", "message", "violations", "requestId", "explainUrl"].map {
                        .text($0)
                    }),
            ])),
        .init(
            name: "Violation",
            value: .object([
                "type": .text("object"),
                "description": .text("One thing that must change; facts such as used and cap."),
                "properties": .object([
                    "code": text("The code of the gate; invalid for a field."),
                    "at": text("A field of the request, or the identifier of an organization."),
                    "message": text("What is wrong, in a sentence."),
                ]),
                "required": .list([.text("code"), .text("at")]),
                "additionalProperties": .object([
                    "type": .list([.text("string"), .text("integer")])
                ]),
            ])),
    ]

    private static func text(_ sentence: String) -> JSONDocument {
        .object(["type": .text("string"), "description": .text(sentence)])
    }
}
