import RPC
import Synchronization
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Limits of the server` {
    @Test func `calls above a connection's limit are refused with a delay`() async throws {
        let hanging = HangingMethod()

        try await withServer([hanging.method(), Methods.echoing]) {
            $0.callsPerConnectionMax = 2
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang), .call(3, Methods.hang))
            await hanging.started.wait()
            try await raw.send(.call(5, Methods.echo))
            let refused = try await raw.end(of: 5)?.status
            hanging.cancelled.send()
            await raw.close()

            #expect(refused?.code == .resourceExhausted)
            #expect(refused?.details.contains(.retryInfo(delay: .milliseconds(50))) == true)
        }
    }

    @Test func `the client keeps to the server's limit and holds further calls back`()
        async throws
    {
        let hanging = HangingMethod()

        try await withServerAndClient([hanging.method(), Methods.echoing]) {
            $0.callsPerConnectionMax = 1
        } configure: {
            $0.connectionsMax = 1
        } _: { client in
            async let hung = client.bytes(Methods.hang)
            await hanging.started.wait()
            async let held = client.bytes(Methods.echo, [1])
            hanging.cancelled.send()
            let replies = try await (hung, held)

            #expect(replies.1 == [1])
        }
    }

    @Test func `calls above the process's limit wait, and are refused when nobody makes room`()
        async throws
    {
        let hanging = HangingMethod()

        try await withServer([hanging.method(), Methods.echoing]) {
            $0.callsMax = 1
            $0.queueMax = 1
            $0.queueTimeMax = .milliseconds(20)
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang))
            await hanging.started.wait()
            try await raw.send(.call(3, Methods.echo), .call(5, Methods.echo))
            let beyondQueue = try await raw.end(of: 5)?.status
            let waitedInVain = try await raw.end(of: 3)?.status
            hanging.cancelled.send()
            await raw.close()

            #expect(beyondQueue?.code == .resourceExhausted)
            #expect(waitedInVain?.code == .resourceExhausted)
            #expect(waitedInVain?.reason == "server_busy")
        }
    }

    @Test func `a call that waits begins when another ends, on any thread`() async throws {
        let hanging = HangingMethod()

        try await withServer([hanging.method(), Methods.echoing]) {
            $0.callsMax = 1
            $0.queueTimeMax = .seconds(20)
        } _: { _, address in
            let holder = try await RawConnection.open(to: address)
            try await holder.send(.call(1, Methods.hang))
            await hanging.started.wait()
            var waiting: [RawConnection] = []
            for _ in 0..<4 {
                let raw = try await RawConnection.open(to: address)
                try await raw.send(.call(1, Methods.echo, [7]))
                waiting.append(raw)
            }
            hanging.cancelled.send()
            for raw in waiting {
                let ending = try await raw.end(of: 1)
                #expect(ending?.status.code == .ok)
                await raw.close()
            }
            await holder.close()
        }
    }

    @Test func `health passes when all places are taken`() async throws {
        let hanging = HangingMethod()
        let health = MethodDescriptor(service: "guildhall.rpc.v1.Health", name: "Check")
        let checking = RegisteredMethod(health, .unary { payload, _ in .encoded(payload) })

        try await withServer([hanging.method(), Methods.echoing, checking]) {
            $0.callsMax = 1
            $0.callsPerConnectionMax = 1
            $0.queueMax = 0
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang))
            await hanging.started.wait()
            try await raw.send(.call(3, health), .call(5, Methods.echo))
            let checked = try await raw.end(of: 3)?.status
            hanging.cancelled.send()
            await raw.close()

            #expect(checked?.code == .ok)
        }
    }

    @Test func `a handshake that takes too long is closed`() async throws {
        try await withServer([]) {
            $0.handshakeTimeout = .milliseconds(20)
        } _: { _, address in
            let raw = try await RawConnection(to: address)
            try await raw.send(Array(Frame.preface.prefix(3)))
            let goaway = try await raw.goaway()
            await raw.close()

            #expect(goaway?.status.message == "The handshake took too long.")
        }
    }

    @Test func `a frame that takes too long is closed`() async throws {
        try await withServer([]) {
            $0.frameTimeout = .milliseconds(20)
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send([0, 0, 1, 0, 8])
            let goaway = try await raw.goaway()
            await raw.close()

            #expect(goaway?.status.message == "A frame took too long to arrive.")
        }
    }

    @Test func `settings that never come and frames that drip in are closed`() async throws {
        try await withServer([]) {
            $0.handshakeTimeout = .milliseconds(100)
            $0.frameTimeout = .milliseconds(100)
        } _: { _, address in
            let silent = try await RawConnection(to: address)
            try await silent.send(Frame.preface)
            let afterPreface = try await silent.goaway()
            await silent.close()
            let dripping = try await RawConnection.open(to: address)
            async let goaway = dripping.goaway()
            let start = ContinuousClock.now
            try await dripping.send([0, 0, 0x10, 0])
            while start.duration(to: .now) < .milliseconds(200) { try await dripping.send([8]) }
            let afterDrip = try await goaway
            await dripping.close()

            #expect(afterPreface?.status.message == "The handshake took too long.")
            #expect(afterDrip?.status.message == "A frame took too long to arrive.")
        }
    }

    @Test func `streams without credit take no more places than there are`() async throws {
        let waiting = RegisteredMethod(
            Methods.count,
            .serverStreaming { _, _, replies in
                while true { try await replies.write(.encoded([UInt8](repeating: 0, count: 100))) }
            })

        try await withServer([waiting, Methods.echoing]) {
            $0.streamsMax = 2
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            for number in [1, 3] as [UInt32] {
                try await raw.send(.call(number, Methods.count, timeout: nil, window: 1))
                // Its one reply has come, so that its handler waits for credit by now.
                while let received = try await raw.next() {
                    if case .data(number, _, _) = received.frame { break }
                }
            }
            try await raw.send(.call(5, Methods.count, window: 1), .call(7, Methods.echo, [1]))
            let refused = try await raw.end(of: 5)?.status
            let served = try await raw.end(of: 7)?.status
            await raw.close()

            #expect(refused?.reason == "server_busy")
            #expect(served?.code == .ok)
        }
    }

    @Test func `an idle connection is closed, and the client connects anew`() async throws {
        try await withServer([Methods.echoing]) {
            $0.idleTimeout = .milliseconds(20)
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            let goaway = try await raw.goaway()
            await raw.close()
            let replies = try await withClient(address) { client in
                let first = try await client.bytes(Methods.echo, [1])
                let idle = try await RawConnection.open(to: address)
                _ = try await idle.goaway()
                await idle.close()
                return try await first + client.bytes(Methods.echo, [2])
            }

            #expect(goaway?.status.code == .ok)
            #expect(replies == [1, 2])
        }
    }

    @Test func `connections above the limit are refused`() async throws {
        try await withServer([Methods.echoing]) {
            $0.connectionsMax = 1
        } _: { _, address in
            let first = try await RawConnection.open(to: address)
            let second = try await RawConnection(to: address)
            let goaway = try await second.goaway()
            await second.close()
            try await first.send(.call(1, Methods.echo))
            let ending = try await first.end(of: 1)
            await first.close()

            #expect(goaway?.status.code == .resourceExhausted)
            #expect(ending?.status.code == .ok)
        }
    }

    @Test func `connections of one address that do not shake hands are bounded`() async throws {
        try await withServer([Methods.echoing]) {
            $0.handshakesPerAddressMax = 2
        } _: { _, address in
            // Both answered, so that the server certainly has accepted them.
            let first = try await RawConnection.open(to: address)
            let silent = [
                try await RawConnection(to: address), try await RawConnection(to: address),
                try await RawConnection(to: address),
            ]
            let goaway = try await withThrowingTaskGroup(of: Frame.Goaway?.self) { group in
                for raw in silent { group.addTask { try await raw.goaway() } }
                let first = try await group.next()
                for raw in silent { await raw.close() }
                return first ?? nil
            }
            await first.close()

            #expect(goaway?.status.code == .resourceExhausted)
        }
    }

    @Test func `connections that end give back no place of those that have yet to shake hands`()
        async throws
    {
        try await withServer([Methods.echoing]) {
            $0.handshakesPerAddressMax = 2
        } _: { server, address in
            var silent = [try await RawConnection(to: address)]
            try await until { server.connectionCount == 1 }
            for _ in 0..<3 {
                let open = try await RawConnection.open(to: address)
                await open.close()
                let refused = try await RawConnection(to: address)
                try await refused.send([UInt8](repeating: 0, count: 8))
                _ = try await refused.goaway()
                await refused.close()
                try await until { server.connectionCount == 1 }
            }
            silent.append(try await RawConnection(to: address))
            try await until { server.connectionCount == 2 }
            let third = try await RawConnection(to: address)
            let goaway = try await third.goaway()
            await third.close()
            for raw in silent { await raw.close() }

            #expect(goaway?.status.code == .resourceExhausted)
        }
    }

    @Test func `a flood of cancellations is closed`() async throws {
        try await withServer([HangingMethod().method()]) {
            $0.cancelsMax = 10
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            for number in UInt32(0)..<11 {
                try await raw.send(
                    .call(2 * number + 1, Methods.hang), .cancel(call: 2 * number + 1))
            }
            let goaway = try await raw.goaway()
            await raw.close()

            #expect(goaway?.status.message == "The connection cancels too many calls.")
        }
    }

    @Test func `pings are answered, and pings that come too often close the connection`()
        async throws
    {
        try await withServer([]) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.ping(number: 77))
            let answer = try await raw.next()?.frame
            try await raw.send(.ping(number: 78), .ping(number: 79))
            let goaway = try await raw.goaway()
            await raw.close()

            #expect(answer == .pong(number: 77))
            #expect(goaway?.status.message == "The pings come too often.")
        }
    }

    @Test func `a peer with calls that answers no ping is closed`() async throws {
        let hanging = HangingMethod()

        try await withServer([hanging.method()]) {
            $0.pingInterval = .milliseconds(10)
            $0.pongTimeout = .milliseconds(10)
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang))
            let goaway = try await raw.goaway()
            await hanging.cancelled.wait()
            await raw.close()

            #expect(goaway?.status.message == "The peer does not answer.")
        }
    }

    @Test func `a peer that takes no replies is closed`() async throws {
        let ended = Signal()
        let flooding = RegisteredMethod(
            Methods.count,
            .serverStreaming { _, _, replies in
                defer { ended.send() }
                let reply = [UInt8](repeating: 0, count: 60_000)
                while true { try await replies.write(.encoded(reply)) }
            })

        try await withServer([flooding]) {
            $0.unwritableTimeout = .milliseconds(30)
        } _: { _, address in
            let raw = try await RawConnection(to: address, reading: false)
            try await raw.send(
                Frame.preface + OutgoingFrame.settings(Frame.Settings()).encoded()
                    + OutgoingFrame.call(
                        1, Methods.count, timeout: nil, window: 1 << 30
                    ).encoded())
            await ended.wait()
            await raw.close()
        }
    }
}
