internal import Access
public import Messages
public import RPC
public import Storage

/// Serves the event feed of a service's database.
public struct FeedServer: Sendable {
    /// The most events of a reply.
    public static let eventsMax = 256
    /// The most bytes of a reply's events, unless a single one is larger.
    public static let bytesMax = 48 * 1_024
    /// What an event takes beside its body, at most.
    private static let overheadBytes = 160

    private let database: Database

    /// Serves the feed of a database.
    public init(_ database: Database) {
        self.database = database
    }

    /// Streams the events after a sequence, then each new one, until the call ends.
    ///
    /// The first reply comes at once, also when there is nothing new: it tells the incarnation and
    /// how far the feed has come. Who names an event that is not there any more, because an older
    /// copy of the database file was put back, gets everything from the first.
    /// - Throws: `PERMISSION_DENIED` unless a service calls.
    public func watch(
        _ request: WatchRequest, _ context: CallContext, _ replies: ReplyStream<WatchReply>
    ) async throws {
        try context.require(.followFeed)
        guard request.afterSequence >= 0 else {
            throw Status.invalid("after_sequence", "This must not be negative.")
        }
        let isKnown =
            (request.incarnation.isEmpty || request.incarnation == database.incarnation)
            && request.afterSequence <= database.feed.head()
        var position = isKnown ? request.afterSequence : 0
        var isFirst = true
        while true {
            let events = try await database.feed.events(after: position, limit: Self.eventsMax)
            for batch in Self.batches(events) {
                try await replies.write(reply(batch))
            }
            if events.isEmpty, isFirst { try await replies.write(reply([])) }
            isFirst = false
            position = events.last?.sequence ?? position
            try await database.feed.waitForEvents(after: position)
        }
    }

    /// How far the feed has come.
    ///
    /// - Throws: `PERMISSION_DENIED` unless a service calls.
    public func head(
        _ request: GetFeedHeadRequest, _ context: CallContext
    ) throws(Status) -> FeedHead {
        try context.require(.followFeed)
        return head
    }

    /// How far the feed has come.
    public var head: FeedHead {
        FeedHead(incarnation: database.incarnation, sequence: database.feed.head())
    }

    private func reply(_ events: ArraySlice<Storage.FeedEvent>) -> WatchReply {
        WatchReply(
            incarnation: database.incarnation,
            events: events.map { event in
                Messages.FeedEvent(
                    sequence: event.sequence, kind: event.kind, aggregateID: event.aggregate,
                    version: event.version, body: event.body, occurredAt: Timestamp(event.at))
            },
            headSequence: max(database.feed.head(), events.last?.sequence ?? 0))
    }

    /// The events in replies of bounded size.
    static func batches(_ events: [Storage.FeedEvent]) -> [ArraySlice<Storage.FeedEvent>] {
        var batches: [ArraySlice<Storage.FeedEvent>] = []
        var start = 0
        var bytes = 0
        for (index, event) in events.enumerated() {
            let size = event.body.count + event.kind.utf8.count + overheadBytes
            if index > start, bytes + size > bytesMax {
                batches.append(events[start..<index])
                start = index
                bytes = 0
            }
            bytes += size
        }
        if start < events.count { batches.append(events[start...]) }
        return batches
    }
}
