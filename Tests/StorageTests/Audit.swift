import Testing

@testable import Storage
@testable import StorageWorker

/// Compares a database with what its clients were told, and with itself.
struct Audit {
    /// A promise that is broken.
    enum Breach: Hashable {
        /// An acknowledged command is not there as it was acknowledged.
        case lost
        /// A command was done more than once.
        case twice
        /// A repeated command answered other bytes.
        case changedReply
        /// A change and its stored reply do not go together.
        case torn
        /// An event is missing, or out of order.
        case feed
        /// A step of a workflow was done or undone more than once.
        case stepTwice
        /// A workflow has ended, and its effects are not all there, or not all undone.
        case stepLost
        /// A workflow was not started with its command.
        case unstarted
        /// A workflow has not ended.
        case open
    }

    struct Finding: Hashable {
        let breach: Breach
        let detail: String
    }

    let database: Database
    let hasWorkflows: Bool

    /// Looks for broken promises.
    ///
    /// - Parameters:
    ///   - acknowledgements: What the clients were told.
    ///   - places: The commands to look up among them; nil for all.
    ///   - isSettled: Whether every workflow should have ended.
    /// - Returns: Every promise that is broken; none if all is well.
    /// - Throws: `StorageFault`.
    func findings(
        _ acknowledgements: Acknowledgements, places: Set<Acknowledgements.Place>? = nil,
        isSettled: Bool
    ) async throws -> Set<Finding> {
        var found = Set(
            acknowledgements.changed.map { Finding(breach: .changedReply, detail: "\($0)") })
        var queries = Self.commandQueries
        if hasWorkflows { queries += Self.workflowQueries }
        if isSettled { queries.append(Self.openQuery) }
        for (breach, query) in queries {
            let details = try await database.read { snapshot in
                try snapshot.rows("\(query) LIMIT 100") { try $0.text(0) }
            }
            found.formUnion(details.map { Finding(breach: breach, detail: $0) })
        }
        for place in places ?? Set(acknowledgements.answers.keys) {
            guard let answer = acknowledgements.answers[place] else { continue }
            let stored = try answers(at: place)
            let entries: [String] = answer.isRefusal ? [] : [answer.bytes]
            if stored.replies != [answer] || stored.entries != entries {
                found.insert(Finding(breach: .lost, detail: "\(place): \(answer), \(stored)"))
            }
        }
        return found
    }

    private func answers(
        at place: Acknowledgements.Place
    ) throws -> (replies: [Acknowledgements.Answer], entries: [String]) {
        let key = Ledger.key(client: place.client, counter: place.counter)
        return try database.readInline { snapshot in
            let replies = try snapshot.rows(
                """
                SELECT state, reply FROM storage_reply
                WHERE principal = \(Ledger.principal) AND key = \(key)
                """
            ) { row in
                Acknowledgements.Answer(
                    isRefusal: try row.int(0) == 2, bytes: hexadecimal(try row.bytes(1)))
            }
            let entries = try snapshot.rows(
                """
                SELECT reply FROM entry
                WHERE client = \(place.client) AND counter = \(place.counter)
                """
            ) { hexadecimal(try $0.bytes(0)) }
            return (replies, entries)
        }
    }

    private static let commandQueries: [(Breach, SQL)] = [
        (
            .twice,
            """
            SELECT client || '-' || counter FROM entry GROUP BY client, counter HAVING count(*) > 1
            """
        ),
        (
            .torn,
            """
            SELECT client || '-' || counter FROM entry LEFT JOIN storage_reply
                ON principal = \(Ledger.principal) AND storage_reply.key = entry.key
            WHERE state IS NOT 1 OR storage_reply.reply <> entry.reply
            """
        ),
        (
            .torn,
            """
            SELECT 'account ' || account.client FROM account
            WHERE total <> (SELECT count(*) FROM entry WHERE entry.client = account.client)
            """
        ),
        (
            .torn,
            """
            SELECT 'replies' WHERE (SELECT count(*) FROM entry) <> (
                SELECT count(*) FROM storage_reply
                WHERE principal = \(Ledger.principal) AND state = 1)
            """
        ),
        (
            .feed,
            """
            SELECT 'sequence ' || sequence FROM (
                SELECT sequence, version,
                    row_number() OVER (PARTITION BY aggregate ORDER BY sequence) AS place
                FROM storage_event WHERE kind = \(Ledger.eventKind))
            WHERE version <> place
            """
        ),
        (
            .feed,
            """
            SELECT 'events' WHERE (SELECT count(*) FROM entry) <> (
                SELECT count(*) FROM storage_event WHERE kind = \(Ledger.eventKind))
            """
        ),
    ]

    private static let workflowQueries: [(Breach, SQL)] = [
        (
            .stepTwice,
            """
            SELECT hex(workflow) || ' ' || step FROM step_effect
            GROUP BY workflow, step, change HAVING count(*) > 1
            """
        ),
        (
            .stepLost,
            """
            SELECT 'done ' || hex(id) FROM storage_workflow
            WHERE state = 2 AND \(Course.steps.count) IS NOT (
                SELECT sum(change) FROM step_effect WHERE workflow = storage_workflow.id)
            """
        ),
        (
            .stepLost,
            """
            SELECT 'undone ' || hex(workflow) || ' ' || step_effect.step
            FROM step_effect LEFT JOIN storage_workflow ON storage_workflow.id = workflow
            WHERE storage_workflow.state IS NULL OR storage_workflow.state = 3
            GROUP BY workflow, step_effect.step HAVING sum(change) <> 0
            """
        ),
        (
            .unstarted,
            """
            SELECT client || '-' || counter FROM entry
            LEFT JOIN storage_workflow ON storage_workflow.id = entry.key
            WHERE counter % \(Course.every) = 1 AND storage_workflow.id IS NULL
            """
        ),
        (
            .unstarted,
            """
            SELECT 'workflows' WHERE (SELECT count(*) FROM storage_workflow) <> (
                SELECT count(*) FROM entry WHERE counter % \(Course.every) = 1)
            """
        ),
    ]

    private static let openQuery: (Breach, SQL) = (
        .open, "SELECT hex(id) FROM storage_workflow WHERE state IN (0, 1)"
    )
}

extension WorkerProcess {
    /// Compares the database with what its clients were told, after its process has died.
    func expectSound(
        _ told: inout Acknowledgements, _ moment: String, schema: Int = 1,
        isSettled: Bool = false
    ) async throws {
        let found = try await findings(told, schema: schema, isSettled: isSettled)
        #expect(found.isEmpty, "\(moment)")
        told.hasBeenAudited()
    }

    /// What is wrong with the database; looks at every answer in the end, before at the new ones.
    func findings(
        _ told: Acknowledgements, schema: Int = 1, isSettled: Bool
    ) async throws -> Set<Audit.Finding> {
        let database = try files.database(Ledger.migrations(schema: schema))
        defer { database.close() }
        let audit = Audit(database: database, hasWorkflows: true)
        return try await audit.findings(
            told, places: isSettled ? nil : told.fresh, isSettled: isSettled)
    }
}
