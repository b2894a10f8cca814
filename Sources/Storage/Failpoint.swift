internal import Synchronization

/// Places in the course of a write where a test can end the process; in debug builds alone.
package enum Failpoint: String, CaseIterable, Sendable {
    case beforeBegin
    case afterBegin
    case beforeEffect
    case afterEffect
    case beforeReply
    case afterReply
    case beforeEvent
    case afterEvent
    case beforeCommit
    case afterCommit
    case beforeStep
    case afterStep
    case beforeMigration
    case afterMigration
    case beforeCopy
    case afterCopy
    case beforeRestore
    case afterRestore

    #if DEBUG
        private static let hook = Mutex<(@Sendable (Failpoint) -> Void)?>(nil)

        /// Has a closure called, on the thread at work, whenever any of these places is reached.
        package static func observe(_ body: @escaping @Sendable (Failpoint) -> Void) {
            hook.withLock { $0 = body }
        }
    #endif

    /// Says that the place is reached.
    @inline(__always) func reach() {
        #if DEBUG
            Self.hook.withLock { $0 }?(self)
        #endif
    }
}
