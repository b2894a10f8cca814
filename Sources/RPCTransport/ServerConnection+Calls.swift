import NIOCore
import RPC

extension ServerConnection {
    static let tooLarge = Status(
        .resourceExhausted, "The reply is larger than the caller accepts.")
    static let late = Status(.deadlineExceeded, "The deadline has passed.")

    // MARK: Beginning

    /// Begins the call that an opening of the usual kind asks for; one that may not begin goes the
    /// way of all others, which says why not.
    func open(_ opening: PlainOpening, _ message: ByteBuffer) {
        guard opening.call % 2 == 1, opening.call > lastCall,
            let tally = tallies[announced: opening.number], mayBegin(tally.method, message)
        else {
            open(opening.call, Frame.Opening(opening, messageAt: 0), message)
            return
        }
        lastCall = opening.call
        tally.begin()
        begin(
            opening.call, of: tally, Metadata(), timeout: opening.timeoutMicroseconds,
            BufferPayload(message), window: opening.window)
    }

    private func mayBegin(_ method: ServerMethod, _ message: ByteBuffer) -> Bool {
        message.readableBytes <= method.requestBytesMax
            && openCalls < limits.callsPerConnectionMax && !method.streamsRequests
            && grants?.include(method.descriptor) != false
    }

    /// Begins the call that an opening of any kind asks for, or says why not.
    func open(_ call: UInt32, _ opening: Frame.Opening, _ bytes: ByteBuffer) {
        guard accepts(call) else { return }
        lastCall = call
        let method: ServerMethod
        do throws(Status) {
            method = try core.methods[opening.method]
        } catch {
            loop.tallies.noteUnknown()
            end(call, error)
            return
        }
        let tally = tallies[method]
        tally.begin()
        do throws(Status) {
            try check(opening, of: method)
            begin(
                call, of: tally, opening.metadata, timeout: opening.timeoutMicroseconds,
                BufferPayload(bytes, opening.message ?? 0..<0),
                inbox(call, of: method, opening, bytes), window: opening.window)
        } catch {
            tallies.end(tally, error, arrived: now)
            end(call, error)
        }
    }

    /// Whether a call may be opened now.
    private func accepts(_ call: UInt32) -> Bool {
        guard call % 2 == 1, call > lastCall else {
            fail(
                Status(
                    .invalidArgument,
                    "The call number \(call) is not odd or not above \(lastCall)."))
            return false
        }
        // The client learns from Goaway that the call was not begun.
        guard phase == .open else { return false }
        return true
    }

    /// Begins a call that has passed every check.
    @inline(__always)
    private func begin(
        _ call: UInt32, of tally: MethodTally, _ metadata: Metadata, timeout: UInt64,
        _ payload: BufferPayload, _ requests: MessageInbox? = nil, window: UInt32
    ) {
        let method = tally.method
        let deadline = deadline(timeout, isStream: method.isStream)
        if case .synchronous(let handler) = method.handler {
            let context = CallContext(
                method: method.descriptor, metadata: metadata, deadline: deadline, peer: peer,
                trailingMetadata: loop.trailingMetadata.next())
            answer(call, of: tally, payload, context, by: handler)
            return
        }
        openCalls += 1
        loop.accept(
            ServerCall(
                self, call, tally, metadata, deadline: deadline, payload: payload,
                requests: requests, window: window == 0 ? windowOfPeer : window),
            at: now)
    }

    /// Answers a call whose handler never waits: it takes no place, and needs no task.
    @inline(__always)
    private func answer(
        _ call: UInt32, of tally: MethodTally, _ payload: BufferPayload, _ context: CallContext,
        by handler: @Sendable (any Payload, CallContext) throws -> OutgoingMessage
    ) {
        do {
            // Frames that were held back may have waited for longer than their callers do.
            guard !context.deadline.hasPassed(at: now) else { throw Self.late }
            let reply = try handler(payload, context)
            if let refusal = answer(call, reply, context.trailingMetadata) {
                tallies.end(tally, refusal, arrived: now)
            } else {
                tallies.end(inBurst: tally, at: now)
            }
        } catch {
            let status = context.trailingMetadata.ending(Status(thrown: error))
            tallies.end(tally, status, arrived: now)
            end(call, status)
        }
    }

