import RPC
import RPCTelemetry
import RPCTesting

/// The methods that tests call; requests and replies are plain bytes.
enum Methods {
    static let service = "test.v1.Test"
    static let echo = MethodDescriptor(service: service, name: "Echo")
    static let quick = MethodDescriptor(service: service, name: "Quick")
    static let count = MethodDescriptor(service: service, name: "Count", kind: .serverStreaming)
    static let chat = MethodDescriptor(service: service, name: "Chat", kind: .bidirectional)

    /// A method that answers with the request after a closure has run.
    static func echoing(
        _ body: @escaping @Sendable () async throws -> Void = {}
    ) -> RegisteredMethod {
        RegisteredMethod(
            echo,
            .unary { payload, _ in
                try await body()
                return .encoded(payload)
            })
    }

    /// A synchronous method that answers with the request after a closure has run.
    static func quick(_ body: @escaping @Sendable () throws -> Void = {}) -> RegisteredMethod {
        RegisteredMethod(
            quick,
            .synchronous { payload, _ in
                try body()
                return .encoded(payload)
            })
    }

    /// A method that answers once, after a closure has run.
    static func counting(
        _ body: @escaping @Sendable () async throws -> Void = {}
    ) -> RegisteredMethod {
        RegisteredMethod(
            count,
            .serverStreaming { payload, _, replies in
                try await body()
                try await replies.write(.encoded(payload))
            })
    }

    /// A method that sends every request back.
    static let chatting = RegisteredMethod(
        chat,
        .bidirectional { requests, _, replies in
            while let request = try await requests.next() {
                try await replies.write(.encoded(request))
            }
        })
}

extension Channel {
    /// Makes a call whose request and reply are of no interest.
    func call(
        _ method: MethodDescriptor, options: CallOptions = CallOptions()
    ) async throws {
        switch method.kind {
        case .serverStreaming:
            try await serverStreaming(method, .encoded([1]), options: options) { _ in }
        case .bidirectional, .clientStreaming:
            try await bidirectional(method, options: options) { requests, replies in
                try await requests.write(.encoded([1]))
                try await requests.finish()
                while try await replies.next() != nil {}
            }
        case .unary:
            _ = try await unary(method, .encoded([1]), options: options)
        }
    }
}
