import NIOCore
import RPC

extension ServerConnection {
    static let late = Status(.deadlineExceeded, "The deadline has passed.")

    // MARK: Beginning

    func open(_ call: UInt32, _ opening: Frame.Opening, _ bytes: ByteBuffer) {
        guard call % 2 == 1, call > lastCall else {
            fail(
                Status(
                    .invalidArgument,
                    "The call number \(call) is not odd or not above \(lastCall)."))
            return
        }
        // The client learns from Goaway that the call was not begun.
        guard phase == .open else { return }
        lastCall = call
        do throws(Status) {
            let accepted = try accept(call, opening, bytes)
            if case .synchronous(let handler) = accepted.method.handler {
                answerNow(accepted, handler)
                return
            }
            openCalls += 1
            if let requests = accepted.requests, !opening.endOfStream {
                inboxes.insert(requests, for: call)
            }
            loop.accept(accepted, at: now)
        } catch {
            end(call, error)
        }
    }

    /// Answers a call whose handler never waits: it takes no place, and needs no task.
    private func answerNow(
        _ accepted: AcceptedCall,
        _ handler: @Sendable (any Payload, CallContext) throws -> OutgoingMessage
    ) {
        let context = CallContext(
            method: accepted.method.descriptor, metadata: accepted.metadata,
            deadline: accepted.deadline, peer: peer)
        do {
            answer(accepted.call, try handler(accepted.payload, context))
        } catch {
            end(accepted.call, Status(thrown: error))
        }
    }

    private func accept(
        _ call: UInt32, _ opening: Frame.Opening, _ bytes: ByteBuffer
    ) throws(Status) -> AcceptedCall {
        let method: RegisteredMethod
        switch opening.method {
        case .number(let number): method = try core.router.method(number: number)
        case .path(let path): method = try core.router.method(at: path)
        }
        try authorize(method.descriptor)
        if !opening.metadata.isEmpty { try opening.metadata.validate() }
        let kind = method.handler.kind
        let streamsRequests = kind == .clientStreaming || kind == .bidirectional
        guard streamsRequests || (opening.message != nil && opening.endOfStream) else {
            throw Status(
                .invalidArgument,
                "The method \(method.descriptor.path) takes one message, with the opening.")
        }
        guard openCalls < limits.callsPerConnectionMax || isReserved(method) else {
            throw Status(
                .resourceExhausted,
                "The connection has \(limits.callsPerConnectionMax) calls in flight.",
                details: [
                    .errorInfo(
                        reason: "connection_busy", domain: "guildhall.rpc", metadata: [:]),
                    .retryInfo(delay: limits.retryDelay),
                ])
        }
        let isStream = kind != .unary
        return AcceptedCall(
            connection: self, call: call, method: method,
            payload: BufferPayload(bytes, opening.message ?? 0..<0),
            requests: streamsRequests ? inbox(opening, bytes) : nil,
            metadata: opening.metadata,
            deadline: deadline(opening.timeout, isStream: isStream),
            lane: isReserved(method) ? .reserved : isStream ? .stream : .unary,
            window: opening.window == 0 ? windowOfPeer : opening.window)
    }

    private func inbox(_ opening: Frame.Opening, _ bytes: ByteBuffer) -> MessageInbox {
        let inbox = MessageInbox(
            window: Int(limits.requestWindow), frameBytesMax: limits.frameBytesMax)
        if let message = opening.message {
            _ = inbox.append(BufferPayload(bytes, message), byteCount: message.count)
        }
        if opening.endOfStream { inbox.end(nil) }
        return inbox
    }

    private func deadline(_ timeout: Duration?, isStream: Bool) -> Deadline {
        if isStream { return timeout.map { Deadline.after($0, from: now) } ?? .never }
        return .after(min(timeout ?? limits.timeoutDefault, limits.timeoutMax), from: now)
    }

    private func isReserved(_ method: RegisteredMethod) -> Bool {
        core.configuration.reservedServices.contains(method.descriptor.service)
    }

    // MARK: In flight

    func didSuspend(_ worker: ServerWorker) {
        calls.insert(worker, for: worker.call)
        if isClosed { worker.cancel() }
        guard !worker.deadline.isNever else { return }
        timers.noteCall(due: worker.deadline.instant)
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
        calls[call]?.stream?.addCredit(credit)
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
        if let worker = calls[call] {
            worker.cancel()
        } else if loop.withdraw(call, of: self) {
            openCalls -= 1
            inboxes.remove(call)
        }
    }

    /// Ends the calls whose deadlines have passed; their handlers are cancelled.
    func endLateCalls(at now: ContinuousClock.Instant) {
        var next: ContinuousClock.Instant?
        for (call, worker) in calls.all where !worker.isAnswered {
            if worker.deadline.hasPassed(at: now) {
                worker.cancel()
                end(call, Self.late)
            } else if !worker.deadline.isNever {
                next = min(next ?? worker.deadline.instant, worker.deadline.instant)
            }
        }
        timers.setCallDue(next)
    }

    // MARK: Ending

    func answer(_ call: UInt32, _ reply: OutgoingMessage) {
        guard send(.reply(call: call, reply)) == nil else { return }
        end(call, Status(.resourceExhausted, "The reply is larger than the caller accepts."))
    }

    func end(_ call: UInt32, _ status: Status?) {
        guard send(.end(call: call, status)) == nil else { return }
        // Only details can make it so large; the code and the sentence matter more.
        let bare = Status(status?.code ?? .internal, String(status?.message.prefix(1_024) ?? ""))
        send(.end(call: call, bare))
    }

    /// Ends a call that was accepted and never began.
    func refuse(_ call: AcceptedCall, _ status: Status) {
        end(call.call, status)
        openCalls -= 1
        inboxes.remove(call.call)
        closeIfDrained()
    }

    func didEnd(_ call: UInt32, wasSuspended: Bool) {
        openCalls -= 1
        inboxes.remove(call)
        if wasSuspended { calls.remove(call) }
        if phase == .draining { scheduleDrainCheck() }
    }

    /// The connection is over: handlers are cancelled, nobody hears of them.
    func abandonCalls() {
        for (_, worker) in calls.all { worker.cancel() }
    }

    // MARK: Draining

    /// Tells the client to go elsewhere; calls in flight may end.
    func drain() {
        guard phase == .open else {
            if phase != .draining { fail(Self.draining) }
            return
        }
        phase = .draining
        send(
            .goaway(
                Frame.Goaway(
                    lastCall: lastCall, status: Self.draining, drain: limits.drainTimeout)))
        closeIfDrained()
    }

    static let draining = Status(.unavailable, "The server is shutting down.")

    /// The client has said that it sends no further calls.
    func stopTaking() {
        if phase == .open { phase = .draining }
        closeIfDrained()
    }

    /// Ends what is still in flight: streams first, everything at the end of the drain time.
    func endCalls(streamsOnly: Bool) {
        for (call, worker) in calls.all where !worker.isAnswered {
            if streamsOnly, !worker.isStreaming { continue }
            worker.cancel()
            end(call, Self.draining)
        }
        closeIfDrained()
    }

    func closeIfDrained() {
        guard phase == .draining, !isInBurst else { return }
        let unanswered = calls.all.contains { !$0.value.isAnswered }
        guard !unanswered, openCalls == calls.count else { return }
        close()
    }

    private func scheduleDrainCheck() {
        let bound = NIOLoopBound(self, eventLoop: loop.context.loop)
        loop.context.loop.execute { bound.value.closeIfDrained() }
    }
}
