import Dispatch
import Synchronization

/// Hands out lines one after the other, each when it is asked for.
final class LineSource: Sendable {
    private enum State {
        case listed(ArraySlice<String>)
        case idle
        case waiting(CheckedContinuation<String?, Never>)
        /// A line came when nobody waited for it any more.
        case kept(String?)
    }

    private let state: Mutex<State>

    /// The lines of standard input, as they come.
    static var standardInput: LineSource { LineSource(.idle) }

    /// Lines that are there already.
    convenience init(_ lines: [String]) {
        self.init(.listed(lines[...]))
    }

    private init(_ state: State) {
        self.state = Mutex(state)
    }

    /// The next line that is not empty; nil at the end, and at once when the task is cancelled.
    func next() async -> String? {
        while !Task.isCancelled, let line = await line() {
            if line.contains(where: { !$0.isWhitespace }) { return line }
        }
        return nil
    }

    private func line() async -> String? {
        let listed: String?? = state.withLock { state in
            switch state {
            case .listed(var lines):
                let line = lines.popFirst()
                state = .listed(lines)
                return .some(line)
            case .kept(let line):
                state = .idle
                return .some(line)
            case .idle, .waiting: return nil
            }
        }
        if let listed { return listed }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { $0 = .waiting(continuation) }
                // A thread of its own: reading from a terminal waits for a person.
                DispatchQueue.global().async { self.heard(readLine()) }
                if Task.isCancelled { giveUp() }
            }
        } onCancel: {
            giveUp()
        }
    }

    private func heard(_ line: String?) {
        let waiting = state.withLock { state in
            if case .waiting(let continuation) = state {
                state = .idle
                return continuation as CheckedContinuation<String?, Never>?
            }
            state = .kept(line)
            return nil
        }
        waiting?.resume(returning: line)
    }

    private func giveUp() {
        let waiting = state.withLock { state in
            guard case .waiting(let continuation) = state else {
                return nil as CheckedContinuation<String?, Never>?
            }
            state = .idle
            return continuation
        }
        waiting?.resume(returning: nil)
    }
}
