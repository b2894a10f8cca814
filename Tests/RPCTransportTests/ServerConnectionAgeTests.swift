import RPC
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Connections of age, at the server` {
    @Test func `clients connect anew, and no call is lost`() async throws {
        let server = NumberedServer(1)
        let log = EventLog()

        try await withServer(server.methods) {
            $0.connectionAge = .milliseconds(10)
        } _: { running, address in
            try await withClient(address) {
                $0.observer = log.observer
            } _: { client in
                try await client.callUntilReconnected(to: address, log)
                try await until { running.connectionCount <= 2 }
            }
        }
    }

    @Test func `a client is told, and its call may end`() async throws {
        let hanging = HangingMethod()

        try await withServer([hanging.method()]) {
            $0.connectionAge = .seconds(1)
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang, [3]))
            guard case .goaway(let goaway)? = try await raw.next()?.frame else {
                Issue.record("no Goaway")
                return
            }
            hanging.cancelled.send()
            let ending = try await raw.end(of: 1)
            let after = try await raw.next()

            #expect(goaway.lastCall == 1)
            #expect(goaway.status.code == .unavailable)
            #expect(goaway.drain == .seconds(30))
            #expect(ending?.status.code == .ok)
            #expect(after == nil)
        }
    }

    @Test(arguments: [false, true])
    func `a call that takes longer than the grace is ended`(
        ofWhoHasTakenLeave: Bool
    ) async throws {
        let hanging = HangingMethod()

        try await withServer([hanging.method()]) {
            $0.connectionAge = .milliseconds(10)
            $0.connectionGrace = .milliseconds(20)
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang, timeout: .seconds(20)))
            if ofWhoHasTakenLeave {
                let leave = Frame.Goaway(lastCall: 0, status: Status(.ok, "Done."))
                try await raw.send(.goaway(leave))
            }
            let ending = try await raw.end(of: 1)
            let after = try await raw.next()
            await hanging.cancelled.wait()

            #expect(ending?.status.code == .unavailable)
            #expect(ending?.status.reason == "connection_aged")
            #expect(ending?.status.message.contains("reached its age") == true)
            #expect(after == nil)
        }
    }

    @Test func `what a slow reader has yet to take is not cut off`() async throws {
        let reply = [UInt8](repeating: 7, count: 1_000_000)
        let large = RegisteredMethod(Methods.echo, .synchronous { _, _ in .encoded(reply) })
        let calls = (0..<UInt32(8)).map { 2 * $0 + 1 }

        try await withServer([large]) {
            $0.connectionAge = .milliseconds(200)
            // All are answered before the peer reads.
            $0.writeHighWaterBytes = 64 << 20
        } _: { server, address in
            let raw = try await RawConnection(to: address, reading: false)
            try await raw.send(
                Frame.preface + OutgoingFrame.settings(Frame.Settings()).encoded()
                    + calls.flatMap { OutgoingFrame.call($0, Methods.echo).encoded() })
            // Longer than a connection stays that has nothing left to send.
            try await ContinuousClock().sleep(for: .milliseconds(1_500))
            let isKept = server.connectionCount == 1
            try await raw.beginReading()
            var answered: [UInt32] = []
            while let received = try await raw.next() {
                if case .end(let call, let ending) = received.frame, ending.status.code == .ok {
                    answered.append(call)
                }
            }
            await raw.close()

            #expect(isKept)
            #expect(answered == calls)
        }
    }

    @Test func `ages differ by a tenth at most`() {
        let limits = RPCServerConfiguration.Limits()
        let ages = (0..<200).map { _ in limits.connectionAge.spread(by: limits.connectionAgeJitter)
        }

        #expect(ages.allSatisfy { .seconds(1_620) <= $0 && $0 <= .seconds(1_980) })
        #expect(Set(ages).count > 100)
    }
}
