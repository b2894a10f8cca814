import RPC
import Synchronization

/// Counts what a server has taken on, over all its threads.
final class Admission: Sendable {
    /// Which places a call takes.
    enum Lane: Int, Sendable {
        case unary
        case stream
        case reserved
    }

    private let limits: RPCServerConfiguration.Limits
    private let unary = Atomic<Int>(0)
    private let streams = Atomic<Int>(0)
    private let reserved = Atomic<Int>(0)
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
    /// A place is taken only once a handler suspends: a thread runs one handler at a time, so that
    /// the limits are exceeded by no more than the number of threads.
    func hasPlace(_ lane: Lane) -> Bool {
        switch lane {
        case .unary: unary.load(ordering: .relaxed) < limits.callsMax
        case .stream: streams.load(ordering: .relaxed) < limits.streamsMax
        case .reserved: reserved.load(ordering: .relaxed) < limits.reservedCallsMax
        }
    }

    func take(_ lane: Lane) {
        switch lane {
        case .unary: unary.wrappingAdd(1, ordering: .relaxed)
        case .stream: streams.wrappingAdd(1, ordering: .relaxed)
        case .reserved: reserved.wrappingAdd(1, ordering: .relaxed)
        }
    }

    func giveBack(_ lane: Lane) {
        switch lane {
        case .unary: unary.wrappingSubtract(1, ordering: .relaxed)
        case .stream: streams.wrappingSubtract(1, ordering: .relaxed)
        case .reserved: reserved.wrappingSubtract(1, ordering: .relaxed)
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
