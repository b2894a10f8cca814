import NIOCore
import RPC
import Synchronization

/// The client's side of one connection.
///
/// It lives on its event loop.
final class ClientConnection: ChannelInboundHandler, StreamCarrier {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        case connecting
        case awaitingSettings
        case ready
        /// The server takes no further calls.
        case draining
        case closed
    }

    let link: ClientLink
    let configuration: RPCClientConfiguration
    let loop: LoopContext
    private var context: ChannelHandlerContext?
    private var assembler: FrameAssembler
    private let outbox: Outbox
    private var isInBurst = false
    private var isFlushScheduled = false
    private(set) var phase = Phase.connecting
    var calls = CallTable<ClientCall>()
    private var nextCall: UInt32 = 1
    private var numbers: [String: UInt32] = [:]
    private var callsMax = 64
    private var windowOfPeer = Frame.windowDefault
    var timers: Timers
    /// Why the server or this side ended the connection.
    private(set) var reason: Status?
    /// How far a connection had come that never became ready.
    private(set) var phaseOfFailure = CallPhase.connect

    init(_ link: ClientLink) {
        self.link = link
        configuration = link.configuration
        loop = link.loop
        assembler = FrameAssembler(frameBytesMax: configuration.frameBytesMax)
        outbox = Outbox(loop)
        timers = Timers(loop.loop, configuration)
    }

    var address: RPCAddress { link.address }
    /// The calls in flight.
    var callCount: Int { calls.count }
    /// Whether another call may be sent.
    var hasPlace: Bool { phase == .ready && calls.count < callsMax }
    /// Whether a call was sent over this connection and is in flight.
    func carries(_ call: ClientCall) -> Bool { calls[call.number] === call }

    // MARK: Life

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        phase = .awaitingSettings
        var preface = ByteBuffer()
        preface.writeBytes(Frame.preface)
        context.write(wrapOutboundOut(preface), promise: nil)
        var settings = Frame.Settings()
        settings.frameBytesMax = UInt32(configuration.frameBytesMax)
        settings.window = configuration.streamWindow
        settings.agent = configuration.agent
        settings.takesDeflated = configuration.compression.isOn
        send(.settings(settings))
        flush()
        armTimers()
    }

    func channelInactive(context: ChannelHandlerContext) {
        let wasReady = phase == .ready || phase == .draining
        phase = .closed
        timers.cancel()
        self.context = nil
        let why = reason.map { "the connection ended: \($0.message)" } ?? "the connection was lost"
        let lost = calls.all
        calls = CallTable()
        for (_, call) in lost { fail(call, .unavailable, why, .sent) }
        link.didClose(self, wasReady: wasReady, why: why)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is TLSFault { phaseOfFailure = .secure }
        if reason == nil { reason = Status(.unavailable, "\(error)") }
        context.close(promise: nil)
    }

    /// Ends the connection; calls in flight fail.
    func close(_ why: Status) {
        if reason == nil { reason = why }
        if phase != .closed {
            send(.goaway(Frame.Goaway(lastCall: 0, status: why)))
            flush()
        }
        context?.close(promise: nil)
    }

    /// Takes no further calls; the connection ends with those in flight.
    func retire() {
        // One that is not ready yet is retired again once it is.
        guard phase == .ready else { return }
        phase = .draining
        closeIfDrained()
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isInBurst = true
        timers.noteFrames(at: .now)
        assembler.append(unwrapInboundIn(data))
        do {
            while phase != .closed, let bytes = try assembler.next() {
                handle(try Frame(decoding: bytes.readableBytesSpan), bytes)
            }
        } catch {
            guard !assembler.beginsWithTLSAlert else {
                errorCaught(context: context, error: TLSFault.serverSpeaksTLS)
                return
            }
            close(Status(.internal, "The server sent what is no frame: \(error)"))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isInBurst = false
        assembler.compact()
        flush()
        closeIfDrained()
    }

    private func handle(_ frame: Frame, _ bytes: ByteBuffer) {
        switch frame {
        case .settings(let settings): apply(settings)
        case .end(let number, let ending): end(number, ending, bytes)
        case .data(let number, let message, _):
            guard let call = calls[number], let message else { return }
            let reply = BufferPayload(bytes, message)
            if !call.receive(reply, byteCount: bytes.readableBytes) {
                close(Status(.internal, "The server sent more than it may."))
            }
        // A server that takes nothing must not fill the memory with answers.
        case .ping(let number): if hasRoom { send(.pong(number: number)) }
        case .window(let number, let bytes): calls[number]?.outbox?.addCredit(bytes)
        case .pong: break
        case .goaway(let goaway): drain(goaway)
        case .deflated(let byteCount, let content):
            inflate(content, of: bytes, byteCount: byteCount)
        case .open, .cancel: close(Status(.internal, "The server sent a frame of clients."))
        }
    }

    /// Takes the frame that travels inside another.
    private func inflate(_ content: Range<Int>, of bytes: ByteBuffer, byteCount: Int) {
        do {
            guard configuration.compression.isOn else {
                throw Status(.invalidArgument, "This client takes no compressed frames.")
            }
            let whole = try loop.inflate(
                content, of: bytes, byteCount: byteCount,
                frameBytesMax: configuration.frameBytesMax)
            let frame = try Frame(decoding: whole.readableBytesSpan)
            switch frame {
            case .deflated, .settings:
                throw Status(.invalidArgument, "A compressed frame holds what it must not.")
            default: handle(frame, whole)
            }
        } catch {
            let why = (error as? Status)?.message ?? "\(error)"
            close(Status(.internal, "The server sent what is no frame: \(why)"))
        }
    }

    private func apply(_ settings: Frame.Settings) {
        guard phase == .awaitingSettings else {
            close(Status(.internal, "The server sent its settings twice."))
            return
        }
        if settings.frameBytesMax != 0 {
            outbox.peerFrameBytesMax = min(Int(settings.frameBytesMax), Frame.byteCountHardMax)
        }
        outbox.deflatesAbove = configuration.compression.threshold(for: settings)
        if settings.callsMax != 0 { callsMax = Int(settings.callsMax) }
        core.callsPerConnection.store(callsMax, ordering: .relaxed)
        if settings.window != 0 { windowOfPeer = settings.window }
        timers.didShakeHands(at: .now, pingIntervalMin: settings.pingIntervalMin)
        for (number, path) in settings.methods { numbers[path] = number }
        phase = .ready
        armTimers()
        link.didBecomeReady(self)
    }

    private func end(_ number: UInt32, _ ending: Frame.Ending, _ bytes: ByteBuffer) {
        // A call that was cancelled may still be answered.
        guard let call = calls.remove(number) else { return }
        call.noteReceived(bytes.readableBytes)
        var status = ending.status
        do throws(Status) {
            try status.trailingMetadata.acceptTrailing()
        } catch {
            let why = "the trailing metadata cannot be accepted: \(error.message)"
            return fail(call, .internal, why, .answered)
        }
        link.didAnswer(call, status.code, over: self)
        observeEnd(of: call, status.code)
        if status.code == .ok {
            // The one reply of a call that streams requests; it needs no credit.
            if let reply = ending.reply, call.streamsRequests {
                _ = call.receive(BufferPayload(bytes, reply), byteCount: 0)
            }
            let reply = BufferPayload(bytes, ending.reply ?? 0..<0)
            call.end(
                .success(
                    ClientCall.Answer(reply: reply, trailingMetadata: status.trailingMetadata)))
        } else {
            call.end(.failure(AttemptFailure(status, from: address)))
        }
        link.balancer.pump()
    }

    private func drain(_ goaway: Frame.Goaway) {
        reason = goaway.status
        if goaway.status.code == .unauthenticated { phaseOfFailure = .secure }
        guard phase == .ready || phase == .draining else { return }
        phase = .draining
        let unseen = calls.all.filter { $0.call > goaway.lastCall }.sorted { $0.call < $1.call }
        for (number, _) in unseen { calls.remove(number) }
        link.didDrain(self)
        // They were not begun: sent again on another connection, whatever their kind.
        for (_, call) in unseen {
            call.number = 0
            if call.outbox == nil {
                link.balancer.start(call)
            } else {
                // What it has sent cannot be sent again from here.
                fail(call, .unavailable, goaway.status.message, .queue)
            }
        }
        closeIfDrained()
    }

    func closeIfDrained() {
        if phase == .draining, calls.isEmpty { context?.close(promise: nil) }
    }

    // MARK: Out

    /// Sends a call; ``hasPlace`` must hold.
    func start(_ call: ClientCall) {
        let now = MonotonicInstant.now
        guard !call.deadline.hasPassed(at: now) else {
            refuse(call, .deadlineExceeded, Self.late)
            return
        }
        let number = nextCall
        let opening = OutgoingOpening(
            method: numbers[call.method.path].map { .number($0) } ?? .path(call.method.path),
            timeout: call.deadline.isNever ? nil : call.deadline.remaining(at: now),
            metadata: call.options.metadata, message: call.request,
            endOfStream: !call.streamsRequests)
        guard let byteCount = send(.open(call: number, opening)) else {
            let why = "the request is larger than the \(outbox.peerFrameBytesMax) bytes accepted"
            refuse(call, .resourceExhausted, why, .requestTooLarge)
            return
        }
        call.number = number
        call.noteSent(byteCount)
        calls.insert(call, for: number)
        if call.streamsRequests {
            call.didOpen(
                MessageOutbox(self, loop, call: number, credit: Int(windowOfPeer)))
        }
        // The last number is left alone, so that the next never overflows.
        if number >= UInt32.max - 4 { link.didDrain(self) }
        nextCall = min(number + 2, UInt32.max - 2)
        link.balancer.lastCall = now
        core.observe(.sent(call.attempt(at: address), waited: call.began.duration(to: now)))
        guard !call.deadline.isNever else { return }
        if !timers.noteCall(due: call.deadline.instant) { armTimers() }
    }

    /// A call is not sent after all; should it have been a probe, another may be.
    private func refuse(
        _ call: ClientCall, _ code: Status.Code, _ why: String,
        _ reason: RPCReason = .callFailed
    ) {
        fail(call, code, why, .queue, reason)
        link.didAbandon(call)
    }

    static let late = "the deadline has passed"

    func fail(
        _ call: ClientCall, _ code: Status.Code, _ why: String, _ phase: CallPhase,
        _ reason: RPCReason = .callFailed
    ) {
        if phase == .sent { observeEnd(of: call, code) }
        call.end(
            .failure(
                call.failure(
                    code, why, peer: address.description, phase: phase, address: address,
                    reason: reason)))
    }

    private func observeEnd(of call: ClientCall, _ code: Status.Code) {
        core.observe(
            .ended(
                call.attempt(at: address), code, bytes: call.bytes,
                spent: call.began.duration(to: .now)))
    }

    private var core: ClientCore { link.core }

    /// The caller no longer wants the call.
    func cancel(_ call: ClientCall) {
        guard calls[call.number] === call else { return }
        calls.remove(call.number)
        link.didAbandon(call)
        observeEnd(of: call, .cancelled)
        send(.cancel(call: call.number))
        closeIfDrained()
    }

    func giveCredit(_ bytes: Int, to call: ClientCall) {
        guard calls[call.number] === call else { return }
        send(.window(call: call.number, bytes: UInt32(clamping: bytes)))
    }

    /// Whether streams may send more now.
    var hasRoom: Bool {
        outbox.byteCount < configuration.writeHighWaterBytes
            && context?.channel.isWritable == true
    }

    @discardableResult
    func send(_ frame: OutgoingFrame) -> Int? {
        guard phase != .closed else { return 0 }
        let count = outbox.append(frame)
        if !isInBurst, !isFlushScheduled {
            isFlushScheduled = true
            let bound = NIOLoopBound(self, eventLoop: loop.loop)
            loop.loop.execute {
                bound.value.isFlushScheduled = false
                bound.value.flush()
            }
        }
        return count
    }

    private func flush() {
        guard let context, !isInBurst else { return }
        guard let full = outbox.take() else { return }
        let wasFull = full.readableBytes >= configuration.writeHighWaterBytes
        context.writeAndFlush(wrapOutboundOut(full), promise: nil)
        outbox.giveBack(full)
        if wasFull { pumpStreams() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { pumpStreams() }
        context.fireChannelWritabilityChanged()
    }

    private func pumpStreams() {
        for (_, call) in calls.all { call.outbox?.pump() }
    }
}
