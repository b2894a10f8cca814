import NIOCore
public import RPC

extension RPCClient {
    /// Makes a call of one request and one reply.
    ///
    /// - Returns: The encoded reply.
    /// - Throws: ``RPC/Status``.
    public func unary(
        _ method: MethodDescriptor, _ request: OutgoingMessage, options: CallOptions
    ) async throws -> any Payload {
        if !options.metadata.isEmpty { try options.metadata.validate() }
        if let delay = options.hedgeAfter, method.idempotency == .safe {
            return try await hedgedUnary(method, request, options: options, after: delay)
        }
        let deadline = options.unaryDeadline()
        var attempts = Attempts()
        while true {
            let place = place()
            let call = ClientCall(
                method, request, options: options, deadline: deadline, sink: .unary,
                loop: place.loop, attempts)
            switch await outcome(of: call, at: place) {
            case .success(let answer):
                core.budget.succeeded()
                return answer.reply
            case .failure(let failure): try await prepareRetry(of: call, failure, &attempts)
            }
        }
    }

    private func hedgedUnary(
        _ method: MethodDescriptor, _ request: OutgoingMessage, options: CallOptions,
        after delay: Duration
    ) async throws -> any Payload {
        let deadline = options.unaryDeadline()
        var attempts = Attempts()
        while true {
            let place = place()
            let pair = HedgedCall(
                loop: place.loop, attemptsMax: core.configuration.attemptsMax
            ) {
                ClientCall(
                    method, request, options: options, deadline: deadline, sink: .hedged($0),
                    loop: place.loop, $1)
            }
            switch await outcome(of: pair, attempts, after: delay, at: place) {
            case .success(let answer):
                core.budget.succeeded()
                return answer.reply
            case .failure(let failure):
                attempts.ordinal += pair.attemptCount - 1
                attempts.began = attempts.began ?? pair.began
                try await prepareRetry(of: pair.make(pair, attempts), failure, &attempts)
            }
        }
    }

    /// Makes a call of one request and any number of replies, consumed by a closure.
    ///
    /// - Throws: ``RPC/Status``, or what the closure throws.
    public func serverStreaming(
        _ method: MethodDescriptor, _ request: OutgoingMessage, options: CallOptions,
        onReply: @Sendable (any Payload) async throws -> Void
    ) async throws {
        if !options.metadata.isEmpty { try options.metadata.validate() }
        let deadline = options.streamingDeadline()
        var attempts = Attempts()
        while true {
            let place = place()
            let inbox = inbox
            let call = ClientCall(
                method, request, options: options, deadline: deadline,
                sink: .stream(inbox, streamsRequests: false), loop: place.loop, attempts)
            do {
                return try await withTaskCancellationHandler {
                    place.run(self) { $0.start(call) }
                    try await consume(inbox, of: call, at: place, onReply)
                } onCancel: {
                    cancel(call, at: place)
                }
            } catch let failure as AttemptFailure {
                // Replies that were consumed cannot be taken back: only what was not begun is.
                guard failure.isUnseen else { throw failure.status }
                try await prepareRetry(of: call, failure, &attempts)
            } catch {
                cancel(call, at: place)
                throw error
            }
        }
    }

    /// Makes a call of any number of requests and of replies, used by a closure.
    ///
    /// Nothing is tried again once the closure has begun.
    /// - Throws: ``RPC/Status``, or what the closure throws.
    public func bidirectional<Result: Sendable>(
        _ method: MethodDescriptor, options: CallOptions,
        _ body: @Sendable (RequestWriter, MessageReader) async throws -> Result
    ) async throws -> Result {
        if !options.metadata.isEmpty { try options.metadata.validate() }
        let deadline = options.streamingDeadline()
        var attempts = Attempts()
        while true {
            let place = place()
            let inbox = inbox
            let call = ClientCall(
                method, nil, options: options, deadline: deadline,
                sink: .stream(inbox, streamsRequests: true), loop: place.loop, attempts)
            switch await opened(call, at: place) {
            case .success(let outbox):
                return try await use(call, inbox, outbox, at: place, body)
            case .failure(let failure): try await prepareRetry(of: call, failure, &attempts)
            }
        }
    }

    private func opened(_ call: ClientCall, at place: Place) async -> ClientCall.Opened {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                place.run(self) { balancer in
                    call.setOpening(continuation)
                    balancer.start(call)
                }
            }
        } onCancel: {
            cancel(call, at: place)
        }
    }

    private func use<Result: Sendable>(
        _ call: ClientCall, _ inbox: MessageInbox, _ outbox: MessageOutbox.Handle,
        at place: Place, _ body: @Sendable (RequestWriter, MessageReader) async throws -> Result
    ) async throws -> Result {
        let writer = RequestWriter(outbox.send, finish: outbox.finish)
        let reader = MessageReader {
            do {
                let reply = try await inbox.next()
                let credit = inbox.creditToGive()
                if credit > 0 { place.run(self) { $0.giveCredit(credit, to: call) } }
                return reply
            } catch let failure as AttemptFailure {
                throw failure.status
            }
        }
        // Does nothing when the server has ended the call.
        defer { cancel(call, at: place) }
        do {
            return try await withTaskCancellationHandler {
                try await body(writer, reader)
            } onCancel: {
                cancel(call, at: place)
            }
        } catch let ended as CallEnded {
            throw inbox.failure?.status ?? ended
        }
    }

    private var inbox: MessageInbox {
        MessageInbox(window: Int(core.configuration.streamWindow))
    }

    private func consume(
        _ inbox: MessageInbox, of call: ClientCall, at place: Place,
        _ onReply: @Sendable (any Payload) async throws -> Void
    ) async throws {
        while let reply = try await inbox.next() {
            try await onReply(reply)
            let credit = inbox.creditToGive()
            if credit > 0 { place.run(self) { $0.giveCredit(credit, to: call) } }
        }
    }

    private func outcome(of call: ClientCall, at place: Place) async -> ClientCall.Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                place.run(self) { balancer in
                    call.setContinuation(continuation)
                    balancer.start(call)
                }
            }
        } onCancel: {
            cancel(call, at: place)
        }
    }

    private func outcome(
        of pair: HedgedCall, _ attempts: Attempts, after delay: Duration, at place: Place
    ) async -> ClientCall.Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                place.run(self) {
                    pair.start(attempts, over: $0, after: delay, continuation)
                }
            }
        } onCancel: {
            place.loop.run { pair.cancel() }
        }
    }

    private func cancel(_ call: ClientCall, at place: Place) {
        place.run(self) { $0.cancel(call) }
    }

    /// Waits for the time of another attempt, or throws why there is none.
    private func prepareRetry(
        of call: ClientCall, _ failure: AttemptFailure, _ attempts: inout Attempts
    ) async throws(Status) {
        let pause = RetryPolicy(core.configuration).pause(
            after: failure, ordinal: attempts.ordinal, isRepeatable: call.isRepeatable,
            luck: .random(in: 0...1), remaining: call.deadline.remaining())
        guard let pause, core.budget.take() else { throw failure.status }
        attempts.ordinal += 1
        attempts.began = call.callBegan
        attempts.avoided = failure.address
        core.observe(
            .retrying(
                call.method, number: attempts.ordinal, after: failure.status, pause: pause))
        do {
            try await ContinuousClock().sleep(for: pause)
        } catch {
            throw ClientCall.cancelled.status
        }
    }
}
