import NIOCore
import RPC

/// The addresses of a target as one thread sees them, and the calls that wait for one of them.
///
/// It lives on its event loop. Each call goes to the less busy of two connections drawn at random.
final class ClientBalancer {
    private enum State {
        /// No call was made lately: no connections are kept.
        case resting
        case active
        case closed
    }

    let core: ClientCore
    let loop: LoopContext
    private var state = State.resting
    private var links: [ClientLink] = []
    /// Addresses that have gone, with calls still in flight.
    private var leaving: [ClientLink] = []
    /// The connections that take calls.
    private var open: [ClientConnection] = []
    /// Links of which each wants one call, to see whether its address is well again.
    private var probes: [ClientLink] = []
    private var waiting = CircularBuffer<ClientCall>()
    private var isPumping = false
    private var waitingDue: MonotonicInstant?
    private var idleDue = MonotonicInstant.now
    /// When a call was last sent.
    var lastCall = MonotonicInstant.now
    /// Why there are no addresses.
    private var fault: String?
    private var timer: DueTimer
    private var random = FastRandom()

    init(_ core: ClientCore, _ loop: LoopContext) {
        self.core = core
        self.loop = loop
        timer = DueTimer(loop.loop)
        if case .addresses(let addresses) = core.target.source { apply(.addresses(addresses)) }
    }

    private var configuration: RPCClientConfiguration { core.configuration }

    // MARK: Calls

    /// Sends a call over the better of two connections, or lets it wait for one.
    func start(_ call: ClientCall) {
        guard !call.isOver else { return }
        if waiting.isEmpty, let connection = pick(call) {
            connection.start(call)
        } else {
            wait(call)
        }
    }

    private func pick(_ call: ClientCall) -> ClientConnection? {
        // A stream may stay for ever without an answer.
        if !probes.isEmpty, call.method.kind == .unary, let probed = probe(by: call) {
            return probed
        }
        guard open.count > 1 else {
            guard let only = open.first, only.hasPlace else { return nil }
            return only
        }
        if let avoided = call.avoided, let other = other(than: avoided) { return other }
        let (first, second) = random.two(below: open.count)
        let better =
            open[second].callCount < open[first].callCount ? open[second] : open[first]
        return better.hasPlace ? better : leastBusy { _ in true }
    }

    private func leastBusy(_ isFit: (ClientConnection) -> Bool) -> ClientConnection? {
        var best: ClientConnection?
        for connection in open where connection.hasPlace && isFit(connection) {
            if connection.callCount < best?.callCount ?? .max { best = connection }
        }
        return best
    }

    /// A connection to another address, if one takes calls now.
    private func other(than avoided: RPCAddress) -> ClientConnection? {
        leastBusy { $0.address != avoided }
    }

    private func probe(by call: ClientCall) -> ClientConnection? {
        for link in probes where link.address != call.avoided {
            guard let connection = link.connectionForProbe else { continue }
            link.probe(by: call)
            probes.removeAll { $0 === link }
            return connection
        }
        return nil
    }

    private func wait(_ call: ClientCall) {
        if case .closed = state {
            fail(call, .unavailable, "the client is closed", .queue)
            return
        }
        guard waiting.count < configuration.queueMax else {
            fail(call, .resourceExhausted, "\(waiting.count) calls wait already", .queue)
            return
        }
        if let fault, links.isEmpty {
            core.refreshes.request()
            guard call.options.waitsForReady else {
                fail(call, .unavailable, fault, .resolve)
                return
            }
        }
        waiting.append(call)
        if !call.deadline.isNever {
            waitingDue = min(waitingDue ?? call.deadline.instant, call.deadline.instant)
        }
        wake()
        armTimer()
    }

    /// Sends what waits, as far as there are places.
    func pump() {
        // A call that cannot be sent leads back here: what it has changed is seen below.
        guard !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        while let first = waiting.first, let connection = pick(first) {
            waiting.removeFirst()
            if !first.isOver { connection.start(first) }
        }
    }

    /// The caller no longer wants the call.
    func cancel(_ call: ClientCall) {
        guard !call.isOver else { return }
        if call.number == 0 {
            waiting.removeAll { $0 === call }
        } else {
            forEachConnection { $0.cancel(call) }
        }
        call.end(.failure(ClientCall.cancelled))
        pump()
    }

    func giveCredit(_ bytes: Int, to call: ClientCall) {
        forEachConnection { $0.giveCredit(bytes, to: call) }
    }

    /// Sends a second attempt of a call in flight to another address, if one takes it now.
    func hedge(_ first: ClientCall, _ make: (_ slow: RPCAddress) -> ClientCall) {
        guard first.number != 0,
            let slow = open.first(where: { $0.carries(first) }),
            let other = other(than: slow.address), core.budget.take()
        else { return }
        other.start(make(slow.address))
    }

