import RPC
import Synchronization

/// The messages of one direction of a call: whoever sends waits until each is taken.
final class MessagePipe: Sendable {
    private struct Entry {
        let bytes: [UInt8]
        let taken: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var entries: [Entry] = []
        var end: Result<Void, any Error>?
        /// Whether nobody takes anything any more.
        var isClosed = false
        var reader: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    /// What senders are told when nobody takes anything any more.
    private let closing: any Error

    init(closing: any Error) {
        self.closing = closing
    }

    var writer: ReplyWriter { ReplyWriter { try await self.send($0.encoded()) } }
    var reader: MessageReader { MessageReader { try await self.next() } }

    /// Why the sender ended, if it failed.
    var failure: (any Error)? {
        state.withLock { state in
            if case .failure(let error)? = state.end { error } else { nil }
        }
    }

    /// Sends a message and waits until it is taken.
    ///
    /// - Throws: What the pipe was made with when nobody takes it, or `CancellationError`.
    func send(_ bytes: [UInt8]) async throws {
        try Task.checkCancellation()
        try await withCheckedThrowingContinuation { (taken: CheckedContinuation<Void, any Error>) in
            let reader: CheckedContinuation<Void, Never>? = state.withLock { state in
                guard !state.isClosed, state.end == nil else {
                    taken.resume(throwing: closing)
                    return nil
                }
                state.entries.append(Entry(bytes: bytes, taken: taken))
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume()
        }
    }

    /// The sender has ended, well or with an error; only the first end counts.
    func end(_ error: (any Error)? = nil) {
        let reader = state.withLock { state in
            if state.end == nil { state.end = error.map { .failure($0) } ?? .success(()) }
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }

    /// Nobody takes anything any more: whoever sends is told.
    func close() {
        let rest: [Entry] = state.withLock { state in
            state.isClosed = true
            defer { state.entries = [] }
            return state.entries
        }
        for entry in rest { entry.taken.resume(throwing: closing) }
    }

    /// The next message; nil when the sender has ended well.
    func next() async throws -> [UInt8]? {
        while true {
            let found: Result<[UInt8]?, any Error>? = state.withLock { state in
                guard !state.entries.isEmpty else { return state.end?.map { nil } }
                let entry = state.entries.removeFirst()
                entry.taken.resume()
                return .success(entry.bytes)
            }
            if let found { return try found.get() }
            if Task.isCancelled { throw Status(.cancelled, "The call was cancelled.") }
            await wait()
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    if !state.entries.isEmpty || state.end != nil || Task.isCancelled {
                        return true
                    }
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
