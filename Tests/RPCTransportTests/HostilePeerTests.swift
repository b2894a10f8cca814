import NIOCore
import RPC
import Testing

@testable import RPCTransport

/// Peers that keep to the protocol's letter and want the server's memory or places.
@Suite(.serialized, .timeLimit(.minutes(1))) struct `Hostile peers` {
    private static let deaf = MethodDescriptor(
        service: Methods.service, name: "Deaf", kind: .clientStreaming)

    private func opening(_ call: UInt32, _ method: MethodDescriptor) -> OutgoingFrame {
        .open(
            call: call,
            OutgoingOpening(
                method: .path(method.path), timeout: nil, message: nil, endOfStream: false))
    }

    @Test func `small requests that nobody reads hold little memory, however they arrive`()
        async throws
    {
        let hanging = HangingMethod()
        let deaf = RegisteredMethod(
            Self.deaf,
            .clientStreaming { _, _ in
                await hanging.hang()
                return .encoded([UInt8]())
            })

        try await withServer([deaf]) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(opening(1, Self.deaf))
            await hanging.started.wait()
            // Each request comes in a full read, after a frame that nobody keeps.
            let padding = Bomb.field(15, [UInt8](repeating: 0, count: 60_000))
            let noise = RawConnection.framed([0x42, 0x00] + padding)
            let piece =
                noise
                + OutgoingFrame.data(
                    call: 1, .encoded([1] as [UInt8]), endOfStream: false
                ).encoded()
            let bytes = try await Cost.memory {
                for _ in 0..<600 { try await raw.send(piece) }
                try await raw.send(.cancel(call: 1))
                await hanging.cancelled.wait()
            }
            await raw.close()

            #expect(bytes <= Cost.bytesMax)
        }
    }

    @Test func `a reader that is always a little behind does not keep what it has read`()
        async throws
    {
        let inbox = MessageInbox(window: 10_000)
        let message = ByteBuffer(repeating: 1, count: 1_000)

        let bytes = try await Cost.memory {
            for number in 0..<50_000 {
                // Each in memory of its own, as it comes from a socket.
                var own = message
                own.setInteger(number, at: 0)
                #expect(inbox.append(BufferPayload(own), byteCount: 1_000))
                if number > 0 { _ = try await inbox.next() }
                _ = inbox.creditToGive()
            }
        }

        #expect(bytes <= Cost.bytesMax)
    }

    @Test func `requests within a frame above the credit are refused at the credit`()
        async throws
    {
        let hanging = HangingMethod()
        let deaf = RegisteredMethod(
            Self.deaf,
            .clientStreaming { _, _ in
                await hanging.hang()
                return .encoded([UInt8]())
            })

        try await withServer([deaf]) {
            $0.requestWindow = 1_000
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(opening(1, Self.deaf))
            await hanging.started.wait()
            let message = OutgoingMessage.encoded([UInt8](repeating: 1, count: 990))
            // The second begins while credit is left, the third does not.
            for _ in 0..<3 { try await raw.send(.data(call: 1, message, endOfStream: false)) }
            let goaway = try await raw.goaway()
            await raw.close()

            #expect(goaway?.status.message == "The call 1 sends more than its credit.")
        }
    }

    @Test func `a peer that reads no replies holds little memory and is closed`() async throws {
        let reply = [UInt8](repeating: 0, count: 60_000)
        let large = RegisteredMethod(Methods.echo, .synchronous { _, _ in .encoded(reply) })

        try await withServer([large]) {
            $0.unwritableTimeout = .milliseconds(300)
        } _: { server, address in
            let raw = try await RawConnection(to: address, reading: false)
            let call = OutgoingFrame.call(1, Methods.echo).encoded()
            let bytes = try await Cost.memory {
                var calls: [UInt8] = []
                for number in 0..<UInt32(60_000 / call.count) {
                    calls += OutgoingFrame.call(2 * number + 1, Methods.echo).encoded()
                }
                try await raw.send(
                    Frame.preface + OutgoingFrame.settings(Frame.Settings()).encoded() + calls)
                while server.connectionCount == 0 { await Task.yield() }
                while server.connectionCount > 0 { await Task.yield() }
            }
            await raw.close()

            #expect(bytes <= Cost.bytesMax)
        }
    }

    @Test func `a peer that reads no replies and sends on is not read from`() async throws {
        let reply = [UInt8](repeating: 0, count: 60_000)
        let large = RegisteredMethod(Methods.echo, .synchronous { _, _ in .encoded(reply) })
        // Frames that nobody keeps.
        let noise = RawConnection.framed(
            [0x42, 0x00] + Bomb.field(15, [UInt8](repeating: 0, count: 60_000)))

        try await withServer([large]) {
            $0.unwritableTimeout = .milliseconds(300)
        } _: { server, address in
            let raw = try await RawConnection(to: address, reading: false)
            let calls = (0..<UInt32(500)).flatMap {
                OutgoingFrame.call(2 * $0 + 1, Methods.echo).encoded()
            }
            let bytes = try await Cost.memory {
                try await raw.send(
                    Frame.preface + OutgoingFrame.settings(Frame.Settings()).encoded() + calls)
                // Each waits until the sockets have room; then the server has closed.
                for _ in 0..<1_000 { try await raw.send(noise) }
                while server.connectionCount > 0 { await Task.yield() }
            }
            await raw.close()

            #expect(bytes <= Cost.bytesMax)
        }
    }

    @Test func `calls whose time passes while the peer reads nothing are not begun`()
        async throws
    {
        let reply = [UInt8](repeating: 7, count: 900_000)
        let large = RegisteredMethod(Methods.echo, .synchronous { _, _ in .encoded(reply) })
        let calls = (0..<30).map { UInt32(2 * $0 + 1) }

        try await withServer([large]) { _, address in
            let raw = try await RawConnection(to: address, reading: false)
            try await raw.send(
                Frame.preface + OutgoingFrame.settings(Frame.Settings()).encoded()
                    + calls.flatMap {
                        OutgoingFrame.call($0, Methods.echo, timeout: .milliseconds(200))
                            .encoded()
                    })
            try await ContinuousClock().sleep(for: .milliseconds(400))
            try await raw.beginReading()
            var codes: [Status.Code] = []
            for call in calls {
                if let ending = try await raw.end(of: call) { codes.append(ending.status.code) }
            }
            await raw.close()

            #expect(codes.count == calls.count)
            #expect(codes.first == .ok)
            #expect(codes.last == .deadlineExceeded)
        }
    }

    @Test func `a peer that accepts frames without end gets none above the hard limit`()
        async throws
    {
        let reply = [UInt8](repeating: 7, count: Frame.byteCountHardMax)
        let large = RegisteredMethod(Methods.echo, .synchronous { _, _ in .encoded(reply) })
        var settings = Frame.Settings()
        settings.frameBytesMax = .max

        try await withServer([large]) { _, address in
            let raw = try await RawConnection(to: address)
            try await raw.send(Frame.preface + OutgoingFrame.settings(settings).encoded())
            try await raw.send(.call(1, Methods.echo))
            let ending = try await raw.end(of: 1)
            await raw.close()

            #expect(ending?.status.code == .resourceExhausted)
        }
    }

    @Test func `calls that are answered while the peer reads slowly are all answered`()
        async throws
    {
        let reply = [UInt8](repeating: 7, count: 60_000)
        let large = RegisteredMethod(Methods.echo, .synchronous { _, _ in .encoded(reply) })

        try await withServer([large]) { _, address in
            let raw = try await RawConnection.open(to: address)
            let calls = (0..<UInt32(500)).flatMap {
                OutgoingFrame.call(2 * $0 + 1, Methods.echo).encoded()
            }
            let goaway = Frame.Goaway(lastCall: 0, status: Status(.ok, "Done."))
            try await raw.send(calls + OutgoingFrame.goaway(goaway).encoded())
            var answered = 0
            while let received = try await raw.next() {
                if case .end(_, let ending) = received.frame, ending.status.code == .ok {
                    answered += 1
                }
            }
            await raw.close()

            #expect(answered == 500)
        }
    }
}
