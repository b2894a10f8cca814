public import Logging
internal import Messages
internal import RPC
public import Storage

/// Keeps a read copy of another service's facts: follows its feed and applies each event once.
public final class FeedConsumer: Sendable {
    /// The pause before a first new attempt after a failure.
    public static let pauseMin: Duration = .milliseconds(50)
    /// The longest pause between attempts.
    public static let pauseMax: Duration = .seconds(5)
    /// How long ``catchUp(within:)`` waits unless told otherwise.
    public static let catchUpMax: Duration = .seconds(1)

    private let source: FeedSource
    private let database: Database
    private let target: FeedTarget
    private let trouble: FeedTrouble
    private let progress = FeedProgress()

    /// A consumer; ``run()`` does its work.
    ///
    /// - Parameters:
    ///   - source: Whose feed.
    ///   - database: Where the copy and the position are kept.
    ///   - target: What is done with events.
    ///   - logger: Told about lost and regained connections.
    public init(
        _ source: FeedSource, into database: Database, target: FeedTarget, logger: Logger
    ) {
        self.source = source
        self.database = database
        self.target = target
        trouble = FeedTrouble(source: source.name, logger: logger)
    }

    /// Follows the feed until the task is cancelled; reconnects as often as need be.
    public func run() async throws {
        var failures = 0
        while !Task.isCancelled {
            let before = progress.position
            do {
                try await follow()
            } catch let end as Status where end.rpcReason == .connectionAged {
                // Nothing is wrong: the stream goes on over another connection.
            } catch {
                if Task.isCancelled { break }
                trouble.failed(error, at: progress.position)
                progress.suspend()
            }
            failures = progress.position == before ? failures + 1 : 0
            // Cancelled while pausing: the loop ends.
            try? await Task.sleep(
                for: Self.pause(after: failures, jitter: .random(in: 0...1)))
        }
        progress.end()
    }

    /// The last position that has been applied and is durable; nil until the first contact.
    public var position: FeedPosition? { progress.position }

    /// Waits until an event has been applied.
    ///
    /// - Parameters:
    ///   - sequence: The event's sequence.
    ///   - incarnation: The life of the source's database that the sequence belongs to.
    /// - Throws: `CancellationError`, or `UNAVAILABLE` when the consumer stops.
    public func waitUntilApplied(_ sequence: Int64, incarnation: [UInt8]) async throws {
        try await progress.wait(
            for: FeedPosition(incarnation: incarnation, sequence: sequence))
    }

    /// Waits until everything that the source has said by now is applied: a read barrier for the
    /// moment when something is not known here and may be new.
    ///
    /// - Parameter limit: How long to wait at most; the deadline of the call being handled
    ///   shortens it.
    /// - Throws: `UNAVAILABLE` when the source cannot be reached or the copy does not catch up.
    public func catchUp(within limit: Duration = catchUpMax) async throws {
        let timeout = min(limit, Deadline.current?.remaining() ?? limit)
        let isDone = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                let head = try await self.head(within: timeout)
                try await self.waitUntilApplied(head.sequence, incarnation: head.incarnation)
                return true
            }
            group.addTask {
                try await Task.sleep(for: timeout)
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
        guard isDone else {
            throw Status.refusal(
                .unavailable, "The copy of \(source.name) has not caught up. Try again shortly.")
        }
    }

    /// Catches up as ``catchUp(within:)`` does, trying again while the source does not answer.
    ///
    /// - Parameter limit: How long to try.
    /// - Returns: Whether everything that the source had said is applied; false when the time is
    ///   over or the task is cancelled.
    func catchesUp(within limit: Duration) async -> Bool {
        let end = ContinuousClock.now.advanced(by: limit)
        while !Task.isCancelled {
            let rest = ContinuousClock.now.duration(to: end)
            guard rest > .zero else { return false }
            do {
                try await catchUp(within: rest)
                return true
            } catch {
                if Task.isCancelled { return false }
                trouble.failed(error, at: progress.position)
            }
            // Cancelled while pausing: the loop ends.
            try? await Task.sleep(for: min(Self.pauseMin, rest))
        }
        return false
    }

    /// The name of the source.
    var sourceName: String { source.name }

    /// How far the source has come.
    ///
    /// One that is behind its own past has been put back to an older
    /// copy: its answer is worth nothing until the stream, which ended with it, has begun anew.
    private func head(within timeout: Duration) async throws -> FeedHead {
        while true {
            let known = progress.position
            let head = try await source.head(
                GetFeedHeadRequest(), CallOptions(timeout: timeout))
            guard let known, known.incarnation == head.incarnation, known.sequence > head.sequence
            else { return head }
            try await Task.sleep(for: Self.pauseMin)
        }
    }

    private func follow() async throws {
        let start = try await begin()
        let request = WatchRequest(
            afterSequence: start?.sequence ?? 0, incarnation: start?.incarnation ?? [])
        try await source.watch(request, CallOptions()) { reply in
            try await self.take(reply)
        }
        throw Status(.unavailable, "The feed ended.")
    }

    /// Where to go on; a copy that has been deleted is begun anew.
    private func begin() async throws -> FeedPosition? {
        let (name, target) = (source.name, target)
        return try await database.write { transaction in
            guard let known = try transaction.feedPosition(of: name) else { return nil }
            guard known.sequence > 0, try target.isLost(transaction) else { return known }
            let anew = FeedPosition(incarnation: known.incarnation, sequence: 0)
            try target.reset(transaction)
            try transaction.setFeedPosition(anew, of: name)
            return anew
        }
    }

    /// Applies a reply with the position, all or nothing.
    private func take(_ reply: WatchReply) async throws {
        let (name, target) = (source.name, target)
        let applied = try await database.write { transaction in
            var sequence = try Self.sequence(of: name, reply, target, transaction)
            for event in reply.events where event.sequence > sequence {
                try target.apply(event, transaction)
                sequence = event.sequence
            }
            if sequence >= reply.headSequence { try target.caughtUp(transaction) }
            let position = FeedPosition(incarnation: reply.incarnation, sequence: sequence)
            try transaction.setFeedPosition(position, of: name)
            return position
        }
        progress.advance(to: applied)
        trouble.wentOn(at: applied)
    }

    /// The sequence up to which the reply's feed has been applied; one that begins anew begins
    /// at 0.
    private static func sequence(
        of name: String, _ reply: WatchReply, _ target: FeedTarget, _ transaction: Transaction
    ) throws -> Int64 {
        if let known = try transaction.feedPosition(of: name),
            known.incarnation == reply.incarnation, !Self.isAnew(reply, after: known.sequence)
        {
            return known.sequence
        }
        try target.reset(transaction)
        return 0
    }

    /// Whether the source has been put back to an older copy of its database, which has the same
    /// incarnation: its feed ends before the known sequence, or comes again from the first.
    private static func isAnew(_ reply: WatchReply, after known: Int64) -> Bool {
        if reply.headSequence < known { return true }
        guard let first = reply.events.first else { return false }
        return first.sequence <= known
    }

    /// The longest doubles from attempt to attempt; full jitter, any part of it from 0 to 1, keeps
    /// many consumers apart.
    static func pause(after failures: Int, jitter: Double) -> Duration {
        min(pauseMin * (1 << min(failures, 10)), pauseMax) * jitter
    }
}
