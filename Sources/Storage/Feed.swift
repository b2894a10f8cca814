/// One entry of a feed: an aggregate's whole state after a change.
public struct FeedEvent: Sendable, Hashable {
    /// Grows from event to event, with gaps.
    public let sequence: Int64
    /// What kind of state the body is.
    public let kind: String
    /// Whose state it is.
    public let aggregate: [UInt8]
    /// Which state of the aggregate it is.
    public let version: Int64
    /// The encoded state.
    public let body: [UInt8]
    /// When it changed.
    public let at: WallTime

    /// An event.
    public init(
        sequence: Int64, kind: String, aggregate: [UInt8], version: Int64, body: [UInt8],
        at: WallTime
    ) {
        self.sequence = sequence
        self.kind = kind
        self.aggregate = aggregate
        self.version = version
        self.body = body
        self.at = at
    }
}

/// How far a consumer has applied the feed of a source.
public struct FeedPosition: Sendable, Hashable {
    /// Which life of the source's database the sequence belongs to: 16 bytes.
    public let incarnation: [UInt8]
    /// The last event applied; 0 before the first.
    public let sequence: Int64

    /// A position.
    public init(incarnation: [UInt8], sequence: Int64) {
        self.incarnation = incarnation
        self.sequence = sequence
    }
}

/// The events of a database, in the order of their commits.
///
/// The feed is compacted: an event may be missing once a later one of the same kind and aggregate
/// is there. Reading from 0 therefore rebuilds everything, but may show a child before the parent
/// that it belongs to, when that was changed since.
public struct Feed: Sendable {
    /// The most events of one answer.
    public static let eventsMax = 1_000
    /// Events looked at in one transaction of a compaction.
    static let compactionBatch: Int64 = 1_000

    let writes: JobQueue<Transaction>
    let reads: JobQueue<Snapshot>
    let signals: CommitSignals

    /// The sequence of the last durable event; 0 before the first.
    public func head() -> Int64 { signals.feedHead.value }

    /// The events after a sequence, oldest first.
    ///
    /// - Parameters:
    ///   - sequence: 0 for all.
    ///   - limit: At most ``eventsMax``.
    /// - Returns: The events; none at the end of the feed.
    /// - Throws: ``StorageFault`` or `CancellationError`.
    public func events(after sequence: Int64, limit: Int) async throws -> [FeedEvent] {
        let limit = min(max(limit, 1), Self.eventsMax)
        return try await reads.perform(deadline: nil) { snapshot in
            try snapshot.feedEvents(after: sequence, limit: limit)
        }
    }

    /// Waits until there is an event after a sequence.
    ///
    /// - Parameter sequence: The last event known.
    /// - Returns: The sequence of the last durable event.
    /// - Throws: `CancellationError`.
    @discardableResult
    public func waitForEvents(after sequence: Int64) async throws -> Int64 {
        try await signals.feedHead.wait(past: sequence)
    }

    /// Drops old events that a later one of the same kind and aggregate supersedes.
    ///
    /// - Parameter instant: Younger events stay.
    /// - Returns: How many were dropped.
    /// - Throws: ``StorageFault`` or `CancellationError`.
    @discardableResult
    public func compact(olderThan instant: WallTime) async throws -> Int {
        var dropped = 0
        var position: Int64 = 0
        while true {
            let from = position
            let batch = try await writes.perform(deadline: nil) { transaction in
                try Self.compact(after: from, olderThan: instant, in: transaction)
            }
            dropped += batch.dropped
            guard let next = batch.next else { return dropped }
            position = next
        }
    }

    private static func compact(
        after from: Int64, olderThan instant: WallTime, in transaction: Transaction
    ) throws -> (dropped: Int, next: Int64?) {
        let sequences = try transaction.rows(
            """
            SELECT sequence FROM storage_event WHERE sequence > \(from)
            ORDER BY sequence LIMIT \(compactionBatch)
            """
        ) { try $0.int64(0) }
        guard let last = sequences.last else { return (0, nil) }
        let dropped = try transaction.execute(
            """
            DELETE FROM storage_event
            WHERE sequence > \(from) AND sequence <= \(last) AND at_us < \(instant)
                AND EXISTS (
                    SELECT 1 FROM storage_event AS later
                    WHERE later.aggregate = storage_event.aggregate
                        AND later.kind = storage_event.kind
                        AND later.sequence > storage_event.sequence)
            """)
        return (dropped, last)
    }
}

