import CoreMetrics
import MetricsTestKit
import RPC
import RPCTelemetry
import RPCTesting
import Testing

@Suite struct `Metrics of calls` {
    private let backend = TestMetrics()

    private func server(_ methods: RegisteredMethod...) -> InProcessChannel {
        InProcessChannel(
            Router(
                services: [methods], interceptors: [MetricsInterceptor(factory: backend)]))
    }

    private func client(_ methods: RegisteredMethod...) -> any Channel {
        InProcessChannel(Router(services: [methods]))
            .intercepted(by: MetricsInterceptor(factory: backend))
    }

    private func dimensions(
        _ method: MethodDescriptor, _ code: String? = nil
    ) -> [(String, String)] {
        [("rpc.system.name", "guildhall"), ("rpc.method", method.path)]
            + (code.map { [("rpc.response.status_code", $0)] } ?? [])
    }

    @Test(arguments: [Methods.echo, Methods.quick, Methods.count, Methods.chat])
    func `a server measures calls of every kind`(method: MethodDescriptor) async throws {
        let channel = server(
            Methods.echoing(), Methods.quick(), Methods.counting(), Methods.chatting)

        try await channel.call(method)
        try await channel.call(method)

        let timer = try backend.expectTimer(
            "rpc.server.call.duration", dimensions(method, "OK"))
        #expect(timer.values.count == 2)
        #expect(timer.values.allSatisfy { $0 > 0 })
        let active = try backend.expectMeter("rpc.server.active_calls", dimensions(method))
        #expect(active.values == [1, 0, 1, 0])
        #expect(backend.timers.count == 1)
    }

    @Test func `a failed call is measured under its code`() async throws {
        let channel = server(
            Methods.echoing { throw Status(.failedPrecondition, "Not so.") },
            Methods.quick { throw ReadFault() })

        await #expect(throws: Status.self) { try await channel.call(Methods.echo) }
        await #expect(throws: Status.self) { try await channel.call(Methods.quick) }

        let name = "rpc.server.call.duration"
        _ = try backend.expectTimer(name, dimensions(Methods.echo, "FAILED_PRECONDITION"))
        _ = try backend.expectTimer(name, dimensions(Methods.quick, "INTERNAL"))
        #expect(backend.timers.count == 2)
        #expect(backend.meters.allSatisfy { $0.lastValue == 0 })
    }

    @Test func `a handler that is cancelled by its deadline is measured as too late`()
        async throws
    {
        let channel = server(
            Methods.echoing { try await ContinuousClock().sleep(for: .seconds(60)) })

        await #expect(throws: Status.self) {
            try await channel.call(
                Methods.echo, options: CallOptions(timeout: .milliseconds(20)))
        }

        _ = try backend.expectTimer(
            "rpc.server.call.duration", dimensions(Methods.echo, "DEADLINE_EXCEEDED"))
    }

    @Test(arguments: [Methods.echo, Methods.count, Methods.chat])
    func `a client measures calls of every kind`(method: MethodDescriptor) async throws {
        let channel = client(Methods.echoing(), Methods.counting(), Methods.chatting)

        try await channel.call(method)

        let timer = try backend.expectTimer(
            "rpc.client.call.duration", dimensions(method, "OK"))
        #expect(timer.values.count == 1)
        let active = try backend.expectMeter("rpc.client.active_calls", dimensions(method))
        #expect(active.values == [1, 0])
    }

    @Test func `a stream that its reader leaves is measured as cancelled`() async throws {
        let channel = client(Methods.counting())

        await #expect(throws: ReadFault.self) {
            try await channel.serverStreaming(
                Methods.count, .encoded([1]), options: CallOptions()
            ) { _ in throw ReadFault() }
        }

        _ = try backend.expectTimer(
            "rpc.client.call.duration", dimensions(Methods.count, "CANCELLED"))
    }

    @Test func `the backend of the process is taken if there is one`() {
        #expect(MetricsInterceptor.ifBootstrapped == nil)
        withMetricsFactory(backend) { #expect(MetricsInterceptor.ifBootstrapped != nil) }
    }

    /// An error of no interest.
    private struct ReadFault: Error {}
}
