import RPC

/// What is kept of a call beside others that are in flight: that it streams, or has suspended.
///
/// It lives on the event loop of its connection.
final class ServerCall {
    let connection: ServerConnection
    let tally: MethodTally
    let deadline: Deadline
    /// Its number on the connection.
    let number: UInt32
    /// When the burst arrived in which it came.
    private let arrived: MonotonicInstant
    /// When it was taken up, or when it found a place.
    private let began: MonotonicInstant
    /// The requests, when the method streams them.
    private let requests: MessageInbox?
    /// The replies on their way out, when the method streams them.
    let replies: MessageOutbox?
    /// Whether the caller has its answer or wants none.
    private(set) var isAnswered = false
    /// The task of the handler once it has suspended: from then on the call is in flight beside
    /// others.
    private var task: Task<Void, Never>?

    /// A call of a batch.
    ///
    /// - Parameters:
    ///   - batch: What it has in common with others.
    ///   - number: Its number on the connection.
    ///   - requests: Its requests, when the method streams them.
    ///   - window: The credit for its replies, when the method streams them.
    init(
        _ batch: CallBatch, _ number: UInt32, requests: MessageInbox? = nil, window: UInt32 = 0
    ) {
        connection = batch.connection
        tally = batch.tally
        deadline = batch.deadline
        arrived = batch.arrived
        began = batch.began
        self.number = number
        self.requests = requests
        switch batch.method.handler {
        case .serverStreaming, .bidirectional:
            replies = MessageOutbox(
                connection, connection.loop.context, call: number, credit: Int(window))
        case .unary, .synchronous, .clientStreaming: replies = nil
        }
    }

    var method: ServerMethod { tally.method }
    var lane: Admission.Lane { method.lane }
    /// Whether messages of the call stream, either way.
    var isStreaming: Bool { replies != nil || requests != nil }
    var hasSuspended: Bool { task != nil }
    /// Whether the caller streams its requests.
    var streamsRequests: Bool { requests != nil }

    func didSuspend(_ task: Task<Void, Never>) {
        self.task = task
        if isAnswered { task.cancel() }
    }

    /// What a handler writes its replies to.
    var writer: ReplyWriter? {
        replies.map { outbox in
            let handle = outbox.handle
            return ReplyWriter(now: handle.sendNow, handle.send)
        }
    }

    /// What a handler reads its requests from.
    var reader: MessageReader? { requests.map { connection.reader(of: $0, number) } }

    /// The handler has ended.
    func end(_ outcome: ServerWorker.Outcome, _ trailingMetadata: TrailingMetadata) {
        closeStreams()
        guard !isAnswered else { return }
        isAnswered = true
        switch outcome {
        case .reply(let message): count(connection.answer(number, message, trailingMetadata))
        case .end(let status):
            // Nothing is to be said of a stream that ended well, as a rule.
            let isBare = status == nil && trailingMetadata.isEmpty
            let ending = isBare ? nil : trailingMetadata.ending(status ?? Status(.ok, ""))
            connection.end(number, ending)
            count(ending)
        }
    }

    @inline(__always)
    private func count(_ status: Status?) {
        let tallies = connection.tallies
        if status == nil, task == nil, connection.isInBurst {
            tallies.end(inBurst: tally, at: arrived)
        } else {
            let suspended = task == nil ? nil : began
            tallies.end(tally, status, arrived: arrived, suspendedSince: suspended)
        }
    }

    /// Cancels the handler; its outcome is of no interest any more.
    ///
    /// - Parameter status: What the caller is told; nil when it is not told anything.
    func cancel(telling status: Status? = nil) {
        if !isAnswered {
            if let status {
                count(status)
            } else {
                connection.tallies.cancel(tally, suspendedSince: hasSuspended ? began : nil)
            }
        }
        isAnswered = true
        closeStreams()
        task?.cancel()
    }

    private func closeStreams() {
        replies?.close()
        requests?.end(CancellationError(), discards: true)
    }
}