extension Transaction {
    /// Adds an event to the feed; who waits for events is woken after the commit.
    ///
    /// - Parameters:
    ///   - kind: What kind of state the body is.
    ///   - aggregate: Whose state it is.
    ///   - version: Which state of the aggregate it is.
    ///   - body: The aggregate's whole state, encoded.
    ///   - at: When it changed.
    /// - Throws: ``StorageFault``.
    public func publish(
        kind: String, aggregate: [UInt8], version: Int64, body: [UInt8], at: WallTime
    ) throws {
        Failpoint.beforeEvent.reach()
        try execute(
            """
            INSERT INTO storage_event (kind, aggregate, version, body, at_us)
            VALUES (\(kind), \(aggregate), \(version), \(body), \(at))
            """)
        effects.lastEvent = lastInsertedRow
        Failpoint.afterEvent.reach()
    }

    /// Notes how far the feed of a source has been applied, beside what was applied.
    ///
    /// - Parameters:
    ///   - position: The last event applied.
    ///   - source: The name of the source.
    /// - Throws: ``StorageFault``.
    public func setFeedPosition(_ position: FeedPosition, of source: String) throws {
        try execute(
            """
            INSERT INTO storage_feed_position (source, incarnation, sequence)
            VALUES (\(source), \(position.incarnation), \(position.sequence))
            ON CONFLICT (source) DO UPDATE
            SET incarnation = excluded.incarnation, sequence = excluded.sequence
            """)
    }
}

extension FeedEvent {
    fileprivate init(row: Row) throws {
        self.init(
            sequence: try row.int64(0), kind: try row.text(1), aggregate: try row.bytes(2),
            version: try row.int64(3), body: try row.bytes(4), at: try row.time(5))
    }
}

extension Reading {
    /// The events of this database after a sequence, oldest first.
    ///
    /// - Parameters:
    ///   - sequence: 0 for all.
    ///   - limit: At most so many.
    /// - Returns: The events; none at the end of the feed.
    /// - Throws: ``StorageFault``.
    public func feedEvents(after sequence: Int64, limit: Int) throws -> [FeedEvent] {
        try rows(
            """
            SELECT sequence, kind, aggregate, version, body, at_us FROM storage_event
            WHERE sequence > \(sequence) ORDER BY sequence LIMIT \(limit)
            """, FeedEvent.init(row:))
    }

    /// The event of the same aggregate and kind that came before one.
    ///
    /// - Parameter event: An event of this database.
    /// - Returns: The event; nil when there was none, or it was superseded and dropped.
    /// - Throws: ``StorageFault``.
    public func feedEvent(before event: FeedEvent) throws -> FeedEvent? {
        try row(
            """
            SELECT sequence, kind, aggregate, version, body, at_us FROM storage_event
            WHERE aggregate = \(event.aggregate) AND kind = \(event.kind)
                AND sequence < \(event.sequence)
            ORDER BY sequence DESC LIMIT 1
            """, FeedEvent.init(row:))
    }

    /// The sequence of the last event; 0 before the first.
    ///
    /// - Throws: ``StorageFault``.
    public func feedEnd() throws -> Int64 {
        try row("SELECT sequence FROM storage_event ORDER BY sequence DESC LIMIT 1") { row in
            try row.int64(0)
        } ?? 0
    }

    /// How far the feed of a source has been applied here.
    ///
    /// - Parameter source: The name of the source.
    /// - Returns: The position; nil before the first time.
    /// - Throws: ``StorageFault``.
    public func feedPosition(of source: String) throws -> FeedPosition? {
        try row(
            """
            SELECT incarnation, sequence FROM storage_feed_position WHERE source = \(source)
            """
        ) { FeedPosition(incarnation: try $0.bytes(0), sequence: try $0.int64(1)) }
    }
}
