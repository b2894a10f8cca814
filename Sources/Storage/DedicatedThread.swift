internal import Glibc
internal import Synchronization

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

    /// Runs a closure on a thread of its own.
    ///
    /// - Parameter body: Runs on it; given what tells whether the task has been cancelled.
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws, or ``StorageFault/busy(retryAfter:)`` when the machine
    ///   has no thread left.
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable (_ isCancelled: @escaping () -> Bool) throws -> Value
    ) async throws -> Value {
        let cancellation = Cancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                do {
                    let thread = try DedicatedThread {
                        continuation.resume(
                            with: Result { try body { cancellation.isRequested } })
                    }
                    pthread_detach(thread.thread)
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            cancellation.request()
        }
    }

    /// Whether somebody wants work to end.
    private final class Cancellation: Sendable {
        private let requested = Atomic(false)

        var isRequested: Bool { requested.load(ordering: .relaxed) }

        func request() {
            requested.store(true, ordering: .relaxed)
        }
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }
}
