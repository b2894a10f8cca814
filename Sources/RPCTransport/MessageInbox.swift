import RPC
import Synchronization

/// The messages of a stream between its connection and whoever reads them.
///
/// The connection appends on its thread; one task at a time reads, from any thread. What is not yet
/// read is bounded by the credit that the sender was given, and one frame.
final class MessageInbox: Sendable {
    private struct Entry {
        let payload: BufferPayload
        let byteCount: Int
    }

    private struct State {
        var entries: [Entry] = []
        var head = 0
        var byteCount = 0
        var consumed = 0
        var end: Result<Void, any Error>?
        var reader: CheckedContinuation<Void, Never>?
    }

    private let window: Int
    private let byteCountMax: Int
    private let state = Mutex(State())

    /// An empty inbox.
    ///
    /// - Parameters:
    ///   - window: The credit in bytes that the sender has.
    ///   - frameBytesMax: The largest frame; the last that the credit allows may be so large.
    init(window: Int, frameBytesMax: Int) {
        self.window = window
        byteCountMax = window + frameBytesMax
    }

    /// Adds a message; `byteCount` is the size of its frame.
    ///
    /// - Returns: Whether the sender kept within its credit.
    func append(_ payload: BufferPayload, byteCount: Int) -> Bool {
        let (isWithin, reader) = state.withLock { state in
            guard state.end == nil else { return (true, nil as CheckedContinuation<Void, Never>?) }
            state.byteCount += byteCount
            state.entries.append(Entry(payload: payload, byteCount: byteCount))
            defer { state.reader = nil }
            return (state.byteCount <= byteCountMax, state.reader)
        }
        reader?.resume()
        return isWithin
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
        state.head += 1
        state.byteCount -= entry.byteCount
        state.consumed += entry.byteCount
        if state.head == state.entries.count {
            state.entries.removeAll(keepingCapacity: state.entries.capacity <= 64)
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