    private func check(_ opening: Frame.Opening, of method: ServerMethod) throws(Status) {
        try authorize(method.descriptor)
        try checkSize(opening.message?.count ?? 0, for: method)
        if !opening.metadata.isEmpty { try opening.metadata.validate() }
        guard method.streamsRequests || (opening.message != nil && opening.endOfStream) else {
            throw Status(
                .invalidArgument,
                "The method \(method.descriptor.path) takes one message, with the opening.")
        }
        try checkPlace(for: method)
    }

    private func checkSize(_ byteCount: Int, for method: ServerMethod) throws(Status) {
        guard byteCount <= method.requestBytesMax else {
            throw Self.requestTooLarge(byteCount, max: method.requestBytesMax)
        }
    }

    private static func requestTooLarge(_ byteCount: Int, max: Int) -> Status {
        Status(
            .resourceExhausted,
            "A request has \(byteCount) bytes; this method accepts \(max).",
            details: [
                RPCReason.requestTooLarge.detail(["bytes": "\(byteCount)", "max": "\(max)"])
            ])
    }

    private func checkPlace(for method: ServerMethod) throws(Status) {
        guard openCalls < limits.callsPerConnectionMax || method.lane == .reserved else {
            throw Status(
                .resourceExhausted,
                "The connection has \(limits.callsPerConnectionMax) calls in flight.",
                details: [
                    RPCReason.connectionBusy.detail(), .retryInfo(delay: limits.retryDelay),
                ])
        }
    }

    /// Where the requests of a call are kept for its handler, when they stream.
    private func inbox(
        _ call: UInt32, of method: ServerMethod, _ opening: Frame.Opening, _ bytes: ByteBuffer
    ) -> MessageInbox? {
        guard method.streamsRequests else { return nil }
        let inbox = MessageInbox(
            window: Int(limits.requestWindow), messageBytesMax: method.requestBytesMax)
        if let message = opening.message {
            _ = inbox.append(BufferPayload(bytes, message), byteCount: 0)
        }
        if opening.endOfStream { inbox.end(nil) } else { inboxes.insert(inbox, for: call) }
        return inbox
    }

    /// When a call is due whose caller waits so many microseconds; 0 says nothing.
    private func deadline(_ timeout: UInt64, isStream: Bool) -> Deadline {
        guard !isStream else {
            return timeout == 0 ? .never : Deadline(at: arrival.advanced(byMicroseconds: timeout))
        }
        let microseconds = timeout == 0 ? core.timeoutDefault : min(timeout, core.timeoutMax)
        return Deadline(at: arrival.advanced(byMicroseconds: microseconds))
    }

    // MARK: In flight

    func didSuspend(_ call: ServerCall) {
        calls.insert(call, for: call.number)
        if isClosed { call.cancel() }
        guard !call.deadline.isNever else { return }
        timers.noteCall(due: call.deadline.instant)
        if !isInBurst { armTimers() }
    }

    /// A further message of a call that streams its requests, or their end.
    func receive(
        _ message: Range<Int>?, endOfStream: Bool, of call: UInt32, in bytes: ByteBuffer
    ) {
        guard let inbox = inboxes[call] else {
            // A caller may have sent it before it saw the end of its call.
            guard call > lastCall || calls[call] != nil else { return }
            fail(Status(.invalidArgument, "The call \(call) takes no further message."))
            return
        }
        if let message {
            guard message.count <= inbox.messageBytesMax else {
                let status = Self.requestTooLarge(message.count, max: inbox.messageBytesMax)
                refuseRest(of: call, status)
                return
            }
            let payload = BufferPayload(bytes, message)
            guard inbox.append(payload, byteCount: bytes.readableBytes) else {
                fail(
                    Status(.resourceExhausted, "The call \(call) sends more than its credit."))
                return
            }
        }
        guard endOfStream else { return }
        inbox.end(nil)
        inboxes.remove(call)
    }

    /// Ends a call because of a request that streams; what follows it is passed over.
    private func refuseRest(of call: UInt32, _ status: Status) {
        guard let begun = calls[call] ?? loop.ready(call, of: self), !begun.isAnswered else {
            return
        }
        cutOff(begun, status)
    }

