import Logging
import NIOCore
import RPC

/// The server's side of one connection: frames in, frames out, and what may fall due.
///
/// It lives on its event loop. Openings become calls in `ServerConnection+Calls.swift`; what falls
/// due is in `ServerConnection+Timers.swift`, and its end in `ServerConnection+Ending.swift`.
final class ServerConnection: ChannelDuplexHandler, StreamCarrier {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase: Equatable {
        /// TLS is being agreed on.
        case securing
        case awaitingPreface
        case awaitingSettings
        /// The peer speaks HTTP, which is answered once.
        case answeringHTTP
        case open
        /// No further calls are taken; those in flight may end.
        case draining
        /// The last frame is on its way; what arrives is thrown away.
        case closing
        case closed

        /// Whether the peer has yet to say its settings.
        var isHandshake: Bool {
            switch self {
            case .securing, .awaitingPreface, .awaitingSettings, .answeringHTTP: true
            case .open, .draining, .closing, .closed: false
            }
        }
    }

    let core: ServerCore
    let loop: ServerLoop
    let tallies: MethodTallies
    /// Its number in this process.
    let number: UInt64
    let accepted: MonotonicInstant
    private(set) var bytesReceived: UInt64 = 0
    private(set) var bytesSent: UInt64 = 0
    var peer: Peer
    /// What the peer may call; nil when every peer may call everything.
    var grants: PeerPolicy.Grants?
    private let host: String
    private(set) var context: ChannelHandlerContext?
    var assembler: FrameAssembler
    let outbox: Outbox
    private(set) var isInBurst = false
    private var isFlushScheduled = false
    private var holdsRead = false
    /// Frames are being handled; what arrives meanwhile, if a write makes the channel read, waits.
    private var isTakingFrames = false
    /// Frames have arrived that are handled once the peer takes what is on its way.
    private var holdsFrames = false
    /// Bytes of compressed frames that were inflated in this burst.
    var inflatedBytes = 0
    private var isAdmitted = false
    var phase: Phase
    /// Calls that have suspended, and so are in flight beside others.
    var calls = CallTable<ServerCall>()
    /// The requests of the calls that stream them.
    var inboxes = CallTable<MessageInbox>()
    /// Calls that were accepted and have not ended.
    var openCalls = 0
    /// Those of them that have places of their own.
    var openReservedCalls = 0, openReservedStreams = 0, openOperatorStreams = 0
    /// What the server counts of the memory that the assembler holds.
    private var countedBytes = 0
    var lastCall: UInt32 = 0
    var windowOfPeer = Frame.windowDefault
    /// When the burst of frames being handled arrived, or when it was gone on with.
    var now = MonotonicInstant.now
    /// When the frames being handled arrived: earlier than ``now`` for those that were held back.
    private(set) var arrival = MonotonicInstant.now
    var timers: Timers
    var cancels: CancelRate

    init(_ core: ServerCore, _ loop: ServerLoop, remote: SocketAddress?) {
        self.core = core
        self.loop = loop
        tallies = loop.tallies
        number = core.nextConnection()
        accepted = now
        let address = RPCAddress(remote)
        peer = Peer("\(address)", isLocal: core.isLocal(remote))
        if case .tcp(let host, _) = address { self.host = host } else { host = "unix" }
        let security = core.configuration.security
        phase = security.credentials == nil ? .awaitingPreface : .securing
        grants = security.grantsWithoutIdentity
        let limits = core.configuration.limits
        assembler = FrameAssembler(frameBytesMax: core.handshakeFrameBytesMax)
        outbox = Outbox(loop.context)
        timers = Timers(loop.context.loop, limits, now: now)
        if phase == .awaitingPreface { timers.leaveTimeToTell() }
        cancels = CancelRate(limits)
    }

    var limits: RPCServerConfiguration.Limits { core.configuration.limits }
    /// The largest frame that the peer may send now.
    var frameBytesMax: Int {
        phase.isHandshake ? core.handshakeFrameBytesMax : core.frameBytesMax
    }
    var isClosed: Bool { phase == .closing || phase == .closed }

