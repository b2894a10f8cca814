import InMemoryTracing
import RPC
import RPCTelemetry
import RPCTesting
import RPCTransport
import Testing
import Tracing

@Suite struct `Traces of calls` {
    private let tracer = InMemoryTracer()

    private var interceptor: TracingInterceptor { TracingInterceptor(tracer: tracer) }

    private func channel(_ methods: RegisteredMethod...) -> any Channel {
        InProcessChannel(Router(services: [methods], interceptors: [interceptor]))
            .intercepted(by: interceptor)
    }

    private func span(
        _ kind: SpanKind, _ method: MethodDescriptor = Methods.echo
    ) throws -> FinishedInMemorySpan {
        try #require(
            tracer.finishedSpans.first { $0.kind == kind && $0.operationName == method.path })
    }

    @Test(arguments: [Methods.echo, Methods.quick, Methods.count, Methods.chat])
    func `the server's span lies below the client's`(method: MethodDescriptor) async throws {
        let channel = channel(
            Methods.echoing(), Methods.quick(), Methods.counting(), Methods.chatting)

        try await channel.call(method)

        let (client, server) = (try span(.client, method), try span(.server, method))
        #expect(client.parentSpanID == nil)
        #expect(server.parentSpanID == client.spanID)
        #expect(server.traceID == client.traceID)
        for span in [client, server] {
            #expect(span.attributes.get("rpc.system.name") == "guildhall")
            #expect(span.attributes.get("rpc.method") == .string(method.path))
            #expect(span.attributes.get("rpc.response.status_code") == "OK")
            #expect(span.attributes.get("error.type") == nil)
            #expect(span.status == nil)
        }
        #expect(tracer.activeSpans.isEmpty)
    }

    @Test(arguments: [
        (code: Status.Code.notFound, name: "NOT_FOUND", isServerFault: false),
        (code: Status.Code.unavailable, name: "UNAVAILABLE", isServerFault: true),
    ])
    func `an error marks the client's span, and the server's if it is to blame`(
        code: Status.Code, name: String, isServerFault: Bool
    ) async throws {
        let channel = channel(Methods.echoing { throw Status(code, "No.") })

        await #expect(throws: Status.self) { try await channel.call(Methods.echo) }

        let (client, server) = (try span(.client), try span(.server))
        #expect(client.status == SpanStatus(code: .error, message: "No."))
        #expect(client.attributes.get("error.type") == .string(name))
        #expect(server.status == (isServerFault ? client.status : nil))
        #expect(server.attributes.get("rpc.response.status_code") == .string(name))
    }

    @Test func `the text of an unforeseen error stays out of the trace`() async throws {
        let channel = channel(Methods.quick { throw Secret() })

        await #expect(throws: Status.self) { try await channel.call(Methods.quick) }

        #expect(try span(.server, Methods.quick).status == SpanStatus(code: .error))
    }

    @Test func `a handler runs with the span of its call as the current one`() async throws {
        let channel = channel(
            Methods.echoing { await self.tracer.withSpan("wait") { _ in await Task.yield() } },
            Methods.quick { self.tracer.withSpan("think") { _ in } })

        try await channel.call(Methods.echo)
        try await channel.call(Methods.quick)

        let names = Dictionary(
            tracer.finishedSpans.map { ($0.spanID, "\($0.kind) \($0.operationName)") },
            uniquingKeysWith: { $1 })
        let parents = Dictionary(
            tracer.finishedSpans.map { ($0.operationName, names[$0.parentSpanID ?? ""]) },
            uniquingKeysWith: { $1 })
        #expect(parents["wait"] == "server test.v1.Test/Echo")
        #expect(parents["think"] == "server test.v1.Test/Quick")
    }

    @Test func `a call lies below the span that is current, or that its metadata names`()
        async throws
    {
        let channel = channel(Methods.echoing())
        var handedOn = CallOptions()
        handedOn.metadata[text: InMemoryTracer.traceIDKey] = "trace-of-old"
        handedOn.metadata[text: InMemoryTracer.spanIDKey] = "span-of-old"

        try await tracer.withSpan("work") { _ in
            try await channel.call(Methods.echo, options: handedOn)
        }
        let first = try span(.client)
        let work = try #require(tracer.popFinishedSpans().first { $0.operationName == "work" })
        try await channel.call(Methods.echo, options: handedOn)

        #expect(first.parentSpanID == work.spanID)
        #expect(try span(.client).parentSpanID == "span-of-old")
        #expect(try span(.server).traceID == "trace-of-old")
    }

    @Test func `calls over two servers are one trace`() async throws {
        let server = Router(services: [[Methods.quick()]], interceptors: [interceptor])
        try await withServer(server) { second in
            let middle = Router(
                services: [[Methods.echoing { try await second.call(Methods.quick) }]],
                interceptors: [interceptor])
            try await withServer(middle) { first in
                try await first.call(Methods.echo)
            }
        }

        let spans = try [
            span(.client), span(.server), span(.client, Methods.quick),
            span(.server, Methods.quick),
        ]
        #expect(Set(spans.map(\.traceID)).count == 1)
        #expect(spans.map(\.parentSpanID) == [nil] + spans.dropLast().map(\.spanID))
    }

    @Test func `the tracer of the process is taken if there is one`() {
        #expect(TracingInterceptor.ifBootstrapped == nil)
        withTracer(tracer) { #expect(TracingInterceptor.ifBootstrapped != nil) }
    }

    /// Runs a server on a free port, and a test with a client of it whose calls are traced.
    private func withServer(
        _ router: Router, _ body: @Sendable (any Channel) async throws -> Void
    ) async throws {
        let server = RPCServer(
            router: router,
            configuration: RPCServerConfiguration(address: .tcp(host: "127.0.0.1", port: 0)))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let client = RPCClient(try await server.boundAddress)
            try await body(client.intercepted(by: interceptor))
            await client.close()
            server.shutdownGracefully()
            try await group.waitForAll()
        }
    }

    /// An error whose text nobody else may read.
    private struct Secret: Error {}
}