    /// Hands the requests of a call to its handler, and gives credit as they are read.
    func reader(of requests: MessageInbox, _ call: UInt32) -> MessageReader {
        let loop = loop.context
        let bound = NIOLoopBound(self, eventLoop: loop.loop)
        return MessageReader {
            let message = try await requests.next()
            let credit = requests.creditToGive()
            if credit > 0 { loop.run { bound.value.giveCredit(credit, to: call) } }
            return message
        }
    }

    private func giveCredit(_ bytes: Int, to call: UInt32) {
        guard inboxes[call] != nil else { return }
        send(.window(call: call, bytes: UInt32(clamping: bytes)))
    }

    func addCredit(_ credit: UInt32, to call: UInt32) {
        guard call <= lastCall else {
            fail(Status(.invalidArgument, "The call \(call) has not been opened."))
            return
        }
        let begun = calls[call] ?? loop.ready(call, of: self)
        begun?.replies?.addCredit(credit)
    }

    func cancel(_ call: UInt32) {
        guard call <= lastCall else {
            fail(Status(.invalidArgument, "The call \(call) has not been opened."))
            return
        }
        guard cancels.accepts(at: now) else {
            fail(Status(.resourceExhausted, "The connection cancels too many calls."))
            return
        }
        if let begun = calls[call] ?? loop.ready(call, of: self) {
            begun.cancel()
        } else if loop.withdraw(call, of: self) {
            openCalls -= 1
            inboxes.remove(call)
        }
    }

    /// Ends the calls whose deadlines have passed; their handlers are cancelled.
    func endLateCalls(at now: MonotonicInstant) {
        var next: MonotonicInstant?
        for (_, call) in calls.all where !call.isAnswered {
            if call.deadline.hasPassed(at: now) {
                cutOff(call, Self.late)
            } else if !call.deadline.isNever {
                next = min(next ?? call.deadline.instant, call.deadline.instant)
            }
        }
        timers.setCallDue(next)
    }

    // MARK: Ending

    /// Sends the one reply of a call.
    ///
    /// - Returns: What the call was ended with instead; nil when all is well.
    @inline(__always)
    func answer(
        _ call: UInt32, _ reply: OutgoingMessage, _ trailingMetadata: TrailingMetadata
    ) -> Status? {
        guard trailingMetadata.isEmpty else {
            return answer(call, reply, trailingMetadata.ending(Status(.ok, "")))
        }
        return send(reply: reply, of: call) == nil ? refuseTooLarge(call) : nil
    }

    private func refuseTooLarge(_ call: UInt32) -> Status {
        end(call, Self.tooLarge)
        return Self.tooLarge
    }

    /// Sends the one reply of a call with its trailing metadata, or what it must end with instead.
    private func answer(
        _ call: UInt32, _ reply: OutgoingMessage, _ ending: Status
    ) -> Status? {
        var refusal = ending
        if ending.code == .ok {
            let frame = OutgoingFrame.reply(
                call: call, reply, trailingMetadata: ending.trailingMetadata)
            guard send(frame) == nil else { return nil }
            refusal = Self.tooLarge
        }
        end(call, refusal)
        return refusal
    }

    func end(_ call: UInt32, _ status: Status?) {
        guard send(.end(call: call, status)) == nil else { return }
        // Only details can make it so large; the code and the sentence matter more.
        let bare = Status(status?.code ?? .internal, String(status?.message.prefix(1_024) ?? ""))
        send(.end(call: call, bare))
    }

    /// Ends a call whose handler may still run; what the handler does is of no interest any more.
    func cutOff(_ call: ServerCall, _ status: Status) {
        call.cancel(telling: status)
        end(call.number, status)
    }

    /// Ends a call that was accepted and never began.
    func refuse(_ call: ServerCall, _ status: Status) {
        tallies.end(call.tally, status, arrived: call.arrived)
        end(call.number, status)
        openCalls -= 1
        inboxes.remove(call.number)
        closeIfDrained()
    }

    func didEnd(_ call: ServerCall) {
        openCalls -= 1
        if call.streamsRequests { inboxes.remove(call.number) }
        if call.hasSuspended { calls.remove(call.number) }
        if phase == .draining { scheduleDrainCheck() }
    }

    /// The connection is over: handlers are cancelled, nobody hears of them.
    func abandonCalls() {
        for (_, call) in calls.all { call.cancel() }
    }
}