    // MARK: Life

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        loop.add(self)
        if let refusal = core.admission.connect(from: host) {
            fail(refusal)
            return
        }
        isAdmitted = true
        armTimers()
    }

    func channelInactive(context: ChannelHandlerContext) {
        leaveHandshake(if: phase.isHandshake)
        phase = .closed
        abandonCalls()
        timers.cancel()
        assembler.discard()
        countPartialFrame()
        if isAdmitted { core.admission.disconnect(peer.identity) }
        loop.remove(self)
        self.context = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        core.logger.debug(
            "connection failed",
            metadata: ["peer": "\(peer)", "error": "\(words(for: error, context))"])
        context.close(promise: nil)
    }

    func leaveHandshake(if isHandshaking: Bool) {
        if isHandshaking, isAdmitted { core.admission.endHandshake(from: host) }
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosed else { return }
        if !isInBurst {
            isInBurst = true
            now = .now
            if !holdsFrames { arrival = now }
        }
        let bytes = unwrapInboundIn(data)
        bytesReceived &+= UInt64(bytes.readableBytes)
        guard phase != .answeringHTTP else { return passToHTTP(bytes, context) }
        assembler.append(bytes)
        if !holdsFrames, !isTakingFrames { takeFrames(context) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard isInBurst, !isTakingFrames else { return }
        loop.dispatch()
        isInBurst = false
        inflatedBytes = 0
        if isClosed { assembler.discard() } else { assembler.compact() }
        timers.noteFrames(at: now, partial: assembler.hasPartialFrame && !holdsFrames)
        countPartialFrame()
        flush()
        armTimers()
    }

    /// Counts the memory of frames that have yet to be handled.
    ///
    /// There is only so much of it for all connections. Whoever needs more is closed: to read on
    /// later might be never, when all that others hold waits for its rest.
    func countPartialFrame() {
        let counted = max(0, assembler.heldBytes - limits.partialFrameBytesUncounted)
        guard counted != countedBytes else { return }
        let isWithin = core.admission.hold(counted, insteadOf: countedBytes)
        countedBytes = counted
        guard !isWithin else { return }
        fail(Self.tooManyPartialFrames)
        if phase == .closing, !hasRoom { closeNow() }
    }

    /// Handles the frames that have arrived, as far as the peer takes what they are answered with:
    /// small calls may have large replies, and one read burst holds thousands.
    private func takeFrames(_ context: ChannelHandlerContext) {
        do {
            guard try takePreface(context) else { return }
            // As with what goes out: see ``Outbox``.
            var frames = assembler
            assembler = FrameAssembler(frameBytesMax: frames.frameBytesMax)
            isTakingFrames = true
            defer {
                isTakingFrames = false
                frames.append(all: &assembler)
                assembler = frames
            }
            var hasTakenFrame = false
            // What follows a whole frame is another, with a time of its own.
            defer { if hasTakenFrame { timers.noteWholeFrame() } }
            while !isClosed {
                if !hasRoomForReplies {
                    writeOut(context)
                    holdsFrames = !context.channel.isWritable
                    if holdsFrames { return }
                }
                if inflatedBytes >= Self.inflatedBytesMax { return holdFrames() }
                var group = CallGroup()
                frames.takeOpenings(while: { phase == .open && hasRoomForReplies }) {
                    hasTakenFrame = true
                    open($0, in: $1, messageAt: $2, after: &group)
                }
                guard !isClosed, hasRoomForReplies else { continue }
                guard let bytes = try frames.next() else {
                    guard assembler.hasPartialFrame else { return }
                    frames.append(all: &assembler)
                    continue
                }
                hasTakenFrame = true
                handle(bytes)
                // It is another once the settings have come.
                frames.frameBytesMax = frameBytesMax
            }
        } catch {
            fail(error)
        }
    }

    /// Goes on with the frames a turn later.
    private func holdFrames() {
        holdsFrames = true
        inflatedBytes = 0
        let bound = NIOLoopBound(self, eventLoop: loop.context.loop)
        loop.context.loop.execute { bound.value.resumeFrames() }
    }

    /// Goes on with the frames that were held back.
    private func resumeFrames() {
        guard holdsFrames, !isClosed, let context, context.channel.isWritable else { return }
        holdsFrames = false
        isInBurst = true
        now = .now
        takeFrames(context)
        channelReadComplete(context: context)
        if !holdsFrames { readOn(context) }
    }

    func handle(_ bytes: ByteBuffer, isInflated: Bool = false) {
        let frame: Frame
        do throws(FrameFault) {
            frame = try Frame(decoding: bytes.readableBytesSpan)
        } catch {
            fail(Status(.invalidArgument, error.description))
            return
        }
        if phase == .awaitingSettings {
            guard case .settings(let settings) = frame else {
                fail(Status(.invalidArgument, "The first frame must be Settings."))
                return
            }
            leaveHandshake(if: true)
            phase = .open
            timers.endHandshake(at: now)
            apply(settings)
            return
        }
        switch frame {
        case .open(let call, let opening): open(call, opening, bytes)
        case .cancel(let call): cancel(call)
        case .window(let call, let credit): addCredit(credit, to: call)
        case .ping(let number): pong(number)
        case .pong: break
        case .goaway: stopTaking()
        case .data(let call, let message, let endOfStream):
            receive(message, endOfStream: endOfStream, of: call, in: bytes)
        case .deflated(let byteCount, let content) where !isInflated:
            takeDeflated(content, of: bytes, byteCount: byteCount)
        case .end, .settings, .deflated:
            fail(Status(.invalidArgument, "A client must not send this frame now."))
        }
    }

    private func pong(_ number: UInt64) {
        guard timers.acceptsPing(at: now) else {
            fail(Status(.resourceExhausted, "The pings come too often."))
            return
        }
        send(.pong(number: number))
    }

    private func fail(_ fault: FrameAssembler.Fault) {
        switch fault {
        case .empty: fail(Status(.invalidArgument, "A frame has no bytes."))
        case .tooLarge(let count, let max):
            fail(
                Status(
                    .resourceExhausted,
                    "A frame has \(count) bytes; this server accepts \(max)."))
        }
    }

    // MARK: Out

    /// Whether what waits for the flush is little.
    private var hasRoomForReplies: Bool { outbox.byteCount < limits.writeHighWaterBytes }

    /// Whether streams may send more now.
    var hasRoom: Bool {
        hasRoomForReplies && context?.channel.isWritable == true
    }

    /// Sends a frame with the next flush; nil when it is larger than the peer accepts.
    @discardableResult
    func send(_ frame: OutgoingFrame) -> Int? {
        guard phase != .closed else { return 0 }
        let count = outbox.append(frame)
        if !isInBurst, !isFlushScheduled { scheduleFlush() }
        return count
    }

    /// Sends the one reply of a call; nil when it is larger than the peer accepts.
    func send(reply: OutgoingMessage, of call: UInt32) -> Int? {
        guard phase != .closed else { return 0 }
        let count = outbox.append(reply: reply, of: call)
        if !isInBurst, !isFlushScheduled { scheduleFlush() }
        return count
    }

    /// Replies of handlers that resume together leave together.
    private func scheduleFlush() {
        isFlushScheduled = true
        let bound = NIOLoopBound(self, eventLoop: loop.context.loop)
        loop.context.loop.execute {
            bound.value.isFlushScheduled = false
            bound.value.flush()
        }
    }

    func flush() {
        guard !isInBurst else { return }
        defer { loop.tallies.settle() }
        guard let context else { return }
        let wasFull = !hasRoomForReplies
        writeOut(context)
        if wasFull, context.channel.isWritable { pumpStreams() }
        closeIfDrained()
    }

    func writeOut(_ context: ChannelHandlerContext) {
        guard let full = outbox.take() else { return }
        bytesSent &+= UInt64(full.readableBytes)
        context.writeAndFlush(wrapOutboundOut(full), promise: nil)
        outbox.giveBack(full)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            timers.noteWritable()
            pumpStreams()
            if holdsFrames {
                let bound = NIOLoopBound(self, eventLoop: loop.context.loop)
                loop.context.loop.execute { bound.value.resumeFrames() }
            } else {
                readOn(context)
            }
        } else {
            timers.noteUnwritable(at: .now)
            armTimers()
        }
        context.fireChannelWritabilityChanged()
    }

    /// A peer that does not take its replies is not read from, nor one whose frames are held back:
    /// what it sends stays in the sockets.
    func read(context: ChannelHandlerContext) {
        let mayRead = context.channel.isWritable && !holdsFrames
        if mayRead || isClosed { context.read() } else { holdsRead = true }
    }

    private func readOn(_ context: ChannelHandlerContext) {
        guard holdsRead else { return }
        holdsRead = false
        context.read()
    }

    private func pumpStreams() {
        guard !calls.isEmpty else { return }
        for (_, call) in calls.all { call.replies?.pump() }
    }
}
