import NIOCore
import RPC
import Testing

@testable import RPCTransport

/// Frames that begin and do not end: each holds memory for as long as a frame may take.
@Suite(.serialized, .timeLimit(.minutes(1))) struct `Frames that do not end` {
    private static let ordinary = RegisteredMethod(
        Methods.unary("Ordinary"), .unary { payload, _ in .encoded(payload) })

    /// The beginning of a frame of so many bytes: all but the last.
    private func beginning(_ byteCount: Int) -> [UInt8] {
        RawConnection.framed([UInt8](repeating: 0x42, count: byteCount)).dropLast()
    }

    @Test func `are of ordinary size until the settings have come`() async throws {
        try await withServer([Methods.echoing]) { _, address in
            let raw = try await RawConnection(to: address)
            try await raw.send(Frame.preface + beginning(80 * 1_024 + 1))
            let goaway = try await raw.goaway()
            await raw.close()

            #expect(goaway?.status.message.contains("this server accepts 81920") == true)
        }
    }

    @Test func `are of ordinary size where no method takes more`() async throws {
        try await withServer([Self.ordinary]) { _, address in
            let raw = try await RawConnection(to: address)
            try await raw.send(Frame.preface + OutgoingFrame.settings(Frame.Settings()).encoded())
            guard case .settings(let settings)? = try await raw.next()?.frame else {
                Issue.record("no settings")
                return
            }
            try await raw.send(beginning(80 * 1_024 + 1))
            let goaway = try await raw.goaway()
            await raw.close()

            #expect(settings.frameBytesMax == 80 * 1_024)
            #expect(goaway?.status.message.contains("this server accepts 81920") == true)
        }
    }

    @Test func `of the largest size arrive with the settings, where a method takes them`()
        async throws
    {
        let request = [UInt8](repeating: 7, count: 1_000_000)

        try await withServer([Methods.echoing]) { _, address in
            let raw = try await RawConnection(to: address)
            try await raw.send(
                Frame.preface + OutgoingFrame.settings(Frame.Settings()).encoded()
                    + OutgoingFrame.call(1, Methods.echo, request).encoded())
            let ends = try await raw.ends(1)
            await raw.close()

            #expect(ends.map(\.status.code) == [.ok])
        }
    }

    @Test func `an ordinary request of the largest size is taken where no method takes more`()
        async throws
    {
        let metadata = (0..<60).reduce(into: Metadata()) { metadata, number in
            metadata[text: "k\(number)"] = String(repeating: "v", count: 120)
        }
        let request = [UInt8](repeating: 7, count: 64 * 1_024)

        try await withServer([Self.ordinary]) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(
                .call(1, Self.ordinary.descriptor, request, metadata: metadata))
            let ends = try await raw.ends(1)
            await raw.close()

            #expect(ends.map(\.status.code) == [.ok])
        }
    }

    @Test func `a request that no frame takes is refused by the client for good`() async throws {
        try await withServerAndClient([Self.ordinary]) { client in
            let refused = await status {
                try await client.bytes(
                    Self.ordinary.descriptor, [UInt8](repeating: 1, count: 200_000))
            }
            let after = try await client.bytes(Self.ordinary.descriptor, [1])

            #expect(refused?.code == .resourceExhausted)
            #expect(refused?.rpcReason == .requestTooLarge)
            #expect(after == [1])
        }
    }

    @Test func `hold about as much as has arrived, whatever it was read into`() throws {
        let limits = RPCServerConfiguration.Limits()
        let size = 64 * 1_024
        var assembler = FrameAssembler(frameBytesMax: size)
        for _ in 0..<4 {
            var burst = ByteBufferAllocator().buffer(capacity: size)
            burst.writeBytes(RawConnection.framed([UInt8](repeating: 7, count: size - 4)))
            assembler.append(burst)
            let whole = try assembler.next()
            assembler.compact()
            #expect(whole?.readableBytes == size - 4)
            #expect(assembler.heldBytes == 0)
        }
        let start = beginning(7)
        var last = ByteBufferAllocator().buffer(capacity: size)
        last.writeBytes(start)
        assembler.append(last)
        let none = try assembler.next()
        assembler.compact()
        let held = assembler.heldBytes
        let rest = assembler.takeAll()

        #expect(none == nil)
        #expect(held <= limits.partialFrameBytesUncounted, "it is not counted")
        #expect(rest == ByteBuffer(bytes: start))
    }

    @Test(arguments: [64, 200])
    func `hold no more memory than there is for them, and others are served`(count: Int)
        async throws
    {
        let budget = 8 << 20
        let piece = beginning(1_000_000)

        try await withServer([Methods.echoing]) {
            $0.partialFrameBytesMax = budget
            $0.frameTimeout = .seconds(60)
        } _: { server, address in
            var connections: [RawConnection] = []
            let bytes = try await Cost.memory {
                for _ in 0..<count {
                    let raw = try await RawConnection.open(to: address)
                    try await raw.send(piece)
                    connections.append(raw)
                }
                // Each holds at least its frame.
                try await until { server.connectionCount <= budget / piece.count }
            }
            let open = server.connectionCount
            let ordinary = try await RawConnection.open(to: address)
            // A frame of the usual size may arrive in pieces all the same.
            let call = OutgoingFrame.call(1, Methods.echo, [UInt8](repeating: 1, count: 500))
                .encoded()
            try await ordinary.send(Array(call.prefix(300)))
            try await until { server.connectionCount == open + 1 }
            try await ContinuousClock().sleep(for: .milliseconds(20))
            try await ordinary.send(Array(call.dropFirst(300)))
            let served = try await ordinary.ends(1)
            await ordinary.close()
            var reasons: Set<String> = []
            for raw in connections { await raw.close() }
            for raw in connections {
                if let goaway = try await raw.goaway() { reasons.insert(goaway.status.message) }
            }
            try await until { server.connectionCount == 0 }

            // What the test itself sends is in the same process.
            #expect(bytes <= budget + (12 << 20), "\(bytes)")
            #expect(open >= 2)
            #expect(served.map(\.status.code) == [.ok])
            #expect(reasons == [ServerConnection.tooManyPartialFrames.message])

            // The memory is given back: a large frame is taken again.
            let raw = try await RawConnection.open(to: address)
            let large = OutgoingFrame.call(1, Methods.echo, [UInt8](repeating: 1, count: 900_000))
                .encoded()
            for start in stride(from: 0, to: large.count, by: 100_000) {
                try await raw.send(Array(large[start..<min(start + 100_000, large.count)]))
            }
            let taken = try await raw.ends(1)
            await raw.close()
            #expect(taken.map(\.status.code) == [.ok])
        }
    }
}
