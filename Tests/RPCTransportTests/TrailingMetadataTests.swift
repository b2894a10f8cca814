import RPC
import Synchronization
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Trailing metadata over a socket` {
    private static let method = Methods.unary("Trailing", .safe)

    /// Sets an entry and answers with the request, or fails with an entry of the error's own when
    /// the request is empty.
    private static func answer(_ request: any Payload, _ context: CallContext) throws -> [UInt8] {
        context.trailingMetadata[text: "cost"] = "3"
        context.trailingMetadata[bytes: "token-bin"] = [0, 255]
        guard request.byteCount > 0 else {
            var status = Status(.notFound, "No.")
            status.trailingMetadata[text: "cost"] = "1"
            status.trailingMetadata[text: "hint"] = "there"
            throw status
        }
        return request.bytes
    }

    private static let asynchronous = MethodHandler.unary { request, context in
        await Task.yield()
        return .encoded(try answer(request, context))
    }
    private static let synchronous = MethodHandler.synchronous { request, context in
        .encoded(try answer(request, context))
    }

    @Test(arguments: [asynchronous, synchronous])
    func `a unary call has them with its reply`(handler: MethodHandler) async throws {
        let trailing = TrailingMetadata()

        let reply = try await withServerAndClient([RegisteredMethod(Self.method, handler)]) {
            try await $0.bytes(
                Self.method, [1], options: CallOptions(trailingMetadata: trailing))
        }

        #expect(reply == [1])
        #expect(trailing[text: "cost"] == "3")
        #expect(trailing[bytes: "token-bin"] == [0, 255])
    }

    @Test(arguments: [asynchronous, synchronous])
    func `an error has its own, which replace those of the handler, and the rest of them`(
        handler: MethodHandler
    ) async throws {
        let trailing = TrailingMetadata()

        let refused = try await withServerAndClient([RegisteredMethod(Self.method, handler)]) {
            client in
            await status {
                try await client.bytes(
                    Self.method, options: CallOptions(trailingMetadata: trailing))
            }
        }

        #expect(refused?.code == .notFound)
        #expect(refused?.trailingMetadata[text: "cost"] == "1")
        #expect(refused?.trailingMetadata[text: "hint"] == "there")
        #expect(refused?.trailingMetadata[bytes: "token-bin"] == [0, 255])
        #expect(trailing.metadata == refused?.trailingMetadata)
    }

    @Test(arguments: [asynchronous, synchronous])
    func `no call sees those of another`(handler: MethodHandler) async throws {
        let plain = RegisteredMethod(Methods.echo, .synchronous { request, _ in .encoded(request) })

        try await withServerAndClient([RegisteredMethod(Self.method, handler), plain]) {
            $0.connectionsMax = 1
        } _: { client in
            for _ in 0..<20 {
                let (some, none) = (TrailingMetadata(), TrailingMetadata())
                async let first = client.bytes(
                    Self.method, [1], options: CallOptions(trailingMetadata: some))
                async let second = client.bytes(
                    Methods.echo, [1], options: CallOptions(trailingMetadata: none))
                _ = try await (first, second)
                #expect(some[text: "cost"] == "3")
                #expect(none.isEmpty)
            }
        }
    }

    @Test func `a handler that keeps its context writes to no later call`() async throws {
        let kept = Mutex<[CallContext]>([])
        let keeping = RegisteredMethod(
            Self.method,
            .synchronous { request, context in
                for earlier in kept.withLock({ $0 }) {
                    earlier.trailingMetadata[text: "late"] = "yes"
                }
                kept.withLock { $0.append(context) }
                return .encoded(request)
            })

        try await withServerAndClient([keeping]) { client in
            for _ in 0..<3 {
                let trailing = TrailingMetadata()
                _ = try await client.bytes(
                    Self.method, [1], options: CallOptions(trailingMetadata: trailing))
                #expect(trailing.isEmpty)
            }
        }
    }

    @Test(arguments: [false, true])
    func `streams have them after their end`(fails: Bool) async throws {
        @Sendable func end(_ context: CallContext) throws {
            context.trailingMetadata[text: "cost"] = "3"
            if fails { throw Status(.aborted, "Enough.") }
        }
        let counting = RegisteredMethod(
            Methods.count,
            .serverStreaming { _, context, replies in
                for number in UInt8(0)..<3 { try await replies.write(.encoded([number])) }
                try end(context)
            })
        let summing = RegisteredMethod(
            `Streams of requests`.sum,
            .clientStreaming { requests, context in
                var count: UInt8 = 0
                while try await requests.next() != nil { count += 1 }
                try end(context)
                return .encoded([count])
            })
        let chatting = RegisteredMethod(
            `Streams of requests`.chat,
            .bidirectional { requests, context, replies in
                while let request = try await requests.next() {
                    try await replies.write(.encoded(request))
                }
                try end(context)
            })

        try await withServerAndClient([counting, summing, chatting]) { client in
            let trailing = (0..<3).map { _ in TrailingMetadata() }
            let options = trailing.map { CallOptions(trailingMetadata: $0) }
            let endings = [
                await ending {
                    try await client.serverStreaming(
                        Methods.count, .encoded([0] as [UInt8]), options: options[0]
                    ) { _ in }
                },
                await ending {
                    _ = try await `Streams of requests`.total(
                        client, count: 2, size: 1, options: options[1])
                },
                await ending {
                    try await client.bidirectional(
                        `Streams of requests`.chat, options: options[2]
                    ) { requests, replies in
                        try await requests.write(.encoded([1]))
                        try await requests.finish()
                        while try await replies.next() != nil {}
                    }
                },
            ]

            let code: Status.Code? = fails ? .aborted : nil
            #expect(endings.map { $0?.code } == [code, code, code])
            for (trailing, ending) in zip(trailing, endings) {
                #expect(trailing[text: "cost"] == "3")
                if let ending { #expect(ending.trailingMetadata[text: "cost"] == "3") }
            }
        }
    }

    /// The status that a call failed with; nil when it went well.
    private func ending(of call: () async throws -> Void) async -> Status? {
        do {
            try await call()
            return nil
        } catch {
            return error as? Status
        }
    }

    @Test(arguments: [
        ("", "x", "an illegal key"),
        ("Cost", "x", "an illegal key"),
        ("cost-bin", "x", "carry bytes"),
        ("authorization", "x", "authorization is reserved"),
        ("guildhall-anything", "x", "guildhall-anything is reserved"),
        ("grpc-status", "x", "grpc-status is reserved"),
        ("cost", String(repeating: "x", count: Metadata.byteCountMax), "8192 are allowed"),
    ])
    func `what may not be sent ends the call with a sentence that says why`(
        key: String, value: String, why: String
    ) async throws {
        let wrong = RegisteredMethod(
            Self.method,
            .unary { request, context in
                context.trailingMetadata[text: key] = value
                if request.byteCount == 0 { throw Status(.notFound, "No.") }
                return .encoded(request)
            })

        try await withServerAndClient([wrong]) { client in
            let refused = await status { try await client.bytes(Self.method, [1]) }
            #expect(refused?.code == .internal)
            #expect(refused?.rpcReason == .trailingMetadataRefused)
            #expect(refused?.message.contains(why) == true)

            // An error matters more than what goes with it.
            let failed = await status { try await client.bytes(Self.method) }
            #expect(failed == Status(.notFound, "No."))
        }
    }

    @Test func `too many entries are refused as well`() async throws {
        let wrong = RegisteredMethod(
            Self.method,
            .synchronous { request, context in
                for number in 0...Metadata.entryCountMax {
                    context.trailingMetadata.append(.text("x"), for: "key-\(number)")
                }
                return .encoded(request)
            })

        let refused = try await withServerAndClient([wrong]) { client in
            await status { try await client.bytes(Self.method, [1]) }
        }

        #expect(refused?.message.contains("65 entries; 64 are allowed") == true)
    }

    @Test func `interceptors of both sides read and add`() async throws {
        let server = Adding()
        let method = RegisteredMethod(Self.method, Self.asynchronous)
        let seen = Reading()
        let trailing = TrailingMetadata()

        try await withServer(of: Router(services: [[method]], interceptors: [server])) {
            _, address in
            try await withClient(address) { client in
                _ = try await client.intercepted(by: seen).unary(
                    Self.method, .encoded([1]), options: CallOptions(trailingMetadata: trailing))
            }
        }

        #expect(seen.costs.withLock { $0 } == ["3 and 4"])
        #expect(trailing[text: "cost"] == "3 and 4")
        #expect(trailing[text: "seen"] == "yes")
    }

    private struct Adding: ServerInterceptor {
        func intercept(_ method: RegisteredMethod) -> RegisteredMethod {
            method.wrapped { _ in
            } end: { _, context, _ in
                let cost = context.trailingMetadata[text: "cost"] ?? "none"
                context.trailingMetadata[text: "cost"] = cost + " and 4"
            }
        }
    }

    private final class Reading: ClientInterceptor {
        let costs = Mutex<[String]>([])

        func begin(
            _ method: MethodDescriptor, _ options: inout CallOptions
        ) -> TrailingMetadata {
            options.collectTrailingMetadata()
        }

        func end(
            _ trailing: TrailingMetadata, _ method: MethodDescriptor, _ error: (any Error)?
        ) {
            costs.withLock { $0.append(trailing[text: "cost"] ?? "none") }
            trailing[text: "seen"] = "yes"
        }
    }

    @Test func `a hedged call has those of the attempt that wins`() async throws {
        let trailing = TrailingMetadata()

        _ = try await withServerAndClient([RegisteredMethod(Self.method, Self.asynchronous)]) {
            try await $0.bytes(
                Self.method, [1],
                options: CallOptions(hedgeAfter: .seconds(1), trailingMetadata: trailing))
        }

        #expect(trailing[text: "cost"] == "3")
    }

    @Test func `a client passes over reserved keys, and fails a call that breaks the limits`()
        async throws
    {
        var reserved = Metadata()
        reserved[text: "guildhall-new"] = "1"
        reserved[text: "cost"] = "3"
        var illegal = Metadata()
        illegal[text: "Cost"] = "3"
        let answers = [reserved, illegal]
        let trailing = TrailingMetadata()

        try await withPlainServer {
            { call, _ in
                .reply(
                    call: call, .encoded([7] as [UInt8]),
                    trailingMetadata: answers[call == 1 ? 0 : 1])
            }
        } _: { address in
            try await withClient(address) { client in
                _ = try await client.bytes(
                    Self.method, options: CallOptions(trailingMetadata: trailing))
                let failed = await status { try await client.bytes(Self.method) }

                #expect(failed?.code == .internal)
                #expect(failed?.message.contains("illegal key") == true)
            }
        }
        #expect(trailing.metadata.entries.map(\.key) == ["cost"])
    }
}
