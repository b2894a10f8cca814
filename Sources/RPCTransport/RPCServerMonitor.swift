import NIOCore
import RPC
import Synchronization

/// Tells what a server does now: its connections, its calls, its limits.
///
/// It is made first, so that the server's own services can hold it, and belongs to the server that
/// is made with it. Asking costs a turn of each thread; not asking costs nothing but counting.
public final class RPCServerMonitor: Sendable {
    private struct Watched {
        weak var core: ServerCore?
    }

    private let watched = Mutex(Watched())

    /// A monitor of no server yet.
    public init() {}

    func watch(_ core: ServerCore) {
        watched.withLock { $0.core = core }
    }

    private var core: ServerCore? { watched.withLock { $0.core } }

    /// What the server is, its limits and its counts; empty before and after its life.
    public func server() async -> ServerReport {
        guard let core else { return ServerReport() }
        return await core.report(core.methodReports())
    }

    /// The connections there are, by number.
    public func connections() async -> [ConnectionReport] {
        await core?.connectionReports() ?? []
    }

    /// The methods that the server announces and others that were called, by path.
    public func methods() async -> [MethodReport] {
        await core?.methodReports() ?? []
    }
}

extension ServerCore {
    /// Runs a closure with the server's part on each thread, and answers what they return.
    private func collect<Value: Sendable>(
        _ body: @escaping @Sendable (ServerLoop) -> Value
    ) async -> [Value] {
        var values: [Value] = []
        for box in loopBoxes {
            let value = box.eventLoop.submit { box.value.map(body) }
            // It fails once the threads have stopped: nothing is there to tell then.
            if let value = (try? await value.get()).flatMap({ $0 }) { values.append(value) }
        }
        return values
    }

    /// What the server is and does, the counts of its methods added up.
    func report(_ methods: [MethodReport]) async -> ServerReport {
        var report = ServerReport()
        report.agent = configuration.agent
        report.age = started.duration(to: .now)
        report.isDraining = isDraining
        report.threads = loops.loops.count
        report.connections = admission.connectionCount
        report.handshakes = admission.handshakeCount
        report.callsSuspended = admission.callCount
        report.streamsOpen = admission.streamCount
        report.callsQueued = admission.queueCount
        report.limits = configuration.limits.named
        for method in methods {
            report.callsBegun &+= method.begun
            report.callsSucceeded &+= method.succeeded
            report.callsFailed &+= method.failed.values.reduce(0, &+)
        }
        let unknown = await collect { $0.tallies.unknown }
        report.callsOfUnknownMethods = unknown.reduce(0, &+)
        return report
    }

    func connectionReports() async -> [ConnectionReport] {
        let reports = await collect { loop in
            let now = MonotonicInstant.now
            return loop.connections.values.compactMap { $0.report(at: now) }
        }
        return reports.joined().sorted { $0.number < $1.number }
    }

    func methodReports() async -> [MethodReport] {
        let reports = await collect { loop in
            let now = MonotonicInstant.now
            loop.tallies.settle()
            return loop.tallies.all.map { MethodReport($0, at: now) }
        }
        // Each thread has its own; a method that no thread has seen is reported all the same.
        let empty = methods.announced.map { method in
            var report = MethodReport(path: method.descriptor.path)
            report.concurrency = method.limiter.map {
                MethodReport.Concurrency(suspended: $0.suspendedCount, max: $0.current)
            }
            return report
        }
        var merged: [String: MethodReport] = [:]
        for report in empty + reports.joined() {
            merged[report.path, default: MethodReport(path: report.path)].add(report)
        }
        return merged.values.sorted { $0.path < $1.path }
    }
}

extension ServerConnection {
    /// What is told of it; nil once it is gone.
    func report(at now: MonotonicInstant) -> ConnectionReport? {
        let phase: ConnectionReport.Phase
        switch self.phase {
        case .securing, .awaitingPreface, .awaitingSettings, .answeringHTTP: phase = .handshake
        case .open: phase = .open
        case .draining: phase = .draining
        case .closing: phase = .closing
        case .closed: return nil
        }
        return ConnectionReport(
            number: number, peer: peer, phase: phase, age: accepted.duration(to: now),
            callsInFlight: openCalls, bytesReceived: bytesReceived, bytesSent: bytesSent)
    }
}

extension RPCServerConfiguration.Limits {
    /// Every limit under its name.
    var named: [ServerReport.Limit] {
        Mirror(reflecting: self).children.compactMap { name, value in
            switch (name, value) {
            case (let name?, let count as any BinaryInteger):
                ServerReport.Limit(name: name, value: .count(Int(clamping: count)))
            case (let name?, let time as Duration):
                ServerReport.Limit(name: name, value: .time(time))
            default: nil
            }
        }
    }
}
