import Access
import ServiceKit
import Storage

/// Why a count changes; the number is what the ledger keeps.
enum LedgerCause: Int64, Sendable {
    case membership = 1
    case sale = 2
    case settings = 3
    case archive = 4
    case restore = 5
    case move = 6
    /// The copy of the tree was filled anew, and differs from what was known.
    case recount = 7

    var word: String {
        switch self {
        case .membership: "membership"
        case .sale: "sale"
        case .settings: "settings"
        case .archive: "archive"
        case .restore: "restore"
        case .move: "move"
        case .recount: "recount"
        }
    }
}

/// What happened to a count; the number is what the ledger keeps.
enum LedgerOperation: Int64, Sendable {
    case take = 1
    case release = 2
    case resize = 3

    var word: String {
        switch self {
        case .take: "take"
        case .release: "release"
        case .resize: "resize"
        }
    }
}

/// A line of the ledger.
struct LedgerLine: Sendable, Hashable {
    let organization: OrganizationID
    let kind: CountKind
    let operation: LedgerOperation
    let user: UserID?
    let cause: LedgerCause
    let balanceAfter: Int64
    let occurred: WallTime
}

/// A line of the ledger with its number.
struct LedgerRecord: Sendable, Hashable {
    let sequence: Int64
    let line: LedgerLine
}

extension Reading {
    /// What is kept of the nodes of a path for one person, in no order.
    ///
    /// - Parameters:
    ///   - path: The nodes; at most as many as the tree is deep.
    ///   - user: Nil: somebody new.
    /// - Returns: The counts that are kept; others are 0.
    /// - Throws: `StorageFault`.
    func counters(at path: [OrganizationID], for user: UserID?) throws -> [Counter] {
        try rows(
            """
            SELECT u.node, u.kind, u.used, u.cap, p.refs
            FROM usage AS u
            LEFT JOIN place AS p ON p.node = u.node AND p.kind = u.kind AND p.user_id = \(user)
            WHERE u.node IN (\(list: path))
            """
        ) { row in
            guard let kind = CountKind(rawValue: try row.int64(1)) else {
                throw StorageFault.sql("usage holds an unknown number")
            }
            return Counter(
                node: try row.identifier(0), kind: kind, used: try row.int64(2),
                cap: try row.int64OrNil(3), refs: try row.int64OrNil(4) ?? 0)
        }
    }

    /// A page of the ledger of an organization, newest first.
    func ledger(
        of organization: OrganizationID, before sequence: Int64, limit: Int
    ) throws -> [LedgerRecord] {
        try rows(
            """
            SELECT sequence, kind, operation, user_id, cause, balance_after, occurred_us
            FROM seat_ledger WHERE organization_id = \(organization) AND sequence < \(sequence)
            ORDER BY sequence DESC LIMIT \(limit)
            """
        ) { row in
            guard let kind = CountKind(rawValue: try row.int64(1)),
                let operation = LedgerOperation(rawValue: try row.int64(2)),
                let cause = LedgerCause(rawValue: try row.int64(4))
            else { throw StorageFault.sql("seat_ledger holds an unknown number") }
            let line = LedgerLine(
                organization: organization, kind: kind, operation: operation,
                user: try row.identifierOrNil(3), cause: cause,
                balanceAfter: try row.int64(5), occurred: try row.time(6))
            return LedgerRecord(sequence: try row.int64(0), line: line)
        }
    }

    func ledgerLineCount(of organization: OrganizationID) throws -> Int64 {
        try row("SELECT count(*) FROM seat_ledger WHERE organization_id = \(organization)") { row in
            try row.int64(0)
        } ?? 0
    }
}

/// How many people are counted at an organization.
struct MemberCountRecord: Sendable, Hashable {
    let organization: OrganizationID
    let members: Int64
}

/// What a line of the ledger says of a count.
struct LedgerBalance: Sendable, Hashable {
    let sequence: Int64
    let organization: OrganizationID
    let kind: CountKind
    let balance: Int64
}

extension Reading {
    /// The last line of the ledger; 0 when there is none.
    func ledgerHead() throws -> Int64 {
        try row("SELECT sequence FROM seat_ledger ORDER BY sequence DESC LIMIT 1") { row in
            try row.int64(0)
        } ?? 0
    }

    /// The lines of the ledger after one of them, oldest first.
    func ledgerLines(after sequence: Int64, limit: Int) throws -> [LedgerBalance] {
        try rows(
            """
            SELECT sequence, organization_id, kind, balance_after
            FROM seat_ledger WHERE sequence > \(sequence) ORDER BY sequence LIMIT \(limit)
            """
        ) { row in
            guard let kind = CountKind(rawValue: try row.int64(2)) else {
                throw StorageFault.sql("seat_ledger holds an unknown number")
            }
            return LedgerBalance(
                sequence: try row.int64(0), organization: try row.identifier(1), kind: kind,
                balance: try row.int64(3))
        }
    }

    /// How many people are counted where, by organization.
    func memberCounts(
        after organization: OrganizationID?, limit: Int
    ) throws -> [MemberCountRecord] {
        try rows(
            """
            SELECT node, used FROM usage
            WHERE node > \(organization?.bytes ?? []) AND kind = 1 ORDER BY node LIMIT \(limit)
            """
        ) { row in
            MemberCountRecord(organization: try row.identifier(0), members: try row.int64(1))
        }
    }
}

extension Transaction {
    /// Writes what a membership that comes or goes changes: places, counts and ledger.
    func apply(_ changes: [PlaceChange], for user: UserID, at now: WallTime) throws {
        for change in changes {
            try setPlace(change, of: user)
            guard change.changesUse else { continue }
            let taken = change.refsAfter > 0
            if taken {
                try addUser(of: change.kind, at: change.node)
            } else {
                try removeUser(of: change.kind, at: change.node)
            }
            try append(
                LedgerLine(
                    organization: change.node, kind: change.kind,
                    operation: taken ? .take : .release, user: user, cause: .membership,
                    balanceAfter: change.usedAfter, occurred: now))
        }
    }

    private func setPlace(_ change: PlaceChange, of user: UserID) throws {
        guard change.refsAfter > 0 else {
            try execute(
                """
                DELETE FROM place WHERE node = \(change.node) AND kind = \(change.kind.rawValue)
                    AND user_id = \(user)
                """
            )
            return
        }
        try execute(
            """
            INSERT INTO place (node, kind, user_id, refs)
            VALUES (\(change.node), \(change.kind.rawValue), \(user), \(change.refsAfter))
            ON CONFLICT (node, kind, user_id) DO UPDATE SET refs = excluded.refs
            """
        )
    }

    private func addUser(of kind: CountKind, at node: OrganizationID) throws {
        try execute(
            """
            INSERT INTO usage (node, kind, used) VALUES (\(node), \(kind.rawValue), 1)
            ON CONFLICT (node, kind) DO UPDATE SET used = used + 1
            """
        )
    }

    private func removeUser(of kind: CountKind, at node: OrganizationID) throws {
        try execute(
            """
            UPDATE usage SET used = used - 1 WHERE node = \(node) AND kind = \(kind.rawValue)
            """
        )
    }

    /// Adds a line to the ledger.
    func append(_ line: LedgerLine) throws {
        try execute(
            """
            INSERT INTO seat_ledger (organization_id, kind, operation, user_id, cause,
                balance_after, occurred_us)
            VALUES (\(line.organization), \(line.kind.rawValue), \(line.operation.rawValue),
                \(line.user), \(line.cause.rawValue), \(line.balanceAfter), \(line.occurred))
            """
        )
    }
}
