import RPC
import Synchronization
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Streams of requests` {
    static let sum = MethodDescriptor(
        service: Methods.service, name: "Sum", kind: .clientStreaming)
    static let chat = MethodDescriptor(
        service: Methods.service, name: "Chat", kind: .bidirectional)

    /// Answers with the number of requests and of their bytes, in four bytes each.
    static let summing = RegisteredMethod(
        sum,
        .clientStreaming { requests, _ in
            var count: UInt32 = 0
            var bytes: UInt32 = 0
            while let request = try await requests.next() {
                count += 1
                bytes += UInt32(request.byteCount)
            }
            return .encoded(Self.bytes(of: count) + Self.bytes(of: bytes))
        })

    /// Answers each request with itself.
    static let chatting = RegisteredMethod(
        chat,
        .bidirectional { requests, _, replies in
            while let request = try await requests.next() {
                try await replies.write(.encoded(request))
            }
        })

    static func bytes(of number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
    }

    /// Sends requests of one size and answers with the one reply.
    static func total(
        _ client: RPCClient, count: Int, size: Int, options: CallOptions = CallOptions()
    ) async throws -> [UInt8]? {
        try await client.bidirectional(sum, options: options) { requests, replies in
            for _ in 0..<count {
                try await requests.write(.encoded([UInt8](repeating: 7, count: size)))
            }
            try await requests.finish()
            return try await replies.next()?.bytes
        }
    }

    @Test(arguments: [(0, 0), (1, 0), (1, 1), (1_000, 10), (50, 60_000)])
    func `all requests arrive and one reply comes`(_ count: Int, _ size: Int) async throws {
        let reply = try await withServerAndClient([Self.summing]) { client in
            try await Self.total(client, count: count, size: size)
        }

        #expect(
            reply == Self.bytes(of: UInt32(count)) + Self.bytes(of: UInt32(count * size)))
    }

    @Test func `requests and replies take turns`() async throws {
        let seen = try await withServerAndClient([Self.chatting]) { client in
            try await client.bidirectional(Self.chat, options: CallOptions()) {
                requests, replies in
                var seen: [[UInt8]] = []
                for number in UInt8(0)..<100 {
                    try await requests.write(.encoded([number]))
                    if let reply = try await replies.next() { seen.append(reply.bytes) }
                }
                try await requests.finish()
                let last = try await replies.next()
                #expect(last == nil)
                return seen
            }
        }

        #expect(seen == (UInt8(0)..<100).map { [$0] })
    }

    @Test func `both directions stream far more than their windows at the same time`()
        async throws
    {
        let received = try await withServerAndClient([Self.chatting]) { client in
            try await client.bidirectional(Self.chat, options: CallOptions()) {
                requests, replies in
                async let sent: Void = {
                    for _ in 0..<200 {
                        try await requests.write(.encoded([UInt8](repeating: 1, count: 20_000)))
                    }
                    try await requests.finish()
                }()
                var received = 0
                while let reply = try await replies.next() { received += reply.byteCount }
                try await sent
                return received
            }
        }

        #expect(received == 200 * 20_000)
    }

    @Test func `a writer waits while the handler does not read`() async throws {
        let release = Signal()
        let written = Counter()
        let slow = RegisteredMethod(
            Self.sum,
            .clientStreaming { requests, _ in
                await release.wait()
                var count: UInt8 = 0
                while try await requests.next() != nil { count += 1 }
                return .encoded([count])
            })

        try await withServerAndClient([Methods.echoing, slow]) {
            $0.requestWindow = 4_000
        } configure: {
            $0.connectionsMax = 1
        } _: { client in
            let count = try await client.bidirectional(Self.sum, options: CallOptions()) {
                requests, replies in
                async let sent: Void = {
                    for _ in 0..<100 {
                        try await requests.write(.encoded([UInt8](repeating: 1, count: 1_000)))
                        written.increment()
                    }
                    try await requests.finish()
                }()
                // The server reads its connection in order: what was sent has arrived by then.
                while written.value < 4 { await Task.yield() }
                for _ in 0..<10 { _ = try await client.bytes(Methods.echo, [1]) }
                #expect(written.value == 4)
                release.send()
                try await sent
                return try await replies.next()?.bytes
            }
            #expect(count == [100])
        }
    }

    @Test func `a server may answer before it has read everything`() async throws {
        let hasty = RegisteredMethod(
            Self.sum,
            .clientStreaming { requests, _ in
                _ = try await requests.next()
                return .encoded([1] as [UInt8])
            })

        let reply = try await withServerAndClient([hasty]) { client in
            try await client.bidirectional(Self.sum, options: CallOptions()) {
                requests, replies in
                do {
                    while true {
                        try await requests.write(.encoded([UInt8](repeating: 1, count: 10_000)))
                    }
                } catch is CallEnded {}
                return try await replies.next()?.bytes
            }
        }

        #expect(reply == [1])
    }

    @Test func `a refusal reaches the reader, and the writer that goes on`() async throws {
        let refusing = RegisteredMethod(
            Self.chat, .bidirectional { _, _, _ in throw Status(.failedPrecondition, "Full.") })

        try await withServerAndClient([refusing]) { client in
            let reading = await status {
                try await client.bidirectional(Self.chat, options: CallOptions()) {
                    _, replies in _ = try await replies.next()
                }
            }
            #expect(reading == Status(.failedPrecondition, "Full."))
            let writing = await status {
                try await client.bidirectional(Self.chat, options: CallOptions()) {
                    requests, _ in
                    while true { try await requests.write(.encoded([1] as [UInt8])) }
                }
            }
            #expect(writing == Status(.failedPrecondition, "Full."))
        }
    }

    @Test func `a closure that leaves early cancels the handler`() async throws {
        let ended = Signal()
        let reading = RegisteredMethod(
            Self.chat,
            .bidirectional { requests, _, replies in
                defer { ended.send() }
                while let request = try await requests.next() {
                    try await replies.write(.encoded(request))
                }
            })

        try await withServerAndClient([reading]) { client in
            try await client.bidirectional(Self.chat, options: CallOptions()) {
                requests, replies in
                try await requests.write(.encoded([1] as [UInt8]))
                // A handler that has not begun by then never does.
                _ = try await replies.next()
            }
            await ended.wait()
        }
    }

    @Test func `a reader of its own task can be cancelled without the call`() async throws {
        let reply = try await withServerAndClient([Self.chatting]) { client in
            try await client.bidirectional(Self.chat, options: CallOptions()) {
                requests, replies in
                let impatient = Task { _ = try await replies.next() }
                impatient.cancel()
                await #expect(throws: CancellationError.self) { try await impatient.value }
                try await requests.write(.encoded([5] as [UInt8]))
                return try await replies.next()?.bytes
            }
        }

        #expect(reply == [5])
    }

    @Test func `the deadline ends a handler that waits for requests`() async throws {
        try await withServerAndClient([Self.summing]) { client in
            let status = await status {
                try await client.bidirectional(
                    Self.sum, options: CallOptions(timeout: .milliseconds(50))
                ) { _, replies in _ = try await replies.next() }
            }
            #expect(status?.code == .deadlineExceeded)
        }
    }

    @Test func `a server that is gone refuses before the closure begins`() async throws {
        let address = try await withServer([Self.summing]) { _, address in address }
        let began = Atomic<Bool>(false)

        try await withClient(address) { client in
            let status = await status {
                try await client.bidirectional(Self.sum, options: CallOptions()) { _, _ in
                    began.store(true, ordering: .relaxed)
                }
            }
            #expect(status?.code == .unavailable)
        }

        let hasBegun = began.load(ordering: .relaxed)
        #expect(!hasBegun)
    }

    @Test func `who sends more than the credit is disconnected`() async throws {
        let hanging = HangingMethod()
        let deaf = RegisteredMethod(
            Self.sum,
            .clientStreaming { _, _ in
                await hanging.hang()
                return .encoded([UInt8]())
            })

        try await withServer([deaf]) {
            $0.requestWindow = 4_000
            $0.frameBytesMax = 20_000
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(
                .open(
                    call: 1,
                    OutgoingOpening(
                        method: .path(Self.sum.path), timeout: nil, message: nil,
                        endOfStream: false)))
            for _ in 0..<30 {
                let message = OutgoingMessage.encoded([UInt8](repeating: 1, count: 1_000))
                try await raw.send(.data(call: 1, message, endOfStream: false))
            }
            let goaway = try await raw.goaway()
            #expect(goaway?.status.code == .resourceExhausted)
            await raw.close()
        }
    }

    @Test func `a request for a call that takes one message breaks the connection`()
        async throws
    {
        let hanging = HangingMethod()

        try await withServer([hanging.method()]) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang, []))
            await hanging.started.wait()
            try await raw.send(
                .data(call: 1, .encoded([1] as [UInt8]), endOfStream: false))
            let goaway = try await raw.goaway()
            #expect(goaway?.status.code == .invalidArgument)
            await raw.close()
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct `Synchronous handlers` {
    @Test func `their replies and refusals arrive like others`() async throws {
        let method = RegisteredMethod(
            Methods.echo,
            .synchronous { payload, context in
                guard payload.byteCount > 0 else { throw Status(.notFound, "Nothing.") }
                return .encoded(payload)
            })

        try await withServerAndClient([method]) { client in
            let reply = try await client.bytes(Methods.echo, [1, 2, 3])
            #expect(reply == [1, 2, 3])
            let refusal = await status { try await client.bytes(Methods.echo) }
            #expect(refusal == Status(.notFound, "Nothing."))
        }
    }
}
