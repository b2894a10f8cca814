import RPC
import Synchronization
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Streams of replies` {
    @Test func `replies arrive in order and the stream ends`() async throws {
        let seen = Mutex<[UInt8]>([])

        try await withServerAndClient { client in
            try await client.serverStreaming(
                Methods.count, .encoded([200, 0] as [UInt8]), options: CallOptions()
            ) { reply in seen.withLock { $0 += reply.bytes } }
        }

        #expect(seen.withLock { $0 } == Array(0..<200))
    }

    @Test func `a stream far larger than its window arrives whole`() async throws {
        let bytes = Atomic<Int>(0)

        try await withServerAndClient { client in
            try await client.serverStreaming(
                Methods.count, .encoded([200, 200] as [UInt8]), options: CallOptions()
            ) { reply in bytes.wrappingAdd(reply.byteCount, ordering: .relaxed) }
        }

        #expect(bytes.load(ordering: .relaxed) == 200 * 200 * 256)
    }

    @Test func `a status ends a stream after its replies`() async throws {
        let method = RegisteredMethod(
            Methods.count,
            .serverStreaming { _, _, replies in
                try await replies.write(.encoded([1] as [UInt8]))
                throw Status(.aborted, "Lost a race.")
            })
        let seen = Mutex<[UInt8]>([])

        try await withServerAndClient([method]) { client in
            let status = await status {
                try await client.serverStreaming(
                    Methods.count, .encoded([UInt8]()), options: CallOptions()
                ) { reply in seen.withLock { $0 += reply.bytes } }
            }
            #expect(status == Status(.aborted, "Lost a race."))
        }

        #expect(seen.withLock { $0 } == [1])
    }

    @Test func `the consumer's error cancels the handler`() async throws {
        struct Enough: Error {}
        let ended = Signal()
        let method = RegisteredMethod(
            Methods.count,
            .serverStreaming { _, _, replies in
                defer { ended.send() }
                while true { try await replies.write(.encoded([1] as [UInt8])) }
            })

        try await withServerAndClient([method]) { client in
            await #expect(throws: Enough.self) {
                try await client.serverStreaming(
                    Methods.count, .encoded([UInt8]()), options: CallOptions()
                ) { _ in throw Enough() }
            }
            await ended.wait()
        }
    }

    @Test func `a writer waits while there is no credit, and other calls go on`() async throws {
        let written = Atomic<Int>(0)
        let full = Signal()
        let method = RegisteredMethod(
            Methods.count,
            .serverStreaming { _, _, replies in
                for _ in 0..<100 {
                    try await replies.write(.encoded([UInt8](repeating: 1, count: 1_000)))
                    if written.wrappingAdd(1, ordering: .relaxed).newValue == 4 { full.send() }
                }
            })

        try await withServer([Methods.echoing, method]) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.count, timeout: nil, window: 4_000))
            await full.wait()
            // Whatever was written without credit would have come before this answer.
            try await raw.send(.call(3, Methods.echo, [9]))
            var replies = 0
            while let received = try await raw.next() {
                if case .data(1, _, _) = received.frame { replies += 1 }
                if case .end(3, _) = received.frame { break }
            }
            #expect(replies == 4)
            #expect(written.load(ordering: .relaxed) == 4)

            try await raw.send(.window(call: 1, bytes: 200_000))
            while let received = try await raw.next() {
                if case .data(1, _, _) = received.frame { replies += 1 }
                if case .end(1, let ending) = received.frame {
                    #expect(ending.status.code == .ok)
                    break
                }
            }
            #expect(replies == 100)
            await raw.close()
        }
    }

    @Test func `a slow reader slows its own call only`() async throws {
        let release = Signal()

        try await withServerAndClient {
            $0.connectionsMax = 1
        } _: { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await client.serverStreaming(
                        Methods.count, .encoded([255, 100] as [UInt8]), options: CallOptions()
                    ) { _ in await release.wait() }
                }
                for number in UInt8(0)..<50 {
                    let answer1 = try await client.bytes(Methods.echo, [number])
                    #expect(answer1 == [number])
                }
                let bytes = Atomic<Int>(0)
                try await client.serverStreaming(
                    Methods.count, .encoded([50, 100] as [UInt8]), options: CallOptions()
                ) { reply in bytes.wrappingAdd(reply.byteCount, ordering: .relaxed) }
                #expect(bytes.load(ordering: .relaxed) == 50 * 25_600)
                release.send()
                try await group.waitForAll()
            }
        }
    }

    @Test func `the deadline ends a stream`() async throws {
        let hanging = HangingMethod()
        let method = RegisteredMethod(
            Methods.count, .serverStreaming { _, _, _ in await hanging.hang() })

        try await withServer([method]) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.count, timeout: .milliseconds(50)))
            let ending = try await raw.end(of: 1)
            await hanging.cancelled.wait()
            await raw.close()

            #expect(ending?.status.code == .deadlineExceeded)
        }
    }

    @Test func `writers of child tasks take turns`() async throws {
        let method = RegisteredMethod(
            Methods.count,
            .serverStreaming { _, _, replies in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in UInt8(0)..<20 {
                        group.addTask {
                            for _ in 0..<10 {
                                try await replies.write(
                                    .encoded([UInt8](repeating: number, count: 2_000)))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            })
        let count = Atomic<Int>(0)

        try await withServerAndClient([method]) { client in
            try await client.serverStreaming(
                Methods.count, .encoded([UInt8]()), options: CallOptions()
            ) { _ in count.wrappingAdd(1, ordering: .relaxed) }
        }

        #expect(count.load(ordering: .relaxed) == 200)
    }
}
