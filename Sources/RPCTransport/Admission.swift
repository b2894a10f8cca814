import RPC
import Synchronization

/// Counts what a server has taken on, over all its threads.
final class Admission: Sendable {
    /// Which places a call takes.
    enum Lane: Int, Sendable {
        case unary
        case stream
        /// Calls of one request and one reply that pass when all places are taken.
        case reserved
        /// Streams that do; they may stay for ever, and so take no place of the calls.
        case reservedStream
        /// Streams that do of services beside health and introspection: those who watch take no
        /// place of them.
        case operatorStream
    }

    private let limits: RPCServerConfiguration.Limits
    private let unary = Atomic<Int>(0)
    private let streams = Atomic<Int>(0)
    private let reserved = Atomic<Int>(0)
    private let reservedStreams = Atomic<Int>(0)
    private let operatorStreams = Atomic<Int>(0)
    private let partialFrameBytes = Atomic<Int>(0)
    private let queued = Atomic<Int>(0)
    private let connections = Mutex<Connections>(Connections())

    private struct Connections {
        var count = 0
        var handshakes: [String: Int] = [:]
        var identities: [PeerIdentity: Int] = [:]
    }

    init(_ limits: RPCServerConfiguration.Limits) {
        self.limits = limits
    }

    /// Whether a lane has a free place.
    ///
    /// A place is taken only once a handler suspends; so it is asked for anew whenever a call is
    /// about to begin, not when it arrives: of a burst none has begun yet. A thread runs one
    /// handler at a time, so that the limits are exceeded by fewer calls than there are threads.
    func hasPlace(_ lane: Lane) -> Bool {
        switch lane {
        case .unary: unary.load(ordering: .relaxed) < limits.callsMax
        case .stream: streams.load(ordering: .relaxed) < limits.streamsMax
        case .reserved: reserved.load(ordering: .relaxed) < limits.reservedCallsMax
        case .reservedStream:
            reservedStreams.load(ordering: .relaxed) < limits.reservedStreamsMax
        case .operatorStream:
            operatorStreams.load(ordering: .relaxed) < limits.reservedCallsMax
        }
    }

    func take(_ lane: Lane) {
        switch lane {
        case .unary: unary.wrappingAdd(1, ordering: .relaxed)
        case .stream: streams.wrappingAdd(1, ordering: .relaxed)
        case .reserved: reserved.wrappingAdd(1, ordering: .relaxed)
        case .reservedStream: reservedStreams.wrappingAdd(1, ordering: .relaxed)
        case .operatorStream: operatorStreams.wrappingAdd(1, ordering: .relaxed)
        }
    }

    func giveBack(_ lane: Lane) {
        switch lane {
        case .unary: unary.wrappingSubtract(1, ordering: .relaxed)
        case .stream: streams.wrappingSubtract(1, ordering: .relaxed)
        case .reserved: reserved.wrappingSubtract(1, ordering: .relaxed)
        case .reservedStream: reservedStreams.wrappingSubtract(1, ordering: .relaxed)
        case .operatorStream: operatorStreams.wrappingSubtract(1, ordering: .relaxed)
        }
    }

    /// Whether calls wait for a place.
    var hasQueue: Bool { queued.load(ordering: .relaxed) > 0 }

    /// Takes a place in the queue.
    func enqueue() -> Bool {
        if queued.wrappingAdd(1, ordering: .relaxed).newValue <= limits.queueMax { return true }
        queued.wrappingSubtract(1, ordering: .relaxed)
        return false
    }

    func dequeue() {
        queued.wrappingSubtract(1, ordering: .relaxed)
    }

    /// Notes that a connection holds other bytes of unfinished frames than before.
    ///
    /// - Returns: Whether all connections together hold no more than they may.
    func hold(_ byteCount: Int, insteadOf before: Int) -> Bool {
        let sum = partialFrameBytes.wrappingAdd(byteCount - before, ordering: .relaxed).newValue
        return byteCount <= before || sum <= limits.partialFrameBytesMax
    }

    /// Takes on a connection that has yet to shake hands.
    ///
    /// - Returns: Why not, or nil.
    func connect(from host: String) -> Status? {
        connections.withLock { connections in
            guard connections.count < limits.connectionsMax else {
                return Status(
                    .resourceExhausted, "The server has \(limits.connectionsMax) connections.")
            }
            let handshakes = connections.handshakes[host, default: 0]
            guard handshakes < limits.handshakesPerAddressMax else {
                return Status(
                    .resourceExhausted,
                    "\(handshakes) connections of this address have not shaken hands.")
            }
            connections.count += 1
            connections.handshakes[host] = handshakes + 1
            return nil
        }
    }

    func endHandshake(from host: String) {
        connections.withLock { connections in
            let rest = connections.handshakes[host, default: 1] - 1
            connections.handshakes[host] = rest == 0 ? nil : rest
        }
    }

    /// Takes on a connection whose peer has proved who it is.
    ///
    /// - Returns: Why not, or nil.
    func enter(_ identity: PeerIdentity) -> Status? {
        connections.withLock { connections in
            let count = connections.identities[identity, default: 0]
            guard count < limits.connectionsPerIdentityMax else {
                return Status(.resourceExhausted, "\(identity) has \(count) connections.")
            }
            connections.identities[identity] = count + 1
            return nil
        }
    }

    /// A connection has gone; the identity is that with which it was taken on.
    func disconnect(_ identity: PeerIdentity?) {
        connections.withLock { connections in
            connections.count -= 1
            guard let identity else { return }
            let rest = connections.identities[identity, default: 1] - 1
            connections.identities[identity] = rest == 0 ? nil : rest
        }
    }

    var connectionCount: Int { connections.withLock { $0.count } }
    /// Connections that have yet to shake hands.
    var handshakeCount: Int { connections.withLock { $0.handshakes.values.reduce(0, +) } }
    /// Places taken by suspended calls of one request and one reply.
    var callCount: Int { unary.load(ordering: .relaxed) }
    /// Places taken by streams.
    var streamCount: Int { streams.load(ordering: .relaxed) }
    /// Calls that wait for a place.
    var queueCount: Int { queued.load(ordering: .relaxed) }
}
