import Messages
import RPC

/// A method that streams the same message until its caller has enough.
enum Stream {
    static let descriptor = MethodDescriptor(
        service: "guildhall.benchmark.v1.Benchmark", name: "Stream", kind: .serverStreaming,
        idempotency: .safe)

    static func method(_ reply: Organization) -> RegisteredMethod {
        RegisteredMethod(
            descriptor,
            .serverStreaming { _, _, writer in
                let replies = ReplyStream<Organization>(writer)
                // Ends by the error of the write that finds the call cancelled.
                while true { try await replies.write(reply) }
            })
    }
}
