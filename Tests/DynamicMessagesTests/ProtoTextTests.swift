import DynamicMessages
import Testing

/// Declarations are written as .proto files have them.
@Suite struct ProtoTextTests {
    private let schema: Schema

    init() throws {
        schema = try Fixtures.kinds()
    }

    @Test func `a service with its methods and comments`() throws {
        var text = ProtoText(schema)
        text.add(try #require(schema.services["guildhall.kinds.v1.Grower"]))

        #expect(
            text.text == """
                // kinds.proto
                package guildhall.kinds.v1;

                // Answers kinds.
                service Grower {
                  // Grows one.
                  rpc Grow(Kinds) returns (Kinds.Leaf) {
                    option idempotency_level = NO_SIDE_EFFECTS;
                  }
                  rpc GrowMany(stream Kinds) returns (stream Kinds.Leaf);
                }
                """)
    }

    @Test func `a message with choices, maps, and what is declared in it`() throws {
        var text = ProtoText(schema)
        text.add(types: ["guildhall.kinds.v1.Kinds.Leaf"])
        let lines = text.text.split(separator: "\n").map(String.init)

        for line in [
            "// Holds one of each.", "message Kinds {", "  // A text,", "  // in two lines.",
            "  string text_of_many_words = 14;", "  Kinds.Leaf leaf = 17 [deprecated = true];",
            "  string renamed = 18 [json_name = \"other-name\"];",
            "  optional int32 optional_int32 = 20;", "  repeated int64 int64s = 30;",
            "  map<int32, Kinds.Leaf> leaves_by_number = 41;", "  oneof choice {",
            "    int32 chosen_number = 50;", "  google.protobuf.Any any = 66;", "  enum Color {",
            "    COLOR_NEGATIVE = -1;", "  message Leaf {", "    sint32 weight = 2;",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        #expect(!text.text.contains("message Any"))
    }

    @Test(arguments: [
        ("optionalTxet", "optionalText"), ("GetOrganisation", "GetOrganization"), ("x", nil),
        ("COLOR_DEAP_BLUE", "COLOR_DEEP_BLUE"),
    ])
    func `a name that does not exist is guessed`(name: String, expected: String?) {
        let names = ["optionalText", "GetOrganization", "COLOR_DEEP_BLUE", "ListOrganizations"]

        #expect(NearName.nearest(to: name, among: names) == expected)
    }

    @Test func `files that lack what they import describe nothing`() throws {
        #expect(throws: SchemaFault.self) { try Schema(files: [[0x0A]]) }
    }
}
