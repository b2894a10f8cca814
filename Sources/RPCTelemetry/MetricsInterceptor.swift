public import CoreMetrics
public import RPC
import Synchronization

/// Measures the calls of a server or of a client: how many, how long, and how many at a time.
///
/// | metric | kind | dimensions |
/// |---|---|---|
/// | `rpc.server.call.duration` | timer; its count is that of the calls | method, code |
/// | `rpc.server.active_calls` | meter | method |
/// | `rpc.client.call.duration`, `rpc.client.active_calls` | the same of a client | the same |
///
/// The dimensions are `rpc.system.name`, always `guildhall`, `rpc.method`, such as
/// `guildhall.rpc.v1.Health/Check`, and `rpc.response.status_code`, such as `DEADLINE_EXCEEDED`. A
/// call of a client is measured with all its attempts; a stream from its opening to its end.
public struct MetricsInterceptor: Sendable {
    private let factory: any MetricsFactory
    private let clientMethods: Instruments

    /// An interceptor that reports to a backend: by default the one that the process, or this task,
    /// has set up before.
    public init(factory: any MetricsFactory = MetricsSystem.factory) {
        self.factory = factory
        clientMethods = Instruments(factory)
    }

    /// An interceptor that reports to the backend of the process; nil when there is none, so that
    /// calls do not pay for nothing.
    public static var ifBootstrapped: MetricsInterceptor? {
        let factory = MetricsSystem.factory
        return factory is NOOPMetricsHandler ? nil : MetricsInterceptor(factory: factory)
    }
}

extension MetricsInterceptor: ServerInterceptor {
    /// The method, measured.
    public func intercept(_ method: RegisteredMethod) -> RegisteredMethod {
        let instruments = MethodInstruments(
            method.descriptor, duration: Conventions.serverDuration,
            active: Conventions.serverActive, factory)
        return method.wrapped { _ in
            instruments.begin()
        } end: { start, context, error in
            instruments.end(since: start, Status.Code(ofServer: error, context))
        }
    }
}

extension MetricsInterceptor: ClientInterceptor {
    /// A call that is measured.
    public struct State: Sendable {
        fileprivate let instruments: MethodInstruments
        fileprivate let start: ContinuousClock.Instant
    }

    /// Counts the call as active.
    public func begin(_ method: MethodDescriptor, _ options: inout CallOptions) -> State {
        let instruments = clientMethods.of(method)
        return State(instruments: instruments, start: instruments.begin())
    }

    /// Reports how long the call took, and how it ended.
    public func end(_ state: State, _ method: MethodDescriptor, _ error: (any Error)?) {
        state.instruments.end(since: state.start, Status.Code(ofClient: error))
    }
}

/// The instruments of the methods that a client has called.
private final class Instruments: Sendable {
    private let factory: any MetricsFactory
    private let known = Mutex<[MethodDescriptor: MethodInstruments]>([:])

    init(_ factory: any MetricsFactory) {
        self.factory = factory
    }

    func of(_ method: MethodDescriptor) -> MethodInstruments {
        known.withLock { known in
            if let instruments = known[method] { return instruments }
            let made = MethodInstruments(
                method, duration: Conventions.clientDuration, active: Conventions.clientActive,
                factory)
            known[method] = made
            return made
        }
    }
}

/// The instruments of one method.
private final class MethodInstruments: Sendable {
    private let factory: any MetricsFactory
    private let label: String
    private let dimensions: [(String, String)]
    private let active: Meter
    /// By code; made when a call first ends with it, so that no series stays empty.
    private let durations: Mutex<[Timer?]>

    init(
        _ method: MethodDescriptor, duration: String, active: String,
        _ factory: any MetricsFactory
    ) {
        self.factory = factory
        label = duration
        dimensions = [
            (Conventions.system, Conventions.systemName), (Conventions.method, method.path),
        ]
        self.active = Meter(label: active, dimensions: dimensions, factory: factory)
        durations = Mutex(Array(repeating: nil, count: Status.Code.allCases.count))
    }

    func begin() -> ContinuousClock.Instant {
        active.increment()
        return .now
    }

    func end(since start: ContinuousClock.Instant, _ code: Status.Code) {
        let (seconds, attoseconds) = start.duration(to: .now).components
        duration(code).recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        active.decrement()
    }

    private func duration(_ code: Status.Code) -> Timer {
        durations.withLock { durations in
            if let timer = durations[Int(code.rawValue)] { return timer }
            let made = Timer(
                label: label,
                dimensions: dimensions + [(Conventions.statusCode, code.conventionalName)],
                preferredDisplayUnit: .seconds, factory: factory)
            durations[Int(code.rawValue)] = made
            return made
        }
    }
}
