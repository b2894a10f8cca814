import DynamicMessages
import Encodings
import Foundation
import RPC
import Subprocess
import Testing

/// `guildhall call` against a server that it knows nothing of.
@Suite struct CallTests {
    private func call(
        _ method: String, _ arguments: String..., at target: String, input: String = ""
    ) async throws -> Executable.Ending {
        try await Executable.run(["call", method, "--target", target] + arguments, input: input)
    }

    @Test func `a unary call prints the reply as JSON and nothing else`() async throws {
        try await Stall.open { stall, target in
            let ending = try await call("GetOrganization", "-d", #"{"id": "o1"}"#, at: target)

            #expect(ending.hasSucceeded, "\(ending.error)")
            #expect(
                ending.output == """
                    {
                      "id": "o1",
                      "title": "Riverside",
                      "category": "ORGANIZATION_CATEGORY_ACADEMIC_K12",
                      "createdAt": "2000-02-29T00:00:00Z",
                      "version": "7"
                    }

                    """)
            #expect(ending.error.isEmpty)
        }
    }

    @Test(arguments: [
        "GetOrganization", "Organizations/GetOrganization",
        "guildhall.organizations.v1.Organizations/GetOrganization",
    ])
    func `a method is found by any of its names`(name: String) async throws {
        try await Stall.open { stall, target in
            let ending = try await call(name, at: target)

            #expect(ending.hasSucceeded, "\(ending.error)")
        }
    }

    @Test func `a request comes from a file or from standard input`() async throws {
        let file = FileManager.default.temporaryDirectory
            .appending(path: "guildhall-\(UUID().uuidString).json")
        try Data(#"{"id": "from a file"}"#.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }

        try await Stall.open { stall, target in
            let first = try await call("GetOrganization", "-d", "@\(file.path)", at: target)
            let second = try await call(
                "GetOrganization", "-d", "-", at: target, input: "{\"id\":\n \"from input\"}\n")

            #expect(first.output.contains("from a file"))
            #expect(second.output.contains("from input"))
        }
    }

    @Test func `a refusal goes to standard error with its details, and ends with 1`() async throws {
        try await Stall.open { stall, target in
            let ending = try await call("GetOrganization", "-d", #"{"id": "missing"}"#, at: target)

            #expect(ending.status == .exited(1))
            #expect(ending.output.isEmpty)
            #expect(
                ending.error == """
                    NOT_FOUND (5): There is no such organization.
                      reason: not_found (guildhall)
                      kind: tree
                      field id: Nobody has it.
                      type.googleapis.com/guildhall.kinds.v1.Kinds.Leaf: {"name":"a"}

                    """)
        }
    }

    @Test(arguments: [
        (["GetOrganisation"], "is GetOrganization meant?"),
        (["GetOrganization", "-d", #"{"ID": "x"}"#], "ID: guildhall.organizations.v1"),
        (["GetOrganization", "-d", "{"], "byte 1"),
        (["GetOrganization", "-H", "no-colon"], "no-colon"),
        (["GetOrganization", "--timeout", "5"], "timeout"),
        (["GetOrganization", "--as", "owner"], "--as and --user need --data"),
        (["GetOrganization", "--data", "/nonexistent"], "no data folder"),
    ])
    func `a slip is told before anything is called`(
        arguments: [String], message: String
    ) async throws {
        try await Stall.open { stall, target in
            let ending = try await Executable.run(["call", "--target", target] + arguments)

            #expect(ending.status == .exited(64))
            #expect(ending.error.contains(message), "\(ending.error)")
            #expect(stall.requests.isEmpty)
        }
    }

    @Test func `a server that is not there ends the call with 1`() async throws {
        let ending = try await call("Check", "--timeout", "1s", at: "127.0.0.1:1")

        #expect(ending.status == .exited(1))
        #expect(ending.error.hasPrefix("UNAVAILABLE (14): "), "\(ending.error)")
    }

    @Test func `metadata is sent, and a changing call gets a key`() async throws {
        try await Stall.open { stall, target in
            let ending = try await call(
                "CreateOrganization", "-d", #"{"title": "Atlas"}"#, "-H", "request-id: r1", "-H",
                "extra-bin:AQI=", at: target)
            _ = try await call(
                "CreateOrganization", "-H", "idempotency-key:mine", at: target)

            #expect(ending.hasSucceeded, "\(ending.error)")
            let metadata = stall.metadata
            try #require(metadata.count == 2)
            #expect(metadata[0][text: "request-id"] == "r1")
            #expect(metadata[0][bytes: "extra-bin"] == [1, 2])
            #expect(metadata[0][text: MetadataKey.idempotencyKey]?.count == 36)
            #expect(metadata[1][text: MetadataKey.idempotencyKey] == "mine")
        }
    }

    @Test func `a watch prints a reply a line until its time is over`() async throws {
        try await Stall.open { stall, target in
            let ending = try await call("Health/Watch", "--timeout", "300ms", at: target)

            #expect(ending.status == .exited(1))
            #expect(ending.output == "{\"state\":\"SERVING_STATE_NOT_SERVING\"}\n")
            #expect(ending.error.hasPrefix("DEADLINE_EXCEEDED (4)"))
        }
    }

    @Test func `requests of a stream are read one a line`() async throws {
        try await Stall.open { stall, target in
            let ending = try await call(
                "GrowMany", at: target,
                input: "{\"int32\": 5}\n\n{\"textOfManyWords\": \"abc\"}\n")

            #expect(ending.hasSucceeded, "\(ending.error)")
            #expect(ending.output == "{\"weight\":2}\n{\"weight\":5}\n")
            #expect(stall.requests == [[0x08, 0x05], [0x72, 0x03, 0x61, 0x62, 0x63]])
        }
    }

    @Test func `defaults are shown on demand`() async throws {
        try await Stall.open { stall, target in
            let ending = try await call("Grow", "--defaults", at: target)

            let json = try JSONValue(parsing: ending.output.utf8)
            #expect(json["name"] == .string(""))
            #expect(json["weight"] == .number("0"))
        }
    }
}
