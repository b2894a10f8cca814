import RPC
import Testing

@testable import RPCTransport

/// The times that a server gives to its peers.
@Suite(.timeLimit(.minutes(1))) struct `Times of the server` {
    /// What a peer may do that keeps neither to the protocol's times nor closes by itself.
    enum Delay: CaseIterable {
        case noSettings
        case noEndOfFrame
        case noPong
    }

    @Test(arguments: Delay.allCases)
    func `a peer that takes too long is gone when the time is over`(delay: Delay) async throws {
        let hanging = HangingMethod()
        let time: Duration = .seconds(3)

        try await withServer([hanging.method()]) {
            $0.handshakeTimeout = time
            $0.frameTimeout = time
            $0.pingInterval = .milliseconds(1)
            $0.pongTimeout = time
            $0.lingerTime = .seconds(1)
        } _: { server, address in
            let raw = try await RawConnection(to: address, stays: true)
            let hello = Frame.preface + OutgoingFrame.settings(Frame.Settings()).encoded()
            let start = ContinuousClock.now
            switch delay {
            case .noSettings: try await raw.send(Frame.preface)
            case .noEndOfFrame: try await raw.send(hello + [0, 0, 1, 0])
            case .noPong:
                // The call outlives the time: without one in flight nobody is asked for a pong.
                let call = OutgoingFrame.call(1, Methods.hang, timeout: .seconds(20))
                try await raw.send(hello + call.encoded())
            }
            try await until { server.connectionCount == 1 }
            try await until { server.connectionCount == 0 }
            let gone = start.duration(to: .now)
            await raw.close()

            #expect(gone >= time / 2)
            // Were the time to read why not a part of it, it would take a second more.
            #expect(gone <= time + .milliseconds(900), "\(gone)")
        }
    }

    @Test func `how many pings may come too soon is a setting`() async throws {
        try await withServer([]) {
            $0.peerPingsTooSoonMax = 4
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            for number in UInt64(0)..<4 { try await raw.send(.ping(number: number)) }
            for number in UInt64(0)..<4 {
                let answer = try await raw.next()?.frame
                #expect(answer == .pong(number: number))
            }
            try await raw.send(.ping(number: 4))
            let goaway = try await raw.goaway()
            await raw.close()

            #expect(goaway?.status.message == "The pings come too often.")
        }
    }
}
