import Logging
import NIOCore
import RPC
import Synchronization

/// What all threads of a server share.
final class ServerCore: Sendable {
    let methods: ServerMethods
    let configuration: RPCServerConfiguration
    let admission: Admission
    let logger: Logger
    let loops: RPCEventLoops
    let settings: Frame.Settings
    /// The largest frame of peers that have shaken hands, and of those that have not.
    let frameBytesMax, handshakeFrameBytesMax: Int
    /// The limits of the same names, in microseconds.
    let timeoutDefault, timeoutMax: UInt64
    let loopBoxes: [NIOLoopBoundBox<ServerLoop?>]
    let started = MonotonicInstant.now
    private let drains = Atomic<Bool>(false)
    private let lastConnection = Atomic<UInt64>(0)

    init(
        router: Router, configuration: RPCServerConfiguration, loops: RPCEventLoops,
        logger: Logger
    ) {
        methods = ServerMethods(router, configuration)
        self.configuration = configuration
        self.loops = loops
        self.logger = logger
        admission = Admission(configuration.limits)
        let limits = configuration.limits
        timeoutMax = UInt64(max(0, limits.timeoutMax / .microseconds(1)))
        timeoutDefault = min(UInt64(max(0, limits.timeoutDefault / .microseconds(1))), timeoutMax)
        loopBoxes = loops.loops.map { .makeEmptyBox(eventLoop: $0.loop) }
        handshakeFrameBytesMax = min(
            limits.frameBytesMax, limits.requestBytesMax + limits.frameHeadBytesMax)
        frameBytesMax = methods.hasBulk ? limits.frameBytesMax : handshakeFrameBytesMax
        var settings = Frame.Settings()
        settings.frameBytesMax = UInt32(frameBytesMax)
        settings.callsMax = UInt32(configuration.limits.callsPerConnectionMax)
        settings.window = configuration.limits.requestWindow
        settings.agent = configuration.agent
        settings.incarnation = configuration.incarnation
        settings.takesDeflated = configuration.compression.isOn
        settings.pingIntervalMin = configuration.limits.peerPingIntervalMin
        for (position, method) in router.methods.enumerated() {
            settings.methods[UInt32(position + 1)] = method.descriptor.path
        }
        self.settings = settings
    }

    /// The server's part on the calling thread, which must be the loop's.
    func serverLoop(on context: LoopContext) -> ServerLoop {
        for box in loopBoxes where box.eventLoop === context.loop {
            if let loop = box.value { return loop }
            let loop = ServerLoop(self, context)
            box.value = loop
            return loop
        }
        preconditionFailure("the loop belongs to the server's threads")
    }

    /// Runs a closure with the server's part on each thread.
    func onEachLoop(_ body: @escaping @Sendable (ServerLoop) -> Void) {
        for box in loopBoxes {
            box.eventLoop.execute {
                if let loop = box.value { body(loop) }
            }
        }
    }

    /// Whether no further calls are taken.
    var isDraining: Bool { drains.load(ordering: .relaxed) }

    func beginDraining() { drains.store(true, ordering: .relaxed) }

    /// Numbers the connections in the order in which they are accepted.
    func nextConnection() -> UInt64 {
        lastConnection.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Lets go of the threads' parts once the server has stopped.
    func release() {
        for box in loopBoxes {
            box.eventLoop.execute {
                box.value?.release()
                box.value = nil
            }
        }
    }
}

/// The calls of a server on one thread: it begins them and counts those that are suspended.
///
/// One worker takes the calls of a read burst one after the other. When a handler suspends, the
/// worker stays with its call and another takes the rest. Handlers run on the thread of their
/// connection.
final class ServerLoop {
    let core: ServerCore
    let context: LoopContext
    let tallies: MethodTallies
    private(set) var connections: [ObjectIdentifier: ServerConnection] = [:]
    private let ready = CallQueue()
    /// Calls that wait for a place, each alone.
    private var waiting: [(call: CallBatch, until: MonotonicInstant)] = []
    private var idleWorkers: [ServerWorker] = []
    private var waitingTimer: DueTimer
    /// The worker that is being run by ``dispatch()``, which sees whether its handlers suspend.
    private var dispatched: ServerWorker?
    private var isReleased = false
    /// When the clock was last looked at, and how many calls have begun since.
    private var lookedAt = MonotonicInstant.now
    private var begunSinceLook = 0

