import Foundation
import Testing

@testable import protoc_gen_guildhall

/// The OpenAPI document that the generator makes.
@Suite struct OpenAPITests {
    private static let things = """
        import "google/api/annotations.proto";
        import "google/protobuf/field_mask.proto";
        import "google/protobuf/timestamp.proto";
        import "guildhall/http/v1/annotations.proto";
        enum Color {
          COLOR_UNSPECIFIED = 0;
          // As a tomato.
          COLOR_RED = 1;
        }
        // Something.
        message Thing {
          // Never reused.
          string id = 1;
          int64 count = 2;
          optional int32 size = 3;
          google.protobuf.Timestamp made_at = 4;
          Color color = 5;
          repeated Part parts = 6;
          map<string, bool> marks = 7;
          bytes picture = 8;
          string etag = 9;
        }
        message Part { string name = 1; }
        message UpdateThingRequest {
          Thing thing = 1;
          google.protobuf.FieldMask update_mask = 2;
        }
        message GetThingRequest { string id = 1; Part only = 2; repeated Color colors = 3; }
        message PaintThingRequest { string id = 1; Color color = 2; Part part = 3; }
        message SignOutRequest {
          string token = 1 [(guildhall.http.v1.session_token) = true];
          bool everywhere = 2;
        }
        message Piece { string name = 1; string content_type = 2; bytes data = 3; }
        // Things of all kinds.
        service Things {
          // Answers a thing. In its last state.
          rpc GetThing(GetThingRequest) returns (Thing) {
            option (guildhall.http.v1.open) = true;
            option (google.api.http) = { get: "/things/{id}" };
          }
          rpc UpdateThing(UpdateThingRequest) returns (Thing) {
            option idempotency_level = IDEMPOTENT;
            option (google.api.http) = { patch: "/things/{thing.id}" body: "thing" };
          }
          rpc PaintThing(PaintThingRequest) returns (Part) {
            option (guildhall.http.v1.replaces) = "color";
            option (google.api.http) = { put: "/things/{id}/color" body: "*" };
          }
          rpc SignOut(SignOutRequest) returns (Part) {
            option (google.api.http) = { delete: "/sessions/current" };
          }
          rpc Download(GetThingRequest) returns (stream Piece) {
            option (guildhall.http.v1.file_types) = "text/csv";
            option (google.api.http) = { get: "/things/{id}/file" };
          }
          rpc Hidden(Part) returns (Part);
        }
        """

    private let document: [String: Any]

    init() throws {
        let text = try Generation(Self.things).file("gateway/OpenAPIDocument.swift")
        let start = try #require(text.range(of: "##\"\"\"\n")?.upperBound)
        let end = try #require(text.range(of: "\n\"\"\"##")?.lowerBound)
        let json = try JSONSerialization.jsonObject(with: Data(text[start..<end].utf8))
        document = try #require(json as? [String: Any])
    }

    /// What stands at a path of names and positions, as JSON with sorted names.
    private func part(_ path: String...) throws -> String {
        var value: Any = document
        for name in path {
            if let list = value as? [Any], let position = Int(name) {
                try #require(list.indices.contains(position), "\(path)")
                value = list[position]
            } else {
                let members = try #require(value as? [String: Any], "\(path)")
                value = try #require(members[name], "\(path): there is no \(name)")
            }
        }
        return String(
            decoding: try JSONSerialization.data(
                withJSONObject: value,
                options: [.sortedKeys, .fragmentsAllowed, .withoutEscapingSlashes]),
            as: UTF8.self)
    }

