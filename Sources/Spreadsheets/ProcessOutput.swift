import Subprocess
import Synchronization

/// How long a process has kept us waiting.
///
/// Its time runs while somebody waits for its answer, but not while it lacks what it is to work on.
final class Stopwatch: Sendable {
    private struct State {
        var isAwaited = false
        var isStarved = false
        var spent: Duration = .zero
        var runningSince: ContinuousClock.Instant?

        mutating func note(_ change: (inout State) -> Void) {
            if let since = runningSince { spent += since.duration(to: .now) }
            change(&self)
            runningSince = isAwaited && !isStarved ? .now : nil
        }
    }

    /// The limit is looked at no more often than this.
    private static let interval: Duration = .milliseconds(50)

    private let limit: Duration
    private let state = Mutex(State())

    init(limit: Duration) {
        self.limit = limit
    }

    /// Notes whether somebody waits for an answer.
    func set(awaited isAwaited: Bool) {
        state.withLock { $0.note { $0.isAwaited = isAwaited } }
    }

    /// Notes whether the process lacks what it is to work on.
    func set(starved isStarved: Bool) {
        state.withLock { $0.note { $0.isStarved = isStarved } }
    }

    /// Returns when all the time is spent.
    func waitUntilSpent() async throws {
        while true {
            let rest = state.withLock { state in
                state.note { _ in }
                return limit - state.spent
            }
            guard rest > .zero else { return }
            try await Task.sleep(for: max(rest, Self.interval))
        }
    }
}

/// What a process is given while it works.
final class Feeding: Sendable {
    let stopwatch: Stopwatch
    private let failed = Mutex<(any Error)?>(nil)

    init(_ stopwatch: Stopwatch) {
        self.stopwatch = stopwatch
    }

    /// Why there is no more to give; nil while all is well.
    var failure: (any Error)? { failed.withLock { $0 } }

    func fail(_ error: any Error) {
        failed.withLock { $0 = $0 ?? error }
    }
}

/// What a process says, frame by frame; for one task.
final class ProcessOutput {
    private enum State {
        case silent
        case talking
        case done
    }

    private var pieces: SubprocessOutputSequence.Iterator
    private var frames = FrameAssembler()
    private var state = State.silent
    private let feeding: Feeding
    private let exhaustion: SpreadsheetFault

    /// - Parameters:
    ///   - output: What the process writes.
    ///   - feeding: What it is given.
    ///   - exhaustion: The fault if it ends before its work is done.
    init(_ output: SubprocessOutputSequence, feeding: Feeding, exhaustion: SpreadsheetFault) {
        pieces = output.makeAsyncIterator()
        (self.feeding, self.exhaustion) = (feeding, exhaustion)
    }

    /// The contents of the next frame of a kind; nil when all is done.
    func next(_ kind: Frame.Kind) async throws -> ByteReader? {
        while state != .done {
            let frame: Frame
            do {
                frame = try await next()
            } catch is MalformedFrame {
                throw SpreadsheetFault.unavailable
            }
            switch (state, frame.kind) {
            case (.silent, .hello): state = .talking
            case (.talking, kind): return frame.contents
            case (.talking, .end): state = .done
            case (.talking, .fault):
                state = .done
                // Without its rows it cannot do other than fail.
                if let failure = feeding.failure { throw failure }
                var contents = frame.contents
                guard let fault = try? contents.fault() else {
                    throw SpreadsheetFault.unavailable
                }
                throw fault
            default: throw SpreadsheetFault.unavailable
            }
        }
        return nil
    }

    private func next() async throws -> Frame {
        feeding.stopwatch.set(awaited: true)
        defer { feeding.stopwatch.set(awaited: false) }
        while true {
            if let frame = try frames.next() { return frame }
            guard let piece = try await pieces.next() else { throw try ending() }
            unsafe piece.withUnsafeBytes { unsafe frames.append($0) }
        }
    }

    /// Why the process has ended in the midst of its work.
    private func ending() throws -> any Error {
        try Task.checkCancellation()
        if let failure = feeding.failure { return failure }
        return state == .silent ? SpreadsheetFault.unavailable : exhaustion
    }
}

/// The rows of a file that is being read, in batches; to be iterated once, where they were given.
public struct SpreadsheetRows: AsyncSequence {
    private let output: ProcessOutput
    private let limits: SpreadsheetLimits

    init(_ output: ProcessOutput, limits: SpreadsheetLimits) {
        (self.output, self.limits) = (output, limits)
    }

    /// The same rows, held to other limits than those the process was given.
    func held(to limits: SpreadsheetLimits) -> SpreadsheetRows {
        SpreadsheetRows(output, limits: limits)
    }

    /// An iterator over batches of rows.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let output: ProcessOutput
        fileprivate let limits: SpreadsheetLimits
        private var rowsTaken = 0

        fileprivate init(_ output: ProcessOutput, limits: SpreadsheetLimits) {
            (self.output, self.limits) = (output, limits)
        }

        /// The next rows, about 64 KiB of them; nil after the last.
        public mutating func next() async throws -> [SpreadsheetRow]? {
            guard var contents = try await output.next(.rows) else { return nil }
            // A process that a file has taken over may say anything: the limits hold here too.
            guard let rows = try? contents.rows(), rows.count <= limits.rowsMax + 1 - rowsTaken,
                rows.allSatisfy({ $0.cells.count <= limits.columnsMax })
            else { throw SpreadsheetFault.unavailable }
            rowsTaken += rows.count
            return rows
        }
    }

    /// The iterator.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(output, limits: limits) }
}

/// The bytes of a file that is being written, in pieces; to be iterated once, where they were
/// given.
public struct SpreadsheetBytes: AsyncSequence {
    private let output: ProcessOutput

    init(_ output: ProcessOutput) {
        self.output = output
    }

    /// An iterator over pieces of bytes.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let output: ProcessOutput

        /// The next bytes, about 64 KiB of them; nil after the last.
        public mutating func next() async throws -> [UInt8]? {
            guard let contents = try await output.next(.bytes) else { return nil }
            return Array(contents.rest)
        }
    }

    /// The iterator.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(output: output) }
}
