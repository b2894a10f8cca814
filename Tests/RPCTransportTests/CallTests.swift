import RPC
import Synchronization
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Calls over a socket` {
    @Test func `a unary call is answered`() async throws {
        let reply = try await withServerAndClient { try await $0.bytes(Methods.echo, [1, 2, 3]) }

        #expect(reply == [1, 2, 3])
    }

    @Test func `an empty request gets an empty reply`() async throws {
        let reply = try await withServerAndClient { try await $0.bytes(Methods.echo, []) }

        #expect(reply == [])
    }

    @Test func `a call over a Unix socket is answered`() async throws {
        let path = "/tmp/guildhall-rpc-test-\(UInt64.random(in: 0...UInt64.max)).socket"

        let reply = try await withServer(at: .unix(path: path)) { _, address in
            #expect(address == .unix(path: path))
            return try await withClient(address) { try await $0.bytes(Methods.echo, [7]) }
        }

        #expect(reply == [7])
    }

    @Test(arguments: [100, 16_384, 65_536, 512 * 1_024, 1_000_000])
    func `messages of every size travel whole`(size: Int) async throws {
        let request = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }

        let reply = try await withServerAndClient { try await $0.bytes(Methods.echo, request) }

        #expect(reply == request)
    }

    @Test func `a request or reply above the limit is refused, and the connection stays`()
        async throws
    {
        let large = RegisteredMethod(
            Methods.unary("Large"),
            .unary { _, _ in .encoded([UInt8](repeating: 0, count: 1 << 20)) })

        try await withServerAndClient([Methods.echoing, large]) { client in
            let request = await status {
                try await client.bytes(Methods.echo, [UInt8](repeating: 1, count: 1 << 20))
            }
            let reply = await status { try await client.bytes(Methods.unary("Large")) }

            #expect(request?.code == .resourceExhausted)
            #expect(reply?.code == .resourceExhausted)
            let answer1 = try await client.bytes(Methods.echo, [1])
            #expect(answer1 == [1])
        }
    }

    @Test func `many calls share a connection and each gets its own reply`() async throws {
        let slow = RegisteredMethod(
            Methods.unary("Slow"),
            .unary { payload, _ in
                await Task.yield()
                return .encoded(payload)
            })

        try await withServerAndClient([slow]) {
            $0.connectionsMax = 1
        } _: { client in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<1_000 {
                    group.addTask {
                        let request = [UInt8(number & 0xFF), UInt8(number >> 8)]
                        return try await client.bytes(Methods.unary("Slow"), request) == request
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }

    @Test func `a suspended call does not hold up the others`() async throws {
        let hanging = HangingMethod()

        try await withServerAndClient([Methods.echoing, hanging.method()]) { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await client.bytes(Methods.hang) }
                await hanging.started.wait()
                let answer2 = try await client.bytes(Methods.echo, [1])
                #expect(answer2 == [1])
                hanging.cancelled.send()
                try await group.waitForAll()
            }
        }
    }

    @Test func `a status arrives with its details`() async throws {
        let full = Status(
            .failedPrecondition, "All seats are taken – every one.",
            details: [
                .errorInfo(
                    reason: "members_limit_reached", domain: "guildhall",
                    metadata: ["limit": "100", "organization": "north"]),
                .badRequest([.init(field: "member.email", description: "is taken")]),
                .preconditionFailure([
                    .init(type: "members_limit", subject: "north", description: "full")
                ]),
                .retryInfo(delay: .milliseconds(1_500)),
                .other(typeURL: "type.googleapis.com/test.Odd", value: [1, 2]),
            ])
        let failing = RegisteredMethod(Methods.echo, .unary { _, _ in throw full })

        let seen = try await withServerAndClient([failing]) { client in
            await status { try await client.bytes(Methods.echo) }
        }

        #expect(seen == full)
    }

    /// An error that nobody foresaw.
    private struct Secret: Error {
        let text = "the password is swordfish"
    }

    @Test(arguments: [
        MethodHandler.unary { _, _ in throw Secret() },
        .synchronous { _, _ in throw Secret() },
        .serverStreaming { _, _, _ in throw Secret() },
        .clientStreaming { _, _ in throw Secret() },
        .bidirectional { _, _, _ in throw Secret() },
    ])
    func `an unexpected error leaves with an identifier under which the log has the rest`(
        handler: MethodHandler
    ) async throws {
        let method = MethodDescriptor(
            service: Methods.service, name: "Fail", kind: handler.kind, idempotency: .safe)
        let log = LoggedLines()
        let router = Router(services: [[RegisteredMethod(method, handler)]])

        let seen = try await withServer(of: router, logger: log.logger) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, method))
            let status = try await raw.end(of: 1)?.status
            await raw.close()
            return status
        }

        guard case .errorInfo("handler_failed", RPCReason.domain, let facts)? = seen?.details.first
        else {
            Issue.record("\(seen as Any)")
            return
        }
        let identifier = facts["correlation_id"] ?? ""
        #expect(seen?.code == .internal)
        #expect(identifier.count == 16)
        #expect(seen?.message == "The server failed. Please report the identifier \(identifier).")
        let lines = log.lines
        #expect(lines.count == 1)
        #expect(lines.first?.contains(identifier) == true)
        #expect(lines.first?.contains("swordfish") == true)
        #expect(lines.first?.contains("test.v1.Test/Fail") == true)
    }

    @Test func `an error that is foreseen is not logged`() async throws {
        let log = LoggedLines()
        let failing = RegisteredMethod(
            Methods.echo, .unary { _, _ in throw Status(.notFound, "None.") })

        let seen = try await withServer(of: Router(services: [[failing]]), logger: log.logger) {
            _, address in
            try await withClient(address) { client in
                await status { try await client.bytes(Methods.echo) }
            }
        }

        #expect(seen == Status(.notFound, "None."))
        #expect(log.lines.isEmpty)
    }

    @Test func `metadata of both kinds and the peer reach the handler`() async throws {
        let method = RegisteredMethod(
            Methods.echo,
            .unary { _, context in
                #expect(context.peer.description.hasPrefix("127.0.0.1:"))
                #expect(context.metadata[text: "request-id"] == "r1")
                return .encoded(context.metadata[bytes: "token-bin"] ?? [])
            })
        var options = CallOptions()
        options.metadata[text: "request-id"] = "r1"
        options.metadata[bytes: "token-bin"] = [0, 255]

        let reply = try await withServerAndClient([method]) { [options] client in
            try await client.bytes(Methods.echo, options: options)
        }

        #expect(reply == [0, 255])
    }

    /// Metadata outside its limits, and the code under which it is refused.
    enum Outside: CaseIterable {
        case upperCaseKey, bytesUnderTextKey, textUnderBytesKey, tooLong, tooMany

        var metadata: Metadata {
            var metadata = Metadata()
            switch self {
            case .upperCaseKey: metadata.append(.text("x"), for: "Upper")
            case .bytesUnderTextKey: metadata.append(.bytes([1]), for: "plain")
            case .textUnderBytesKey: metadata.append(.text("x"), for: "text-bin")
            case .tooLong:
                metadata[text: "long"] = String(repeating: "x", count: Metadata.byteCountMax)
            case .tooMany:
                for _ in 0...Metadata.entryCountMax { metadata.append(.text("x"), for: "k") }
            }
            return metadata
        }

        var code: Status.Code {
            switch self {
            case .upperCaseKey, .bytesUnderTextKey, .textUnderBytesKey: .invalidArgument
            case .tooLong, .tooMany: .resourceExhausted
            }
        }
    }

    @Test(arguments: Outside.allCases)
    func `metadata outside its limits is refused by both sides`(outside: Outside) async throws {
        try await withServer { _, address in
            let options = CallOptions(metadata: outside.metadata)
            let local = try await withClient(address) { client in
                await status { try await client.bytes(Methods.echo, options: options) }
            }
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.echo, metadata: outside.metadata))
            let remote = try await raw.end(of: 1)?.status
            await raw.close()

            #expect(local?.code == outside.code)
            #expect(remote?.code == outside.code)
        }
    }

    @Test func `an unknown method and a method of another kind are unimplemented`() async throws {
        try await withServerAndClient { client in
            let unknown = await status { try await client.bytes(Methods.unary("Missing")) }

            #expect(unknown?.code == .unimplemented)
            let answer3 = try await client.bytes(Methods.echo, [1])
            #expect(answer3 == [1])
        }
    }

    @Test func `a method is found by its announced number`() async throws {
        try await withServer { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(
                .open(
                    call: 1,
                    OutgoingOpening(
                        method: .number(1), timeout: nil, message: .encoded([5] as [UInt8]))),
                .open(
                    call: 3,
                    OutgoingOpening(
                        method: .number(99), timeout: nil, message: .encoded([5] as [UInt8]))))

            var codes: [UInt32: Status.Code] = [:]
            while codes.count < 2, let received = try await raw.next() {
                if case .end(let call, let ending) = received.frame {
                    codes[call] = ending.status.code
                }
            }
            #expect(codes == [1: .ok, 3: .unimplemented])
            await raw.close()
        }
    }
}
