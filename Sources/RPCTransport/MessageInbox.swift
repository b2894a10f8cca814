import NIOCore
import RPC
import Synchronization

/// The messages of a stream between its connection and whoever reads them.
///
/// The connection appends on its thread; one task at a time reads, from any thread. What is not yet
/// read is bounded by the credit that the sender was given, and one frame. Messages are slices of
/// what was read from the socket, and one small message holds all of it: so the memory that they
/// hold is counted, too, and beyond a bound they are copied.
final class MessageInbox: Sendable {
    private struct Entry {
        var payload: BufferPayload
        let byteCount: Int
        /// The memory that it holds and no entry before it does.
        let heldBytes: Int
    }

    private struct State {
        var entries: [Entry] = []
        var head = 0
        var byteCount = 0
        var heldBytes = 0
        var consumed = 0
        var end: Result<Void, any Error>?
        var reader: CheckedContinuation<Void, Never>?
    }

    /// A larger message ends the call; whoever appends sees to it.
    let messageBytesMax: Int
    private let window: Int
    private let heldBytesMax: Int
    private let state = Mutex(State())

    /// An empty inbox.
    ///
    /// - Parameters:
    ///   - window: The credit in bytes that the sender has; the last frame that it allows may be
    ///     larger than what is left.
    ///   - messageBytesMax: See ``messageBytesMax``.
    init(window: Int, messageBytesMax: Int = .max) {
        self.window = window
        self.messageBytesMax = messageBytesMax
        heldBytesMax = 4 * window
    }

    /// Adds a message; `byteCount` is the size of its frame, 0 when it needs no credit.
    ///
    /// - Returns: Whether the sender kept within its credit.
    func append(_ payload: BufferPayload, byteCount: Int) -> Bool {
        let (isWithin, reader) = state.withLock { state in
            guard state.end == nil else { return (true, nil as CheckedContinuation<Void, Never>?) }
            guard byteCount == 0 || state.byteCount + state.consumed < window else {
                return (false, nil)
            }
            let entry = entry(payload, byteCount, after: state.entries.last, state.heldBytes)
            state.byteCount += byteCount
            state.heldBytes += entry.heldBytes
            state.entries.append(entry)
            defer { state.reader = nil }
            return (true, state.reader)
        }
        reader?.resume()
        return isWithin
    }

    private func entry(
        _ payload: BufferPayload, _ byteCount: Int, after last: Entry?, _ heldBytes: Int
    ) -> Entry {
        if let last, last.payload.sharesMemory(with: payload) {
            return Entry(payload: payload, byteCount: byteCount, heldBytes: 0)
        }
        let isTooMuch = heldBytes + payload.heldBytes > heldBytesMax
        let isSmallPart = payload.heldBytes > 2 * payload.byteCount
        let kept = isTooMuch && isSmallPart ? payload.copied : payload
        return Entry(payload: kept, byteCount: byteCount, heldBytes: kept.heldBytes)
    }

    /// Ends the stream; only the first end counts.
    ///
    /// - Parameters:
    ///   - error: Thrown to the reader after the last message; nil when all is well.
    ///   - discards: Whether what is not yet read is of no interest any more.
    func end(_ error: (any Error)?, discards: Bool = false) {
        let reader = state.withLock { state in
            if discards {
                state.entries = []
                state.head = 0
                state.heldBytes = 0
            }
            if state.end == nil { state.end = error.map { .failure($0) } ?? .success(()) }
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }

    /// Why the call failed, if it has.
    var failure: AttemptFailure? {
        state.withLock { state in
            guard case .failure(let error)? = state.end else { return nil }
            return error as? AttemptFailure
        }
    }

    /// The next message; nil when the stream has ended well.
    ///
    /// - Throws: What the stream ended with, or `CancellationError`.
    func next() async throws -> BufferPayload? {
        while true {
            if let found = state.withLock({ Self.take(&$0) }) { return try found.get() }
            try Task.checkCancellation()
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let goesOn = state.withLock { state in
                        precondition(state.reader == nil, "one task at a time reads a stream")
                        if state.head < state.entries.count || state.end != nil { return true }
                        if Task.isCancelled { return true }
                        state.reader = continuation
                        return false
                    }
                    if goesOn { continuation.resume() }
                }
            } onCancel: {
                let reader = state.withLock { state in
                    defer { state.reader = nil }
                    return state.reader
                }
                reader?.resume()
            }
        }
    }

    private static func take(_ state: inout State) -> Result<BufferPayload?, any Error>? {
        guard state.head < state.entries.count else {
            return state.end?.map { nil }
        }
        let entry = state.entries[state.head]
        state.entries[state.head].payload = BufferPayload(ByteBuffer())
        state.head += 1
        state.byteCount -= entry.byteCount
        state.heldBytes -= entry.heldBytes
        state.consumed += entry.byteCount
        if state.head == state.entries.count {
            state.entries.removeAll(keepingCapacity: state.entries.capacity <= 64)
            state.head = 0
        } else if state.head >= 64, 2 * state.head >= state.entries.count {
            // A reader that is always a little behind never empties it.
            state.entries.removeFirst(state.head)
            state.head = 0
        }
        return .success(entry.payload)
    }

    /// The credit to give to the sender for messages that were read; 0 while it is small.
    func creditToGive() -> Int {
        state.withLock { state in
            guard state.consumed >= window / 2, state.end == nil else { return 0 }
            defer { state.consumed = 0 }
            return state.consumed
        }
    }
}
