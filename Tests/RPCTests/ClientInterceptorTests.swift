import RPC
import RPCTesting
import Testing

/// What a caller's interceptor may do before a call is made.
@Suite struct `Interceptors of callers` {
    private let echo = MethodDescriptor(service: "test.v1.Echo", name: "Echo")

    /// Fetches a token, which takes a while, and sends it along.
    private struct Fetching: ClientInterceptor {
        let fetch: @Sendable () async throws -> String

        func begin(_ method: MethodDescriptor, _ options: inout CallOptions) async throws {
            options.metadata[text: "authorization"] = try await fetch()
        }
    }

    /// A channel to a method that answers the token of its call.
    private func channel(_ fetch: @escaping @Sendable () async throws -> String) -> any Channel {
        let answering = RegisteredMethod(
            echo,
            .unary { _, context in
                .encoded(Array((context.metadata[text: "authorization"] ?? "").utf8))
            })
        return InProcessChannel(Router(services: [[answering]]))
            .intercepted(by: Fetching(fetch: fetch))
    }

    @Test func `one may wait for what it sends along`() async throws {
        let channel = channel {
            try await ContinuousClock().sleep(for: .milliseconds(5))
            return "token"
        }

        let reply = try await channel.unary(echo, .encoded([UInt8]()), options: CallOptions())

        #expect(reply.bytes == Array("token".utf8))
    }

    @Test func `one that fails makes no call`() async throws {
        let channel = channel { throw Status(.unauthenticated, "There is no token.") }

        let refused = await #expect(throws: Status.self) {
            try await channel.unary(echo, .encoded([UInt8]()), options: CallOptions())
        }

        #expect(refused?.message == "There is no token.")
    }
}
