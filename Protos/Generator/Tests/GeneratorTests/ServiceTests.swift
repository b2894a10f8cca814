import Testing

/// What the generator makes of services.
@Suite struct ServiceTests {
    private static let scales = """
        message A {} message B {}
        service S {
          rpc One(A) returns (B);
          rpc Many(A) returns (stream B);
          rpc Collect(stream A) returns (B);
          rpc Chat(stream A) returns (stream B);
        }
        """

    private func service(_ body: String, parameter: String = "") throws -> String {
        try Generation(body, parameter: parameter).lines("swift/Test+Service.swift")
            .joined(separator: "\n")
    }

    @Test(arguments: [
        "func one(\n_ request: A, _ context: CallContext\n) async throws -> B\n",
        "func many(\n_ request: A, _ context: CallContext,\n_ replies: ReplyStream<B>\n"
            + ") async throws\n",
        "func collect(\n_ requests: MessageStream<A>, _ context: CallContext\n"
            + ") async throws -> B\n",
        "func chat(\n_ requests: MessageStream<A>, _ context: CallContext,\n"
            + "_ replies: ReplyStream<B>\n) async throws\n",
    ])
    func `a server implements a function for each kind of method`(function: String) throws {
        #expect(try service(Self.scales).contains(function))
    }

    @Test(arguments: [
        "public func one(\n_ request: A, options: CallOptions = CallOptions()\n"
            + ") async throws -> B {\n",
        "public func many(\n_ request: A, options: CallOptions = CallOptions(),\n"
            + "onReply: @Sendable (B) async throws -> Void\n) async throws {\n",
        "public func collect(\noptions: CallOptions = CallOptions(),\n"
            + "send: @Sendable (RequestStream<A>) async throws -> Void\n) async throws -> B {\n",
        "public func chat<Result: Sendable>(\noptions: CallOptions = CallOptions(),\n"
            + "_ body: @Sendable (RequestStream<A>, MessageStream<B>) async throws -> Result\n"
            + ") async throws -> Result {\n",
    ])
    func `a client has a function for each kind of method`(function: String) throws {
        #expect(try service(Self.scales).contains(function))
    }

    @Test func `methods tell their kind`() throws {
        let service = try service(Self.scales)

        for (name, kind) in [
            ("One", "unary"), ("Many", "serverStreaming"), ("Collect", "clientStreaming"),
            ("Chat", "bidirectional"),
        ] {
            #expect(service.contains("name: \"\(name)\",\nkind: .\(kind), "))
        }
    }

    @Test func `only a method that is marked takes bulk`() throws {
        let service = try service(
            """
            import "guildhall/rpc/v1/annotations.proto";
            import "google/protobuf/descriptor.proto";
            extend google.protobuf.MethodOptions {
              int32 priority = 52000;
              double ratio = 52001;
            }
            message A {}
            service S {
              rpc One(A) returns (A) { option (guildhall.rpc.v1.bulk) = true; }
              rpc Two(A) returns (A) { option (guildhall.rpc.v1.bulk) = false; }
              rpc Three(A) returns (A) { option (priority) = -1; option (ratio) = 0.5; }
              rpc Many(stream A) returns (A) { option (guildhall.rpc.v1.bulk) = true; }
            }
            """)

        let marks = service.split(separator: "\n").filter { $0.hasPrefix("kind: .") }
        #expect(marks.map { $0.hasSuffix(", isBulk: true)") } == [true, false, false, true])
        #expect(service.contains("self.one(Calls.request(in: payload, limits: .bulk), context)"))
        #expect(service.contains("self.two(Calls.request(in: payload), context)"))
    }

    @Test func `only a service that is named has a synchronous form`() throws {
        let without = try service(Self.scales)
        let with = try service(Self.scales, parameter: "synchronous=test.v1.S")

        #expect(!without.contains("Synchronous"))
        #expect(with.contains("public protocol SynchronousSService: Sendable {"))
        #expect(with.contains("_ request: A, _ context: CallContext\n) throws -> B\n"))
        #expect(
            with.contains(
                "RegisteredMethod(SMethods.one, .synchronous { payload, context in\n"
                    + ".message(try self.one(Calls.request(in: payload), context))\n}),"))
        #expect(
            with.contains("Calls.registered(SMethods.collect) { try await self.collect($0, $1) },"))
    }

    @Test func `of what is deprecated the clients are told`() throws {
        let service = try service(
            """
            message A {}
            service Old { option deprecated = true; rpc M(A) returns (A); }
            service New {
              // Deprecated: call N.
              rpc M(A) returns (A) { option deprecated = true; }
              rpc N(A) returns (A);
            }
            """)

        #expect(
            service.contains(
                "@available(*, deprecated, message: \"test.v1.Old is deprecated in its .proto file."
                    + "\")\npublic struct OldClient"))
        #expect(
            service.contains(
                "@available(*, deprecated, message: \"call N.\")\npublic func m(\n"))
        #expect(service.split(separator: "@available").count == 3, "servers are not")
    }
}
