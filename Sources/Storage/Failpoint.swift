internal import Synchronization

/// Places in the course of a write where a test can end the process; in debug builds alone.
package enum Failpoint: String, CaseIterable, Sendable {
    case beforeBegin
    case afterBegin
    case beforeEffect
    case afterEffect
    case beforeCancel
    case afterCancel
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
        private static let hook = Mutex<(@Sendable (Failpoint, String) -> Void)?>(nil)

        /// Has a closure called, on the thread at work, whenever any of these places is reached;
        /// with what is done there, where that is not always the same.
        package static func observe(_ body: @escaping @Sendable (Failpoint, String) -> Void) {
            hook.withLock { $0 = body }
        }
    #endif

    /// Says that the place is reached, and by what.
    @inline(__always) func reach(_ work: @autoclosure () -> String = "") {
        #if DEBUG
            Self.hook.withLock { $0 }?(self, work())
        #endif
    }
}