    /// The clock is looked at for the first of so many calls: one may begin late by the time that
    /// as many handlers run without suspending.
    private static let callsPerLook = 8
    /// So many workers wait for calls on a thread; more end when they have nothing to do.
    private static let idleWorkersMax = 64

    init(_ core: ServerCore, _ context: LoopContext) {
        self.core = core
        self.context = context
        waitingTimer = DueTimer(context.loop)
        tallies = MethodTallies(
            core.methods, slowCallTime: core.configuration.limits.slowCallTime)
    }

    func add(_ connection: ServerConnection) {
        connections[ObjectIdentifier(connection)] = connection
    }

    func remove(_ connection: ServerConnection) {
        connections[ObjectIdentifier(connection)] = nil
        let orphans = waiting.filter { $0.call.connection === connection }
        guard !orphans.isEmpty else { return }
        waiting.removeAll { $0.call.connection === connection }
        for (orphan, _) in orphans {
            core.admission.dequeue()
            tallies.cancel(orphan.tally)
        }
    }

    // MARK: Beginning calls

    /// Takes a call on: it begins at the next ``dispatch()`` if there is a place by then.
    func accept(_ call: consuming CallBatch.Call, of batch: CallBatch) {
        if batch.append(call) { ready.append(batch) }
    }

    /// Lets a call wait for a place, or refuses it.
    private func wait(_ call: CallBatch, from now: MonotonicInstant) {
        guard call.lane == .unary, core.admission.enqueue() else {
            call.connection.refuse(call, busy(call.method))
            return
        }
        let until = min(
            now.advanced(by: core.configuration.limits.queueTimeMax), call.deadline.instant)
        waiting.append((call, until))
        armWaitingTimer()
        guard hasPlace(call) else { return }
        // Another thread gave a place back before it could see that somebody waits.
        let bound = NIOLoopBound(self, eventLoop: context.loop)
        context.loop.execute { bound.value.admitWaiting() }
    }

    /// Takes back a call that waits for a place; false when it does not.
    func withdraw(_ number: UInt32, of connection: ServerConnection) -> Bool {
        let position = waiting.firstIndex {
            $0.call.connection === connection && $0.call.first?.number == number
        }
        guard let position else { return false }
        tallies.cancel(waiting.remove(at: position).call.tally)
        core.admission.dequeue()
        return true
    }

    /// A call that begins at the next ``dispatch()``: it came in the read burst being handled.
    func ready(_ number: UInt32, of connection: ServerConnection) -> ServerCall? {
        ready.keep(number, of: connection)
    }

    /// Begins every call that is ready.
    func dispatch() {
        guard dispatched == nil else { return }
        begunSinceLook = 0
        while nextBatch() != nil {
            let worker = idleWorkers.popLast()
            let next = worker ?? ServerWorker(self)
            dispatched = next
            context.executor.drain {
                if worker == nil { next.start() } else { next.wake() }
            }
            dispatched = nil
            next.didSuspend()
        }
    }

    /// Whether it is seen at once when a handler that a worker runs suspends: others may run
    /// before the one that a dispatch has woken, or in its stead.
    func sees(_ worker: ServerWorker) -> Bool { dispatched === worker }

    /// Takes back a worker that has no call; false when there are enough.
    func keeps(_ worker: ServerWorker) -> Bool {
        guard !isReleased, idleWorkers.count < Self.idleWorkersMax else { return false }
        idleWorkers.append(worker)
        return true
    }

    /// The server has stopped: workers end.
    func release() {
        isReleased = true
        let rest = idleWorkers
        idleWorkers = []
        context.executor.drain { for worker in rest { worker.retire() } }
    }

    /// Whether the time of a call that is about to begin has passed.
    func isLate(_ deadline: Deadline) -> Bool {
        if begunSinceLook == 0 { lookedAt = .now }
        begunSinceLook = (begunSinceLook + 1) % Self.callsPerLook
        return deadline.hasPassed(at: lookedAt)
    }

