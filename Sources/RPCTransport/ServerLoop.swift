import Logging
import NIOCore
import RPC

/// What all threads of a server share.
final class ServerCore: Sendable {
    let router: Router
    let configuration: RPCServerConfiguration
    let admission: Admission
    let logger: Logger
    let loops: RPCEventLoops
    let settings: Frame.Settings
    private let serverLoops: [NIOLoopBoundBox<ServerLoop?>]

    init(
        router: Router, configuration: RPCServerConfiguration, loops: RPCEventLoops,
        logger: Logger
    ) {
        self.router = router
        self.configuration = configuration
        self.loops = loops
        self.logger = logger
        admission = Admission(configuration.limits)
        serverLoops = loops.loops.map { .makeEmptyBox(eventLoop: $0.loop) }
        var settings = Frame.Settings()
        settings.frameBytesMax = UInt32(configuration.limits.frameBytesMax)
        settings.callsMax = UInt32(configuration.limits.callsPerConnectionMax)
        settings.window = configuration.limits.requestWindow
        settings.agent = configuration.agent
        settings.incarnation = configuration.incarnation
        settings.pingIntervalMin = configuration.limits.peerPingIntervalMin
        for (position, method) in router.methods.enumerated() {
            settings.methods[UInt32(position + 1)] = method.descriptor.path
        }
        self.settings = settings
    }

    /// The server's part on the calling thread, which must be the loop's.
    func serverLoop(on context: LoopContext) -> ServerLoop {
        for box in serverLoops where box.eventLoop === context.loop {
            if let loop = box.value { return loop }
            let loop = ServerLoop(self, context)
            box.value = loop
            return loop
        }
        preconditionFailure("the loop belongs to the server's threads")
    }

    /// Runs a closure with the server's part on each thread.
    func onEachLoop(_ body: @escaping @Sendable (ServerLoop) -> Void) {
        for box in serverLoops {
            box.eventLoop.execute {
                if let loop = box.value { body(loop) }
            }
        }
    }

    /// Lets go of the threads' parts once the server has stopped.
    func release() {
        for box in serverLoops {
            box.eventLoop.execute { box.value = nil }
        }
    }
}

/// A call that was accepted and has yet to begin.
struct AcceptedCall {
    let connection: ServerConnection
    let call: UInt32
    let method: RegisteredMethod
    let payload: BufferPayload
    /// The requests, when the method streams them.
    let requests: MessageInbox?
    let metadata: Metadata
    let deadline: Deadline
    let lane: Admission.Lane
    let window: UInt32
}

/// The calls of a server on one thread: it begins them and counts those that are suspended.
///
/// One task takes the calls of a read burst one after the other. When a handler suspends, the task
/// stays with its call and another takes the rest. Handlers run on the thread of their connection.
final class ServerLoop {
    let core: ServerCore
    let context: LoopContext
    private(set) var connections: [ObjectIdentifier: ServerConnection] = [:]
    private var ready: [AcceptedCall] = []
    private var readyHead = 0
    private var waiting: [(call: AcceptedCall, until: ContinuousClock.Instant)] = []
    private var waitingTimer: DueTimer
    private var isDispatching = false

    init(_ core: ServerCore, _ context: LoopContext) {
        self.core = core
        self.context = context
        waitingTimer = DueTimer(context.loop)
    }

    func add(_ connection: ServerConnection) {
        connections[ObjectIdentifier(connection)] = connection
    }

    func remove(_ connection: ServerConnection) {
        connections[ObjectIdentifier(connection)] = nil
        let orphans = waiting.filter { $0.call.connection === connection }
        guard !orphans.isEmpty else { return }
        waiting.removeAll { $0.call.connection === connection }
        for _ in orphans { core.admission.dequeue() }
    }

    // MARK: Beginning calls

    /// Takes a call on: it begins at the next ``dispatch()``, or once there is a place.
    func accept(_ call: AcceptedCall, at now: ContinuousClock.Instant) {
        guard !core.admission.hasPlace(call.lane) else {
            ready.append(call)
            return
        }
        guard call.lane == .unary, core.admission.enqueue() else {
            call.connection.refuse(call, busy())
            return
        }
        let until = min(
            now.advanced(by: core.configuration.limits.queueTimeMax), call.deadline.instant)
        waiting.append((call, until))
        armWaitingTimer()
    }

    /// Takes back a call that has not begun; false when it has.
    func withdraw(_ number: UInt32, of connection: ServerConnection) -> Bool {
        let position = waiting.firstIndex {
            $0.call.call == number && $0.call.connection === connection
        }
        guard let position else { return false }
        waiting.remove(at: position)
        core.admission.dequeue()
        return true
    }

    /// Begins every call that is ready.
    func dispatch() {
        guard !isDispatching else { return }
        isDispatching = true
        defer { isDispatching = false }
        while readyHead < ready.count {
            let worker = ServerWorker(self)
            let bound = NIOLoopBound(worker, eventLoop: context.loop)
            let task = Task.immediate(executorPreference: context.executor) {
                await ServerWorker.work(bound)
            }
            if !worker.isFinished { worker.didSuspend(task) }
        }
    }

    /// The next call that is ready, if its time has not passed.
    func next() -> AcceptedCall? {
        guard readyHead < ready.count else { return nil }
        let call = ready[readyHead]
        readyHead += 1
        if readyHead == ready.count {
            ready.removeAll(keepingCapacity: ready.capacity <= 256)
            readyHead = 0
        }
        return call
    }

    // MARK: Places

    /// A suspended call has ended: whoever waits for its place may begin.
    func giveBack(_ lane: Admission.Lane) {
        core.admission.giveBack(lane)
        // Calls may wait on any thread, and those that begin may end without a further word.
        if core.admission.hasQueue { core.onEachLoop { $0.admitWaiting() } }
    }

    private func admitWaiting() {
        while let first = waiting.first, core.admission.hasPlace(first.call.lane) {
            waiting.removeFirst()
            core.admission.dequeue()
            ready.append(first.call)
            // A place is taken when the handler suspends: so begin each before looking again.
            dispatch()
        }
    }

    private func armWaitingTimer() {
        guard let first = waiting.map(\.until).min() else { return }
        let bound = NIOLoopBound(self, eventLoop: context.loop)
        waitingTimer.arm(first) { bound.value.refuseOverdue() }
    }

    private func refuseOverdue() {
        waitingTimer.fired()
        let now = ContinuousClock.now
        let overdue = waiting.filter { $0.until <= now }
        waiting.removeAll { $0.until <= now }
        for (call, _) in overdue {
            core.admission.dequeue()
            call.connection.refuse(
                call, call.deadline.hasPassed(at: now) ? ServerConnection.late : busy())
        }
        armWaitingTimer()
    }

    private func busy() -> Status {
        Status(
            .resourceExhausted, "The server has no place for another call.",
            details: [
                .errorInfo(reason: "server_busy", domain: "guildhall.rpc", metadata: [:]),
                .retryInfo(delay: core.configuration.limits.retryDelay),
            ])
    }
}