    private func forEachConnection(_ body: (ClientConnection) -> Void) {
        for link in links { for connection in link.connections { body(connection) } }
        for link in leaving { for connection in link.connections { body(connection) } }
    }

    private func fail(
        _ call: ClientCall, _ code: Status.Code, _ why: String, _ phase: CallPhase,
        peer: String? = nil
    ) {
        call.end(
            .failure(
                call.failure(code, why, peer: peer ?? core.target.description, phase: phase)))
    }

    // MARK: Addresses

    var isActive: Bool {
        if case .active = state { true } else { false }
    }

    /// Whether one address more may be taken out of use: never more than half of them.
    var mayEject: Bool {
        2 * (links.count { $0.isFailing } + 1) <= links.count
    }

    /// What the resolver found.
    func apply(_ resolution: Resolution) {
        if case .closed = state { return }
        switch resolution {
        case .addresses(let addresses):
            fault = addresses.isEmpty ? "the target has no address" : nil
            use(addresses)
        case .failed(let why): fault = why
        }
        if let fault, links.isEmpty { failWaiting(fault, .resolve, core.target.description) }
    }

    private func use(_ addresses: [RPCAddress]) {
        let chosen = core.chosen(of: addresses)
        let known = Dictionary(
            links.map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
        let gone = links.filter { !chosen.contains($0.address) }
        links = chosen.map { known[$0] ?? ClientLink($0, self) }
        leaving += gone
        if isActive { for link in links { link.connect() } }
        for link in gone { link.retire() }
        leaving.removeAll { $0.connections.isEmpty }
        linkDidChange()
    }

    /// A link is in another state: what takes calls is looked up anew.
    func linkDidChange() {
        let hadOpen = !open.isEmpty
        // When more than half of the addresses fail, who fails is no longer the question.
        let all = 2 * links.count { $0.isFailing } > links.count
        open = links.compactMap { $0.connectionForCalls(all) }
        probes = all ? [] : links.filter { $0.connectionForProbe != nil }
        if open.isEmpty, hadOpen, isActive { for link in links { link.hurry() } }
        pump()
    }

    /// An attempt to connect has failed: calls that do not wait hear of it when it was the last
    /// hope.
    func linkDidFail(_ link: ClientLink, _ why: String, _ phase: CallPhase) {
        core.refreshes.request()
        let isHopeless = links.allSatisfy {
            if case .pausing = $0.state { true } else { false }
        }
        if isHopeless { failWaiting(why, phase, link.address.description) }
    }

    /// A link may have no connection any more.
    func linkDidEmpty(_ link: ClientLink) {
        leaving.removeAll { $0.connections.isEmpty }
    }

    private func failWaiting(_ why: String, _ phase: CallPhase, _ peer: String) {
        let refused = waiting.filter { !$0.options.waitsForReady }
        waiting.removeAll { !$0.options.waitsForReady }
        for call in refused { fail(call, .unavailable, why, phase, peer: peer) }
    }

    // MARK: Life

    /// Connects to every address, unless that was done.
    private func wake() {
        guard case .resting = state else { return }
        state = .active
        lastCall = .now
        idleDue = .now.advanced(by: configuration.idleTimeout)
        for link in links { link.connect() }
    }

    private func rest() {
        state = .resting
        for link in links { link.rest() }
    }

    func close() {
        state = .closed
        timer.cancel()
        let rest = waiting
        waiting = []
        for call in rest { fail(call, .unavailable, "the client was closed", .queue) }
        let all = links + leaving
        links = []
        leaving = []
        for link in all { link.close() }
        linkDidChange()
    }

    private func armTimer() {
        guard isActive else { return }
        let due = min(waitingDue ?? idleDue, idleDue)
        guard !timer.isArmed(for: due) else { return }
        let bound = NIOLoopBound(self, eventLoop: loop.loop)
        timer.arm(due) { bound.value.timerFired() }
    }

    private func timerFired() {
        timer.fired()
        let now = MonotonicInstant.now
        endLateCalls(at: now)
        if idleDue <= now { restIfIdle(at: now) }
        armTimer()
    }

    private func endLateCalls(at now: MonotonicInstant) {
        guard let due = waitingDue, due <= now else { return }
        let late = waiting.filter { $0.deadline.hasPassed(at: now) }
        waiting.removeAll { $0.deadline.hasPassed(at: now) }
        waitingDue = waiting.lazy.filter { !$0.deadline.isNever }.map(\.deadline.instant).min()
        let phase = links.isEmpty ? CallPhase.resolve : open.isEmpty ? .connect : .queue
        for call in late {
            fail(call, .deadlineExceeded, "the deadline has passed", phase)
        }
    }

    private func restIfIdle(at now: MonotonicInstant) {
        var isBusy = !waiting.isEmpty
        forEachConnection { isBusy = isBusy || $0.callCount > 0 }
        idleDue = (isBusy ? now : lastCall).advanced(by: configuration.idleTimeout)
        if idleDue <= now { rest() }
    }
}
