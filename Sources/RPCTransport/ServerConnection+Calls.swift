import NIOCore
import RPC

extension ServerConnection {
    static let tooLarge = Status(
        .resourceExhausted, "The reply is larger than the caller accepts.")
    static let late = Status(.deadlineExceeded, "The deadline has passed.")

    // MARK: Beginning

    /// Begins the call that an opening of the usual kind asks for; one that may not begin goes the
    /// way of all others, which says why not.
    ///
    /// - Parameters:
    ///   - opening: What is asked for.
    ///   - memory: What arrived with it.
    ///   - start: Where the message begins in that.
    ///   - group: The calls before it in the burst.
    @inline(__always)
    func open(
        _ opening: PlainOpening, in memory: ByteBuffer, messageAt start: Int,
        after group: inout CallGroup
    ) {
        guard opening.call % 2 == 1, opening.call > lastCall,
            openCalls < limits.callsPerConnectionMax,
            let batch = group.batch(for: opening, in: memory, of: self),
            opening.message.count <= batch.requestBytesMax
        else { return openSingly(opening, in: memory, messageAt: start) }
        lastCall = opening.call
        batch.tally.begin()
        let message = start..<start + opening.message.count
        let call = CallBatch.Call(number: opening.call, message: message)
        guard !group.answers(call, of: batch) else { return }
        openCalls += 1
        loop.accept(call, of: batch)
    }

    private func openSingly(
        _ opening: PlainOpening, in memory: ByteBuffer, messageAt start: Int
    ) {
        let message = memory.getSlice(at: start, length: opening.message.count)
        open(opening.call, Frame.Opening(opening, messageAt: 0), message ?? ByteBuffer())
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
            begin(call, of: tally, opening, bytes)
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
    private func begin(
        _ number: UInt32, of tally: MethodTally, _ opening: Frame.Opening, _ bytes: ByteBuffer
    ) {
        let method = tally.method
        let message = opening.message ?? 0..<0
        let start = bytes.readerIndex + message.lowerBound
        let call = CallBatch.Call(number: number, message: start..<start + message.count)
        let batch = CallBatch(
            self, tally, opening.metadata, timeout: opening.timeoutMicroseconds, in: bytes)
        if case .synchronous(let handler) = method.handler {
            let context = batch.context(TrailingMetadata())
            answer(number, of: tally, batch.payload(of: call), context, by: handler)
            return
        }
        didOpenCall(method.lane)
        if method.isStream {
            let window = opening.window == 0 ? windowOfPeer : opening.window
            let requests = inbox(number, of: method, opening, bytes)
            batch.keep(ServerCall(batch, number, requests: requests, window: window))
        }
        loop.accept(call, of: batch)
    }

    /// Answers a call whose handler never waits: it takes no place, and needs no task.
    @inline(__always)
    func answer(
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
            let status = context.trailingMetadata.ending(core.status(of: error, context))
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
        let (count, max) =
            switch method.lane {
            case .unary, .stream: (openCalls, limits.callsPerConnectionMax)
            case .reserved: (openReservedCalls, limits.reservedCallsPerConnectionMax)
            case .reservedStream: (openReservedStreams, limits.reservedStreamsPerConnectionMax)
            case .operatorStream: (openOperatorStreams, limits.reservedCallsPerConnectionMax)
            }
        guard count < max else {
            throw Status(
                .resourceExhausted,
                "The connection has \(count) calls in flight.",
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
    func deadline(_ timeout: UInt64, isStream: Bool) -> Deadline {
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
            didEndCall(.unary)
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
    func refuse(_ call: CallBatch, _ status: Status) {
        guard let number = call.popFirst()?.number else { return }
        tallies.end(call.tally, status, arrived: call.arrived)
        end(number, status)
        inboxes.remove(number)
        didEndCall(call.lane)
        closeIfDrained()
    }

    func didEnd(_ call: ServerCall) {
        if call.streamsRequests { inboxes.remove(call.number) }
        if call.hasSuspended { calls.remove(call.number) }
        didEndCall(call.lane)
    }

    private func didOpenCall(_ lane: Admission.Lane) {
        openCalls += 1
        if lane == .reserved { openReservedCalls += 1 }
        if lane == .reservedStream { openReservedStreams += 1 }
        if lane == .operatorStream { openOperatorStreams += 1 }
    }

    /// A call has ended of which nothing else is kept.
    func didEndCall(_ lane: Admission.Lane) {
        openCalls -= 1
        if lane == .reserved { openReservedCalls -= 1 }
        if lane == .reservedStream { openReservedStreams -= 1 }
        if lane == .operatorStream { openOperatorStreams -= 1 }
        if phase == .draining { scheduleDrainCheck() }
    }

    /// The connection is over: handlers are cancelled, nobody hears of them.
    func abandonCalls() {
        for (_, call) in calls.all { call.cancel() }
    }
}
