import Subprocess
import Testing

/// `guildhall describe` against a server that it knows nothing of.
@Suite struct DescribeTests {
    private func describe(_ name: String?) async throws -> Executable.Ending {
        var ending: Executable.Ending?
        try await Stall.open { _, target in
            ending = try await Executable.run(
                ["describe", "--target", target] + [name].compactMap(\.self))
        }
        return try #require(ending)
    }

    @Test func `without a name every service is printed`() async throws {
        let text = try await describe(nil).output

        for line in [
            "service Health {", "service Reflection {", "service Organizations {",
            "service Grower {", "package guildhall.rpc.v1;",
            "  // Answers one organization.",
            "  rpc GetOrganization(GetOrganizationRequest) returns (Organization) {",
            "    option (google.api.http) = {get: \"/v1/organizations/{id}\"};",
            "    option idempotency_level = NO_SIDE_EFFECTS;",
        ] {
            #expect(text.contains("\(line)\n"), "\(line)")
        }
        // Linked into the program, but not served here.
        #expect(!text.contains("service Partners"))
    }

    @Test func `a method is printed with the messages that it takes and answers`() async throws {
        let text = try await describe("Organizations/GetOrganization").output

        for line in [
            "message GetOrganizationRequest {", "message Organization {", "message PathElement {",
            "enum OrganizationCategory {", "  // UUIDv7 text; never reused.",
            "  google.protobuf.Timestamp created_at = 12;",
        ] {
            #expect(text.contains("\(line)\n"), "\(line)")
        }
        #expect(!text.contains("CreateOrganizationRequest"))
    }

    @Test(arguments: [
        ("EmailMask", "message EmailMask {"),
        ("guildhall.rpc.v1.ServingState", "enum ServingState {"),
        ("Health", "service Health {"), ("Grow", "rpc Grow(Kinds) returns (Kinds.Leaf) {"),
        ("google.protobuf.Timestamp", "message Timestamp {"),
    ])
    func `a name may be a message, an enum, a service or a method`(
        name: String, line: String
    ) async throws {
        let ending = try await describe(name)

        #expect(ending.output.contains(line), "\(ending.error)")
    }

    @Test func `a name that does not exist is guessed`() async throws {
        let ending = try await describe("Organisation")

        #expect(ending.status == .exited(64))
        #expect(ending.error.contains("is Organization meant?"), "\(ending.error)")
    }
}
