public import Logging
import NIOCore
public import RPC
import Synchronization

/// Carries calls to a server over the network.
///
/// It connects when the first call comes, and again when a connection was lost. Calls that may be
/// repeated are tried at most ``RPCClientConfiguration/attemptsMax`` times within their deadline.
public final class RPCClient: RPC.Channel {
    /// A link with the loop on which alone it is touched.
    private final class Place: Sendable {
        let loop: LoopContext
        private let link: NIOLoopBoundBox<ClientLink?>

        init(_ loop: LoopContext) {
            self.loop = loop
            link = .makeEmptyBox(eventLoop: loop.loop)
        }

        func run(
            _ client: RPCClient, _ body: @escaping @Sendable (ClientLink) -> Void
        ) {
            loop.run { body(self.current(client)) }
        }

        private func current(_ client: RPCClient) -> ClientLink {
            if let link = link.value { return link }
            let made = ClientLink(client.target, client.configuration, loop, client.logger)
            link.value = made
            return made
        }
    }

    /// Where the server is.
    public let target: RPCAddress
    fileprivate let configuration: RPCClientConfiguration
    fileprivate let logger: Logger
    private let loops: RPCEventLoops
    private let ownsLoops: Bool
    private let places: [Place]
    private let turn = Atomic<Int>(0)
    private let budget = RetryBudget()

    /// A client that has yet to connect.
    ///
    /// - Parameters:
    ///   - target: Where the server is.
    ///   - configuration: How to connect, wait and retry.
    ///   - loops: The threads; nil starts one of its own, which ``close()`` stops.
    ///   - logger: Hears of connections, at debug.
    public init(
        _ target: RPCAddress, configuration: RPCClientConfiguration = RPCClientConfiguration(),
        loops: RPCEventLoops? = nil,
        logger: Logger = Logger(label: "guildhall.rpc")
    ) {
        self.target = target
        self.configuration = configuration
        self.logger = logger
        ownsLoops = loops == nil
        let loops = loops ?? RPCEventLoops(threadCount: 1)
        self.loops = loops
        let count = max(1, configuration.connectionsMax ?? loops.loops.count)
        places = (0..<count).map { Place(loops.loops[$0 % loops.loops.count]) }
    }

    /// Closes the connections; calls in flight and later ones fail.
    public func close() async {
        for place in places { place.run(self) { $0.close() } }
        if ownsLoops { await loops.shutDown() }
    }

    /// Makes a call of one request and one reply.
    ///
    /// - Returns: The encoded reply.
    /// - Throws: ``RPC/Status``.
    public func unary(
        _ method: MethodDescriptor, _ request: OutgoingMessage, options: CallOptions
    ) async throws -> any Payload {
        if !options.metadata.isEmpty { try options.metadata.validate() }
        let deadline = options.unaryDeadline()
        var attempt = 1
        while true {
            let place = place()
            let call = ClientCall(
                method, request, options: options, deadline: deadline, sink: .unary,
                loop: place.loop)
            switch await outcome(of: call, at: place) {
            case .success(let reply):
                budget.succeeded()
                return reply
            case .failure(let failure):
                try await prepareRetry(of: call, after: failure, attempt)
                attempt += 1
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
        var attempt = 1
        while true {
            let place = place()
            let inbox = inbox
            let call = ClientCall(
                method, request, options: options, deadline: deadline,
                sink: .stream(inbox, streamsRequests: false), loop: place.loop)
            do {
                return try await withTaskCancellationHandler {
                    place.run(self) { $0.enqueue(call) }
                    try await consume(inbox, of: call, at: place, onReply)
                } onCancel: {
                    cancel(call, at: place)
                }
            } catch let failure as AttemptFailure {
                // Replies that were consumed cannot be taken back: only what was not begun is.
                guard failure.isUnseen else { throw failure.status }
                try await prepareRetry(of: call, after: failure, attempt)
                attempt += 1
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
        var attempt = 1
        while true {
            let place = place()
            let inbox = inbox
            let call = ClientCall(
                method, nil, options: options, deadline: deadline,
                sink: .stream(inbox, streamsRequests: true), loop: place.loop)
            switch await opened(call, at: place) {
            case .success(let outbox):
                return try await use(call, inbox, outbox, at: place, body)
            case .failure(let failure):
                try await prepareRetry(of: call, after: failure, attempt)
                attempt += 1
            }
        }
    }

    private func opened(_ call: ClientCall, at place: Place) async -> ClientCall.Opened {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                place.run(self) { link in
                    call.setOpening(continuation)
                    link.enqueue(call)
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
        MessageInbox(
            window: Int(configuration.streamWindow))
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
                place.run(self) { link in
                    call.setContinuation(continuation)
                    link.enqueue(call)
                }
            }
        } onCancel: {
            cancel(call, at: place)
        }
    }

    private func cancel(_ call: ClientCall, at place: Place) {
        place.run(self) { $0.cancel(call) }
    }

    /// A connection on the calling thread if it is an event loop, or else the next in turn.
    private func place() -> Place {
        if let near = places.first(where: { $0.loop.loop.inEventLoop }) { return near }
        let next = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        return places[Int(UInt(bitPattern: next) % UInt(places.count))]
    }

    /// Waits for the time of another attempt, or throws why there is none.
    private func prepareRetry(
        of call: ClientCall, after failure: AttemptFailure, _ attempt: Int
    ) async throws(Status) {
        guard failure.status.code == .unavailable, attempt < configuration.attemptsMax,
            mayRepeat(call, failure), budget.take()
        else { throw failure.status }
        let delay =
            failure.status.retryDelay
            ?? .random(upTo: configuration.retryBase * (1 << (attempt - 1)))
        guard !call.deadline.hasPassed(at: .now.advanced(by: delay)) else { throw failure.status }
        do {
            try await ContinuousClock().sleep(for: delay)
        } catch {
            throw ClientCall.cancelled.status
        }
    }

    private func mayRepeat(_ call: ClientCall, _ failure: AttemptFailure) -> Bool {
        if failure.isUnseen { return true }
        switch call.method.idempotency {
        case .safe: return true
        case .keyed: return call.options.metadata[text: MetadataKey.idempotencyKey] != nil
        case .unknown: return false
        }
    }
}

/// Bounds retries, so that they do not multiply the load of a server in trouble.
private final class RetryBudget: Sendable {
    private static let tokensMax = 10.0
    private static let tokensPerSuccess = 0.1

    private let tokens = Mutex(RetryBudget.tokensMax)

    func succeeded() {
        tokens.withLock { $0 = min($0 + Self.tokensPerSuccess, Self.tokensMax) }
    }

    func take() -> Bool {
        tokens.withLock { tokens in
            guard tokens >= 1 else { return false }
            tokens -= 1
            return true
        }
    }
}

extension Status {
    /// How long the server asks to wait before another attempt.
    fileprivate var retryDelay: Duration? {
        for detail in details {
            if case .retryInfo(let delay) = detail { return delay }
        }
        return nil
    }
}
