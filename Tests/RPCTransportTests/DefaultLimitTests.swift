import RPC
import Testing

@testable import RPCTransport

/// The limits with which servers and clients ship, as the plan has them: a change is a decision.
struct `Limits by default` {
    /// The limits of servers, in the words of ``ServerReport/Limit``.
    private static let ofServers: [String: ServerReport.Limit.Value] = [
        "frameBytesMax": .count(1_048_576),
        "frameHeadBytesMax": .count(16_384),
        "partialFrameBytesMax": .count(67_108_864),
        "partialFrameBytesUncounted": .count(4_096),
        "requestBytesMax": .count(65_536),
        "requestWindow": .count(65_536),
        "callsPerConnectionMax": .count(64),
        "callsMax": .count(256),
        "callsPerMethodMin": .count(8),
        "callsPerMethodMax": .count(256),
        "streamsMax": .count(256),
        "reservedCallsMax": .count(16),
        "reservedCallsPerConnectionMax": .count(8),
        "reservedStreamsMax": .count(64),
        "reservedStreamsPerConnectionMax": .count(4),
        "queueMax": .count(128),
        "queueTimeMax": .time(.milliseconds(100)),
        "connectionsMax": .count(1_024),
        "handshakesPerAddressMax": .count(16),
        "connectionsPerIdentityMax": .count(64),
        "handshakeTimeout": .time(.seconds(5)),
        "frameTimeout": .time(.seconds(10)),
        "idleTimeout": .time(.seconds(300)),
        "pingInterval": .time(.seconds(60)),
        "pongTimeout": .time(.seconds(20)),
        "peerPingIntervalMin": .time(.seconds(10)),
        "peerPingsTooSoonMax": .count(2),
        "cancelsMax": .count(200),
        "cancelsPeriod": .time(.seconds(30)),
        "unwritableTimeout": .time(.seconds(30)),
        "lingerTime": .time(.seconds(1)),
        "connectionAge": .time(.seconds(1_800)),
        "connectionGrace": .time(.seconds(30)),
        "writeHighWaterBytes": .count(65_536),
        "writeLowWaterBytes": .count(32_768),
        "drainTimeout": .time(.seconds(10)),
        "streamDrainTimeout": .time(.milliseconds(250)),
        "timeoutDefault": .time(.seconds(2)),
        "timeoutMax": .time(.seconds(30)),
        "slowCallTime": .time(.milliseconds(500)),
        "retryDelay": .time(.milliseconds(50)),
    ]

    @Test func `of servers are all named, and those of the plan`() {
        let found = RPCServerConfiguration.Limits().named.map { ($0.name, $0.value) }

        #expect(Dictionary(found) { first, _ in first } == Self.ofServers)
        #expect(RPCServerConfiguration.Limits().connectionAgeJitter == 0.1)
    }

    @Test func `of clients are those of the plan`() {
        let found = RPCClientConfiguration()
        let counts = [
            ("addressesMax", found.addressesMax, 16),
            ("frameBytesMax", found.frameBytesMax, 1_048_576),
            ("streamWindow", Int(found.streamWindow), 65_536),
            ("writeHighWaterBytes", found.writeHighWaterBytes, 65_536),
            ("ejectionFailures", found.ejectionFailures, 5),
            ("attemptsMax", found.attemptsMax, 3),
            ("retryTokensMax", found.retryTokensMax, 10),
            // A tenth of a token for each call that goes well.
            ("successesPerRetryToken", found.successesPerRetryToken, 10),
            ("queueMax", found.queueMax, 1_024),
        ]
        let times: [(String, Duration, Duration)] = [
            ("connectTimeout", found.connectTimeout, .seconds(2)),
            ("handshakeTimeout", found.handshakeTimeout, .seconds(5)),
            ("backoffBase", found.backoffBase, .milliseconds(50)),
            ("backoffMax", found.backoffMax, .seconds(1)),
            ("ejectionBase", found.ejectionBase, .seconds(1)),
            ("ejectionMax", found.ejectionMax, .seconds(30)),
            ("retryBase", found.retryBase, .milliseconds(100)),
            ("retryPauseMax", found.retryPauseMax, .seconds(30)),
            ("pingInterval", found.pingInterval, .seconds(60)),
            ("pongTimeout", found.pongTimeout, .seconds(20)),
            ("connectionAge", found.connectionAge, .seconds(1_800)),
            ("idleTimeout", found.idleTimeout, .seconds(240)),
        ]

        for (name, value, planned) in counts { #expect(value == planned, "\(name)") }
        for (name, value, planned) in times { #expect(value == planned, "\(name)") }
        #expect(found.connectionAgeJitter == 0.1)
        // One connection per thread, no compression, no TLS unless told.
        #expect(found.connectionsMax == nil)
        #expect(found.compression == .off)
    }

    @Test func `of the wire are constants of the protocol`() {
        #expect(Frame.byteCountHardMax == 1_048_576)
        #expect(Metadata.byteCountMax == 8_192)
        #expect(Metadata.entryCountMax == 64)
        #expect(
            DecodingLimits.standard
                == DecodingLimits(
                    fieldsMax: 4_096, depthMax: 8, unknownFieldsMax: 16, arenaBytesMax: 8 << 20))
        #expect(
            DecodingLimits.bulk
                == DecodingLimits(
                    fieldsMax: 65_536, depthMax: 8, unknownFieldsMax: 16, arenaBytesMax: 64 << 20))
    }
}
