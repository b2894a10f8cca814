internal import Logging
internal import RPC
internal import Storage
import Synchronization

/// Says in the log that a feed does not go on: seldom, but for as long as it lasts.
final class FeedTrouble: Sendable {
    /// Between two warnings lies at least this.
    static let warningInterval: Duration = .seconds(60)

    private struct State {
        var lastWarning: ContinuousClock.Instant?
        /// Whether a warning has not been followed by the good news yet.
        var isWarned = false
    }

    private let source: String
    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())

    init(
        source: String, logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.source = source
        self.logger = logger
        self.now = now
    }

    /// An attempt to follow the feed has failed, after a position.
    func failed(_ error: any Error, at position: FeedPosition?) {
        let now = now()
        let isDue = state.withLock { state in
            if let last = state.lastWarning, last.duration(to: now) < Self.warningInterval {
                return false
            }
            state.lastWarning = now
            state.isWarned = true
            return true
        }
        logger.log(
            level: isDue ? .warning : .debug, "feed does not go on",
            metadata: [
                "source": "\(source)", "after": "\(position?.sequence ?? 0)",
                "reason": "\(Self.text(of: error))",
            ])
    }

    /// A reply has come and been applied.
    func wentOn(at position: FeedPosition) {
        let isNews = state.withLock { state in
            defer { state.isWarned = false }
            return state.isWarned
        }
        guard isNews else { return }
        logger.info(
            "feed goes on", metadata: ["source": "\(source)", "at": "\(position.sequence)"])
    }

    private static func text(of error: any Error) -> String {
        guard let status = (error as? any StatusConvertible)?.status else { return "\(error)" }
        return "\(status.code): \(status.message)"
    }
}
