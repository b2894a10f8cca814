import Storage
import StorageFixture

/// The command is not what the data set promises.
enum AdmissionFault: Error {
    case levels(Int)
    case limitReached
    case wrongReply
}

extension Database {
    /// Runs the command of the benchmark.
    func admit(_ admission: Admission) async throws {
        let command = Command(
            principal: admission.principal, key: admission.key, method: Admission.method,
            requestDigest: admission.digest, now: WallTime(microseconds: admission.now))
        let outcome = try await self.command(command) { transaction in
            try transaction.admit(admission)
        }
        guard case .reply(let reply) = outcome, reply == admission.reply else {
            throw AdmissionFault.wrongReply
        }
    }
}

extension Transaction {
    /// Checks the limits at ten levels, and adds the membership.
    fileprivate func admit(_ admission: Admission) throws -> [UInt8] {
        let limits = try rows(
            """
            WITH RECURSIVE line (id, parent) AS (
                SELECT id, parent FROM organization
                WHERE id = \(admission.organization) AND standing <= 3
                UNION ALL
                SELECT above.id, above.parent
                FROM line JOIN organization AS above ON above.number = line.parent LIMIT 10
            )
            SELECT usage.used, usage.cap
            FROM line CROSS JOIN usage ON usage.node = line.id AND usage.kind = 1
            """
        ) { row in (used: try row.int64(0), cap: try row.int64OrNil(1)) }
        guard limits.count == Admission.levels else { throw AdmissionFault.levels(limits.count) }
        for limit in limits {
            if let cap = limit.cap, limit.used >= cap { throw AdmissionFault.limitReached }
        }
        try execute(
            """
            INSERT INTO membership (organization_id, user_id, id, name_key, roles, state,
                takes_seat, joined_us, version)
            VALUES (\(admission.organization), \(admission.user), \(admission.membership),
                \(admission.nameKey), 4, 1, 1, \(admission.now), 1)
            """)
        try execute(
            """
            INSERT INTO place (node, kind, user_id, refs)
            VALUES (\(admission.organization), 1, \(admission.user), 1)
            """)
        try execute(
            """
            INSERT INTO seat_ledger (organization_id, kind, operation, user_id, cause,
                balance_after, occurred_us)
            VALUES (\(admission.organization), 1, 1, \(admission.user), 1,
                \(limits[0].used + 1), \(admission.now))
            """)
        try publish(
            kind: Admission.eventKind, aggregate: admission.membership, version: 1,
            body: admission.event, at: WallTime(microseconds: admission.now))
        return admission.reply
    }
}