    /// The batch whose calls are next; those for which there is no place wait or are refused.
    ///
    /// - Parameter worker: Who asks; nil when it is none.
    /// - Returns: A batch with a place for one call that suspends; who begins such a one asks anew.
    func nextBatch(for worker: ServerWorker? = nil) -> CallBatch? {
        // Only once its handler has suspended do others run: its place is taken first.
        if let dispatched, dispatched !== worker { dispatched.didSuspend() }
        while let batch = ready.first {
            if batch.isEmpty {
                ready.removeFirst()
            } else if hasPlace(batch) {
                return batch
            } else {
                while let call = batch.popFirst() { waitForPlace(call, of: batch) }
            }
        }
        return nil
    }

    private func waitForPlace(_ call: CallBatch.Call, of batch: CallBatch) {
        if let kept = batch.kept(call.number), kept.isAnswered {
            batch.connection.didEnd(kept)
        } else {
            // From its arrival: it may have waited before.
            wait(CallBatch(batch, call, began: batch.began), from: batch.arrived)
        }
    }

    /// The batch whose calls are next, if they are due with a deadline or a moment later.
    func nextBatch(for worker: ServerWorker, sharing deadline: Deadline) -> CallBatch? {
        guard let batch = nextBatch(for: worker), deadline.serves(batch.deadline) else {
            return nil
        }
        return batch
    }

    /// A handler has ended.
    func didEnd(_ call: ServerCall) {
        if call.hasSuspended { giveBack(call) }
        call.connection.didEnd(call)
    }

    // MARK: Places

    /// A suspended call has ended: whoever waits for its place may begin.
    private func giveBack(_ call: ServerCall) {
        core.admission.giveBack(call.lane)
        call.method.limiter?.giveBack()
        // Calls may wait on any thread, and those that begin may end without a further word.
        if core.admission.hasQueue { core.onEachLoop { $0.admitWaiting() } }
    }

    private func admitWaiting() {
        // A method without a place does not keep the others waiting.
        while let position = waiting.firstIndex(where: { hasPlace($0.call) }) {
            let (waited, _) = waiting.remove(at: position)
            core.admission.dequeue()
            guard let call = waited.popFirst() else { continue }
            ready.append(CallBatch(waited, call, began: .now))
            // A place is taken when the handler suspends: so begin each before looking again.
            dispatch()
        }
    }

    private func hasPlace(_ call: CallBatch) -> Bool {
        core.admission.hasPlace(call.lane) && call.method.limiter?.hasPlace != false
    }

    private func armWaitingTimer() {
        guard let first = waiting.map(\.until).min() else { return }
        let bound = NIOLoopBound(self, eventLoop: context.loop)
        waitingTimer.arm(first) { bound.value.refuseOverdue() }
    }

    private func refuseOverdue() {
        waitingTimer.fired()
        let now = MonotonicInstant.now
        let overdue = waiting.filter { $0.until <= now }
        waiting.removeAll { $0.until <= now }
        for (call, _) in overdue {
            core.admission.dequeue()
            call.connection.refuse(
                call, call.deadline.hasPassed(at: now) ? ServerConnection.late : busy(call.method))
        }
        armWaitingTimer()
    }

    private func busy(_ method: ServerMethod) -> Status {
        let isOfMethod = method.limiter?.hasPlace == false
        let reason = isOfMethod ? RPCReason.methodBusy : .serverBusy
        return Status(
            .resourceExhausted,
            isOfMethod
                ? "The calls of this method take too long to begin another."
                : "The server has no place for another call.",
            details: [
                reason.detail(), .retryInfo(delay: core.configuration.limits.retryDelay),
            ])
    }
}

extension Deadline {
    /// Calls are cut short by less than this when they inherit the deadline of another.
    private static let momentMax: Duration = .milliseconds(1)

    /// Whether it is the deadline of another call as well, or a moment earlier.
    fileprivate func serves(_ other: Deadline) -> Bool {
        if instant == other.instant { return true }
        guard !isNever, !other.isNever, instant < other.instant else { return false }
        return other.instant < instant.advanced(by: Self.momentMax)
    }
}
