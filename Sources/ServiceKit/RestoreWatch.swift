internal import Encodings
public import Logging
internal import Messages
internal import RPC
public import Storage

/// Notices when another service has been put back to an older copy of its database, and has sent
/// again what it may have forgotten.
///
/// What is known of each service is kept in the database, so that nothing is missed while this
/// program does not run.
public struct RestoreWatch: Sendable {
    /// Between two looks at each service.
    public static let period: Duration = .seconds(10)
    /// How far back steps are sent again: replies are kept for no longer.
    public static let repetitionSpan: Duration = .seconds(7 * 86_400)
    /// Before steps that nobody answered are sent once more.
    public static let repetitionPause: Duration = .seconds(600)
    /// How long one look may take.
    private static let lookTimeout: Duration = .seconds(2)

    private let sources: [FeedSource]
    private let database: Database
    private let clock: WallClock
    private let logger: Logger
    private let repeatSteps: @Sendable (_ since: WallTime) async throws -> RepetitionReport

    /// A watch; ``run()`` does its work.
    ///
    /// - Parameters:
    ///   - sources: The services that workflows change, by their feeds.
    ///   - database: Where what is known of them is kept, beside the workflows.
    ///   - clock: The time of day.
    ///   - logger: Told of every restore and of what is refused then.
    ///   - repeatSteps: Sends the steps again; see `WorkflowRunner.repeatSteps(since:)`.
    public init(
        of sources: [FeedSource], database: Database, clock: WallClock, logger: Logger,
        repeatSteps: @escaping @Sendable (_ since: WallTime) async throws -> RepetitionReport
    ) {
        self.sources = sources
        self.database = database
        self.clock = clock
        self.logger = logger
        self.repeatSteps = repeatSteps
    }

    /// Looks at every service from time to time, until the task is cancelled.
    public func run() async throws {
        while !Task.isCancelled {
            var pause = Self.period
            do {
                if try await !look() { pause = Self.repetitionPause }
            } catch is CancellationError {
                return
            } catch StorageFault.busy {
                // The next look finds the same.
            }
            // Cancelled while pausing: the loop ends.
            try? await Task.sleep(for: pause)
        }
    }

    /// Looks at every service once.
    ///
    /// - Returns: Whether every step that had to be sent again has been answered.
    /// - Throws: `StorageFault` or `CancellationError`; a service that does not answer is passed
    ///   over.
    @discardableResult
    func look() async throws -> Bool {
        var seen: [(name: String, position: FeedPosition)] = []
        var restored: [String] = []
        for source in sources {
            guard let head = await head(of: source) else { continue }
            let name = Self.positionName(of: source)
            let known = try database.readInline { try $0.feedPosition(of: name) }
            guard known != head else { continue }
            if let known, Self.isRestored(known, head) { restored.append(source.name) }
            seen.append((name, head))
        }
        if !restored.isEmpty, try await !sendAgain(because: restored) { return false }
        let positions = seen
        guard !positions.isEmpty else { return true }
        // Kept last: whatever ends this program before, the next one sends the steps again.
        try await database.write { transaction in
            for (name, position) in positions {
                try transaction.setFeedPosition(position, of: name)
            }
        }
        return true
    }

    /// Sends steps again; answers whether every one of them has been answered.
    private func sendAgain(because services: [String]) async throws -> Bool {
        let names = services.joined(separator: ", ")
        logger.warning(
            "service restored: the steps of workflows are sent again",
            metadata: ["services": "\(names)"])
        let report = try await repeatSteps(
            clock.now().advanced(by: .zero - Self.repetitionSpan))
        for failure in report.failures {
            logger.error(
                failure.isPassing
                    ? "step not answered after a restore" : "step refused after a restore",
                metadata: [
                    "services": "\(names)",
                    "workflow": "\(Hexadecimal.text(failure.workflow.id))",
                    "kind": "\(failure.workflow.kind)", "step": "\(failure.step)",
                    "error": "\(failure.words)",
                ])
        }
        let isComplete = report.failures.allSatisfy { !$0.isPassing }
        logger.notice(
            isComplete ? "steps sent again" : "steps will be sent once more",
            metadata: [
                "services": "\(names)", "workflows": "\(report.workflowCount)",
                "failures": "\(report.failures.count)",
            ])
        return isComplete
    }

    private func head(of source: FeedSource) async -> FeedPosition? {
        do {
            let head = try await source.head(
                GetFeedHeadRequest(), CallOptions(timeout: Self.lookTimeout))
            return FeedPosition(incarnation: head.incarnation, sequence: head.sequence)
        } catch {
            logger.debug("no answer", metadata: ["service": "\(source.name)", "error": "\(error)"])
            return nil
        }
    }

    /// Another life, or the same one before what it had already said: the file was copied back.
    private static func isRestored(_ known: FeedPosition, _ head: FeedPosition) -> Bool {
        known.incarnation != head.incarnation || known.sequence > head.sequence
    }

    /// Apart from the positions of consumers, which apply what they read.
    private static func positionName(of source: FeedSource) -> String { "seen:\(source.name)" }
}
