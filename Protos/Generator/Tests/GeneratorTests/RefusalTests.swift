import Testing

@testable import protoc_gen_guildhall

/// What the generator refuses, with the sentence that says so.
@Suite struct RefusalTests {
    private func refusal(_ body: String, syntax: String = "proto3") throws -> String? {
        try Generation(body, syntax: syntax).refusal
    }

    @Test func `an ordinary file is accepted`() throws {
        #expect(try refusal("message Tree { repeated Leaf leaves = 1; } message Leaf {}") == nil)
    }

    @Test func `a type within another may be named like one of the library's`() throws {
        #expect(try refusal("message Order { enum Status { STATUS_NEW = 0; } }") == nil)
    }

    @Test(arguments: [
        ("message Tree { repeated Tree children = 1; }", "recursive: test.v1.Tree → test.v1.Tree"),
        ("message A { B b = 1; } message B { map<string, A> a = 1; }", "recursive"),
        ("message A { enum B { B_X = 0; } B b = 1; oneof b_ { int32 c = 2; } }", "named b"),
        ("message A { message Kind {} oneof kind { Kind k = 1; } }", "same name in Swift"),
        ("message String {}", "\"String\" is taken in Swift"),
        ("message HealthClient {} service Health {}", "also the Swift name of"),
        ("enum Color { RED = 0; }", "must begin with COLOR_"),
        ("enum E { option allow_alias = true; E_A = 0; E_B = 0; }", "two names for one number"),
        ("enum E { E_1 = 0; }", "cannot be a case"),
        ("message MessageStream {}", "is taken in Swift"),
        ("message RequestStream {}", "is taken in Swift"),
        ("message Result {}", "is taken in Swift"),
        ("message Status {}", "is taken in Swift"),
        (
            "message A { option deprecated = true; } message DeprecatedA {}",
            "\"DeprecatedA\" is also the Swift name of test.v1.A"
        ),
        (
            "message A { int32 old = 1 [deprecated = true]; int32 old_storage = 2; }",
            "two fields are named oldStorage"
        ),
        ("message SynchronousAService {} service A {}", "also the Swift name of"),
        (
            "import \"google/protobuf/struct.proto\"; message A { google.protobuf.Struct a = 1; }",
            "google.protobuf.Struct: this type holds itself, to any depth"
        ),
        (
            "import \"google/protobuf/struct.proto\"; message A { google.protobuf.Value a = 1; }",
            "google.protobuf.Value: this type holds itself"
        ),
        (
            "import \"google/protobuf/struct.proto\";"
                + " message A { repeated google.protobuf.ListValue a = 1; }",
            "google.protobuf.ListValue: this type holds itself"
        ),
        (
            "import \"google/protobuf/type.proto\"; message A { google.protobuf.Field a = 1; }",
            "this type of google.protobuf is not supported"
        ),
    ])
    func `what is not supported is refused`(body: String, sentence: String) throws {
        let refusal = try #require(try refusal(body))

        #expect(refusal.contains(sentence), "\(refusal)")
    }

    @Test(arguments: [
        ("rpc M(stream A) returns (A)", "get: \"/a\""),
        ("rpc M(A) returns (stream A)", "get: \"/a\""),
        ("rpc M(stream A) returns (stream A)", "post: \"/a\" body: \"*\""),
        ("rpc M(stream A) returns (A)", "post: \"/a\" body: \"*\""),
    ])
    func `a method that streams has no HTTP route`(method: String, rule: String) throws {
        let refusal = try refusal(
            """
            import "google/api/annotations.proto";
            message A {}
            service S { \(method) { option (google.api.http) = { \(rule) }; } }
            """)

        #expect(
            refusal == "test.v1.S.M: a method that streams can have an HTTP route for files alone")
    }

    @Test(arguments: ["test.v1.T", "S", "test.v1.Streams"])
    func `a synchronous form of what has no unary method is refused`(name: String) throws {
        let refusal = try Generation(
            """
            message A {}
            service S { rpc M(A) returns (A); }
            service Streams { rpc M(stream A) returns (A); }
            """, parameter: "synchronous=test.v1.S,synchronous=\(name)"
        ).refusal

        #expect(
            refusal == "\(name): the parameter synchronous names no service with unary methods")
    }

    @Test func `proto2 is refused`() throws {
        let refusal = try refusal("message A { optional group G = 1 {} }", syntax: "proto2")

        #expect(refusal == "test.proto: only proto3 is supported")
    }

    @Test(arguments: [
        ("parent_id", "parentID"), ("id", "id"), ("url", "url"), ("asset_urls", "assetURLs"),
        ("is_default", "isDefault"), ("ACADEMIC_K12", "academicK12"), ("API", "api"),
    ])
    func `names read as Swift`(proto: String, swift: String) {
        #expect(Names.lowerCamel(proto) == swift)
    }

    @Test(arguments: [
        ("GetOrganization", "getOrganization"), ("URLOf", "urlOf"), ("Watch", "watch"),
    ])
    func `methods read as Swift`(proto: String, swift: String) {
        #expect(Names.lowerFirst(proto) == swift)
    }
}