    @Test func `paths are those of the routes, whatever their variables are called`() throws {
        let paths = try #require(document["paths"] as? [String: [String: Any]])

        #expect(
            paths.mapValues { $0.keys.sorted() } == [
                "/things/{id}": ["get", "patch"], "/things/{id}/color": ["put"],
                "/sessions/current": ["delete"], "/things/{id}/file": ["get"],
            ])
    }

    @Test func `comments say what a call does`() throws {
        #expect(try part("paths", "/things/{id}", "get", "summary") == #""Answers a thing""#)
        #expect(
            try part("paths", "/things/{id}", "get", "description")
                == #""Answers a thing. In its last state.""#)
        #expect(
            try part("tags") == #"[{"description":"Things of all kinds.","name":"Things"}]"#)
        #expect(try part("components", "schemas", "Thing", "description") == #""Something.""#)
    }

    @Test(arguments: [
        ("id", #"{"description":"Never reused.","type":"string"}"#),
        ("count", #"{"format":"int64","type":"string"}"#),
        ("size", #"{"format":"int32","type":["integer","null"]}"#),
        ("madeAt", #"{"format":"date-time","type":"string"}"#),
        ("color", ##"{"$ref":"#/components/schemas/Color"}"##),
        ("parts", ##"{"items":{"$ref":"#/components/schemas/Part"},"type":"array"}"##),
        ("marks", #"{"additionalProperties":{"type":"boolean"},"type":"object"}"#),
        ("picture", #"{"contentEncoding":"base64","type":"string"}"#),
    ])
    func `fields have the types of their JSON`(name: String, schema: String) throws {
        #expect(try part("components", "schemas", "Thing", "properties", name) == schema)
    }

    @Test func `an enum is its names`() throws {
        #expect(
            try part("components", "schemas", "Color", "enum")
                == #"["COLOR_UNSPECIFIED","COLOR_RED"]"#)
        #expect(
            try part("components", "schemas", "Color", "description")
                == #""COLOR_RED: As a tomato.""#)
    }

    @Test func `what is not in the path is in the query, or in the body`() throws {
        let names = { (path: String, verb: String) -> [String] in
            let paths = self.document["paths"] as? [String: [String: [String: Any]]]
            let parameters = paths?[path]?[verb]?["parameters"] as? [[String: Any]] ?? []
            return parameters.compactMap { $0["name"] as? String ?? $0["$ref"] as? String }
        }
        let header = "#/components/parameters/"

        #expect(
            names("/things/{id}", "get") == ["id", "only.name", "colors", header + "IfNoneMatch"])
        #expect(
            names("/things/{id}", "patch")
                == ["id", "updateMask", header + "IdempotencyKey", header + "IfMatch"])
        #expect(names("/things/{id}/color", "put") == ["id"])
        #expect(names("/sessions/current", "delete") == ["everywhere"])
        #expect(
            try part("components", "schemas", "PaintThingRequest") == ##"""
                {"properties":{"color":{"$ref":"#/components/schemas/Color"},\##
                "part":{"$ref":"#/components/schemas/Part"}},"required":["color"],\##
                "type":"object"}
                """##)
    }

    @Test func `a file has its type, and no schema`() throws {
        #expect(
            try part("paths", "/things/{id}/file", "get", "responses", "200", "content")
                == #"{"text/csv":{}}"#)
    }

    @Test func `a session is needed but for what is open`() throws {
        #expect(try part("security") == #"[{"session":[]}]"#)
        #expect(try part("paths", "/things/{id}", "get", "security") == "[]")
        #expect(try part("components", "securitySchemes", "session", "scheme") == #""bearer""#)
    }

    @Test func `what is only answered has every field that is not optional`() throws {
        let answered = try Generation(
            """
            import "google/api/annotations.proto";
            message A { string id = 1; }
            message B { string one = 1; optional string two = 2; repeated A three = 3; A four = 4; }
            service S { rpc M(A) returns (B) { option (google.api.http) = { get: "/a" }; } }
            """
        ).file("gateway/OpenAPIDocument.swift")

        let names = answered.split(separator: "\"required\": [").dropFirst()
            .map { $0.prefix { $0 != "]" }.filter { !$0.isWhitespace } }
        #expect(names.contains(#""one","three""#), "\(names)")
    }

    @Test func `one request that two paths leave different fields is refused`() throws {
        let refusal = try Generation(
            """
            import "google/api/annotations.proto";
            message A { string id = 1; string name = 2; }
            service S {
              rpc M(A) returns (A) { option (google.api.http) = { post: "/a/{id}" body: "*" }; }
              rpc N(A) returns (A) { option (google.api.http) = { post: "/b/{name}" body: "*" }; }
            }
            """
        ).refusal

        #expect(refusal == "test.v1.A: two routes leave different fields of it to their paths")
    }
}
