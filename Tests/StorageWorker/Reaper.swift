import Glibc
import Storage
import Synchronization

/// Ends the process at a place in the course of a write, as a power cut would.
enum Reaper {
    static func arm(_ death: Assignment.Death) {
        #if DEBUG
            let counter = Counter()
            Failpoint.observe { reached, work in
                guard reached == death.failpoint, death.work.isEmpty || death.work == work,
                    Output.hasAnswered || !death.isAfterAnswer,
                    counter.next() == death.hit
                else { return }
                Output.line("reached \(death.place) \(death.hit)")
                kill(getpid(), SIGKILL)
            }
        #endif
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)

        func next() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }
}
