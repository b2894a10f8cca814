import NIOCore
import RPC

/// Calls that came in one read burst, one after the other, for one method with the same time.
///
/// Each costs little more than its number and its message: to count references to the connection,
/// the method and the peer for every call would be much of what a call costs. The calls of a batch
/// begin in the order in which they came.
final class CallBatch {
    let connection: ServerConnection
    let tally: MethodTally
    let metadata: Metadata
    let deadline: Deadline
    /// When the burst arrived.
    let arrived: MonotonicInstant
    /// When the burst was taken up, which is later when it was held back; of a call that has waited
    /// alone, when it found a place.
    let began: MonotonicInstant
    /// The largest of its requests.
    let requestBytesMax: Int
    /// The opening of the first call, if it is of the usual kind.
    private let opening: PlainOpening?
    /// What arrived with the calls.
    private let memory: ByteBuffer
    /// Calls that have not begun: those before ``head`` have.
    ///
    /// Each of the functions below ends before another begins: none calls anything that comes back
    /// here, so that their accesses need not be watched for overlaps while the program runs.
    @exclusivity(unchecked) private var calls: [Call] = []
    @exclusivity(unchecked) private var head = 0
    /// What is kept of those that stream, or that frames have named: nearly always nothing.
    @exclusivity(unchecked) private var kept: [ServerCall] = []
    /// Room is taken at once for as many calls as come together as a rule.
    private static let callsAtOnce = 8

    /// The batch behind it in the ``CallQueue``.
    var next: CallBatch?

    /// A call that has passed every check and has yet to begin.
    struct Call {
        /// Its number on the connection.
        let number: UInt32
        /// Where its message lies in the memory of the batch.
        let message: Range<Int>
    }

    /// A batch of calls with openings of the usual kind; nil when the peer may not call what they
    /// name, or not so.
    init?(_ connection: ServerConnection, _ opening: PlainOpening, in memory: ByteBuffer) {
        guard let tally = connection.tallies[announced: opening.number],
            tally.method.lane == .unary,
            connection.grants?.include(tally.method.descriptor) != false
        else { return nil }
        self.connection = connection
        self.tally = tally
        self.opening = opening
        self.memory = memory
        metadata = Metadata()
        deadline = connection.deadline(opening.timeoutMicroseconds, isStream: false)
        arrived = connection.arrival
        began = connection.now
        requestBytesMax = tally.method.requestBytesMax
    }

    /// A batch for one call that has passed every check.
    init(
        _ connection: ServerConnection, _ tally: MethodTally, _ metadata: Metadata,
        timeout: UInt64, in memory: ByteBuffer
    ) {
        self.connection = connection
        self.memory = memory
        self.tally = tally
        self.metadata = metadata
        opening = nil
        deadline = connection.deadline(timeout, isStream: tally.method.isStream)
        arrived = connection.arrival
        began = connection.now
        requestBytesMax = tally.method.requestBytesMax
    }

    /// A call of another batch that begins apart from it, at an instant.
    init(_ other: CallBatch, _ call: Call, began: MonotonicInstant) {
        connection = other.connection
        memory = other.memory
        tally = other.tally
        metadata = other.metadata
        deadline = other.deadline
        arrived = other.arrived
        self.began = began
        requestBytesMax = other.requestBytesMax
        opening = nil
        unsafe kept = other.kept.filter { $0.number == call.number }
        unsafe calls = [call]
    }

    var method: ServerMethod { tally.method }
    var lane: Admission.Lane { method.lane }
    /// Whether all its calls have begun.
    var isEmpty: Bool { unsafe head == calls.count }
    /// The next call to begin; nil when there is none.
    var first: Call? { unsafe isEmpty ? nil : calls[head] }

    /// Whether an opening asks for what the first asked for.
    func takes(_ opening: PlainOpening) -> Bool {
        guard let first = self.opening else { return false }
        return first.number == opening.number
            && first.timeoutMicroseconds == opening.timeoutMicroseconds
    }

    /// Takes a call on; true when it is the only one that has not begun.
    func append(_ call: consuming Call) -> Bool {
        if unsafe calls.isEmpty { unsafe calls.reserveCapacity(Self.callsAtOnce) }
        unsafe calls.append(call)
        return unsafe calls.count - head == 1
    }

    /// Takes the next call out: it begins.
    func popFirst() -> Call? {
        guard !isEmpty else { return nil }
        let call = unsafe calls[head]
        unsafe head += 1
        if isEmpty {
            unsafe calls = []
            unsafe head = 0
        }
        return call
    }

    /// The message of a call.
    func payload(of call: Call) -> BufferPayload {
        BufferPayload(
            memory.getSlice(at: call.message.lowerBound, length: call.message.count)
                ?? ByteBuffer())
    }

    /// What is kept of a call; nil when that is nothing.
    func kept(_ number: UInt32) -> ServerCall? {
        unsafe kept.isEmpty ? nil : kept.first { $0.number == number }
    }

    /// What is kept of a call from now on; nil when it is not here or has begun.
    func keep(_ number: UInt32) -> ServerCall? {
        let isHere = unsafe calls[head...].contains { $0.number == number }
        guard isHere else { return nil }
        if let call = kept(number) { return call }
        let call = ServerCall(self, number)
        unsafe kept.append(call)
        return call
    }

    /// Keeps what is known of its only call, whose messages stream.
    func keep(_ call: ServerCall) { unsafe kept.append(call) }

    /// What the handlers are told, and where they leave what goes with their answers.
    func context(_ trailingMetadata: TrailingMetadata) -> CallContext {
        CallContext(
            method: method.descriptor, metadata: metadata, deadline: deadline,
            peer: connection.peer, trailingMetadata: trailingMetadata)
    }

    /// The handler of a call has ended of which nothing is kept.
    func end(
        _ number: UInt32, _ outcome: ServerWorker.Outcome, _ trailingMetadata: TrailingMetadata
    ) {
        let status: Status?
        switch outcome {
        case .reply(let message): status = connection.answer(number, message, trailingMetadata)
        case .end(let ending):
            status = ending.map(trailingMetadata.ending)
            connection.end(number, status)
        }
        if status == nil, connection.isInBurst {
            connection.tallies.end(inBurst: tally, at: arrived)
        } else {
            connection.tallies.end(tally, status, arrived: arrived)
        }
        connection.didEndCall(lane)
    }
}
