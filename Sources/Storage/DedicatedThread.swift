internal import Glibc

/// A thread of our own, for what blocks: never one of the few that run Swift's tasks.
struct DedicatedThread: Sendable {
    private let thread: pthread_t

    /// Starts a thread.
    ///
    /// - Parameter body: Runs on it; the thread ends with it.
    /// - Throws: ``StorageFault/busy(retryAfter:)`` when the machine has no thread left.
    init(_ body: @escaping @Sendable () -> Void) throws {
        let context = unsafe Unmanaged.passRetained(Body(run: body))
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                if let context = unsafe context {
                    unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                }
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            unsafe context.release()
            throw StorageFault.busy(retryAfter: .seconds(1))
        }
        self.thread = thread
    }

    /// Waits until the thread has ended; once only, and not on the thread itself.
    func join() {
        pthread_join(thread, nil)
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }
}
