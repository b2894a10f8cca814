import Testing

/// What the generator makes of methods that have HTTP routes: a new one needs no gateway code.
@Suite struct RouteTests {
    private static let imports = """
        import "google/api/annotations.proto";
        import "guildhall/http/v1/annotations.proto";

        """

    /// The table of routes, each route in one line.
    private func routes(_ body: String) throws -> [String] {
        try Generation(Self.imports + body).lines("gateway/Routes.swift")
            .joined(separator: " ").replacing("Route( ", with: "\nRoute(")
            .split(separator: "\n").map(String.init)
    }

    @Test(arguments: [
        ("rpc CreateA(A) returns (A)", "post: \"/a\" body: \"*\"", "", "status: 201"),
        ("rpc M(A) returns (A)", "post: \"/a\" body: \"*\"", "creates = true", "status: 201"),
        ("rpc M(A) returns (A)", "get: \"/a\"", "open = true", "isOpen: true"),
        (
            "rpc M(A) returns (A)", "put: \"/a\" body: \"*\"", "replaces = \"must_be\"",
            "replacedField: ReplacedField(name: \"mustBe\")"
        ),
        (
            "rpc M(A) returns (A)", "put: \"/a\" body: \"*\"", "replaces = \"may_be\"",
            "replacedField: ReplacedField(name: \"mayBe\", mayBeNull: true)"
        ),
        (
            "rpc M(A) returns (A)", "get: \"/a\"", "explained_at = \"must_be\"",
            "explanationPlace: \"mustBe\""
        ),
        (
            "rpc M(D) returns (A)", "patch: \"/a\" body: \"inner\"",
            "explained_at = \"inner.must_be\"", "explanationPlace: \"inner.mustBe\""
        ),
        ("rpc M(B) returns (A)", "get: \"/a\"", "", "explanationPlace: \"organizationId\""),
        (
            "rpc M(stream F) returns (A)", "post: \"/a\" body: \"file\"", "checked_by = \"Check\"",
            "status: 202, check: SMethods.check"
        ),
        ("rpc M(C) returns (A)", "delete: \"/a\"", "", "sessionTokenField: \"token\""),
    ])
    func `what a method says of itself stands in its route`(
        method: String, rule: String, option: String, expected: String
    ) throws {
        let parts = option.split(separator: " = ")
        let annotation =
            parts.isEmpty ? "" : "option (guildhall.http.v1.\(parts[0])) = \(parts[1]);"
        let found = try routes(
            """
            message A { string must_be = 1; optional int32 may_be = 2; }
            message B { string organization_id = 1; }
            message C { string token = 1 [(guildhall.http.v1.session_token) = true]; }
            message D { A inner = 1; }
            message F { string parent = 1; bytes file = 2; }
            message P { string parent = 1; }
            service S {
              rpc Check(P) returns (A);
              \(method) { \(annotation) option (google.api.http) = { \(rule) }; }
              rpc Plain(A) returns (A) { option (google.api.http) = { get: "/plain" }; }
            }
            """)

        let route = try #require(found.first { $0.contains("template: \"/a\"") })
        #expect(route.contains(expected), "\(route)")
        let plain = try #require(found.first { $0.contains("template: \"/plain\"") })
        #expect(plain.contains("reply: Test_V1_A.self),"), "\(plain)")
    }

    @Test func `methods that need no principal, and those that change rights, are listed`() throws {
        let text = try Generation(
            Self.imports + """
                message A { string user_id = 1; }
                message T { string token = 1 [(guildhall.http.v1.session_token) = true]; }
                service S {
                  rpc Open(A) returns (A) { option (guildhall.http.v1.open) = true; }
                  rpc End(T) returns (A);
                  rpc Give(A) returns (A) {
                    option (guildhall.http.v1.changes_rights_of) = "user_id";
                  }
                  rpc Explain(A) returns (A) {
                    option (guildhall.http.v1.explains) = "full";
                    option (guildhall.http.v1.explains_refusals_of) = "Give";
                    option (google.api.http) = { get: "/a/{user_id}:explain" };
                  }
                }
                """
        ).lines("gateway/Routes.swift").joined(separator: "\n")

        #expect(
            text.contains("static let openMethods: Set<MethodDescriptor> = [\nSMethods.open,\n]"))
        #expect(text.contains("SMethods.give: { try Test_V1_A(serializedBytes: $0).userID },"))
        #expect(
            text.contains(
                "SMethods.end: { request, token in\n"
                    + "var request = try Test_V1_T(serializedBytes: request)\n"
                    + "request.token = token\nreturn try request.serializedBytes()\n},"))
        #expect(
            text.contains(
                "Explanation(\ncodes: [\"full\"],\nmethods: [SMethods.give],\n"
                    + "template: \"/a/{user_id}:explain\"),"))
    }

    @Test func `a field that holds names of fields is marked`() throws {
        let shapes = try Generation(
            Self.imports + """
                message A {
                  string plain = 1;
                  repeated string changed = 2 [(guildhall.http.v1.names_fields) = true];
                }
                service S { rpc M(A) returns (A) { option (google.api.http) = { get: "/a" }; } }
                """
        ).file("gateway/ReplyShapes.swift")

        #expect(shapes.contains("name: \"plain\", content: .value(.string(\"\"))),"))
        #expect(shapes.contains("name: \"changed\", content: .list(of: nil), namesFields: true),"))
    }

    @Test(arguments: [
        (
            "rpc M(A) returns (A)", "put: \"/a\" body: \"*\"", "",
            "a PUT names the field that it replaces"
        ),
        (
            "rpc M(A) returns (A)", "put: \"/a\" body: \"*\"",
            "(guildhall.http.v1.replaces) = \"x\"",
            "test.v1.A has no field x"
        ),
        (
            "rpc M(stream F) returns (A)", "post: \"/a\" body: \"file\"", "",
            "a method that takes a file names the one by which it is checked"
        ),
        (
            "rpc M(stream F) returns (A)", "post: \"/a\" body: \"file\"",
            "(guildhall.http.v1.checked_by) = \"Other\"",
            "Other does not ask for the fields of the file's request"
        ),
        (
            "rpc M(A) returns (A)", "get: \"/a\"",
            "(guildhall.http.v1.changes_rights_of) = \"number\"", "test.v1.A.number is no text"
        ),
        (
            "rpc M(A) returns (A)", "get: \"/a\"",
            "(guildhall.http.v1.explained_at) = \"text.x\"", "test.v1.A.text has no field x"
        ),
        (
            "rpc M(L) returns (A)", "post: \"/a\" body: \"*\"",
            "(guildhall.http.v1.explained_at) = \"files.parent\"", "test.v1.L.files is a list"
        ),
        (
            "rpc M(A) returns (A)", "get: \"/a/{text}/{number}\"",
            "(guildhall.http.v1.explains) = \"full\"",
            "the path of an explanation has one variable at most"
        ),
    ])
    func `what the gateway could not do is refused`(
        method: String, rule: String, option: String, sentence: String
    ) throws {
        let refusal = try Generation(
            Self.imports + """
                message A { string text = 1; int32 number = 2; }
                message F { string parent = 1; bytes file = 2; }
                message L { repeated F files = 1; }
                service S {
                  rpc Other(A) returns (A);
                  \(method) {
                    \(option.isEmpty ? "" : "option \(option);")
                    option (google.api.http) = { \(rule) };
                  }
                }
                """
        ).refusal

        #expect(refusal == "test.v1.S.M: \(sentence)")
    }
}
