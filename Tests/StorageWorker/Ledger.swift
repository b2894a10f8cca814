import Storage

/// Accounts with entries: what the worker's commands change.
enum Ledger {
    /// Whose keys those of the clients' commands are.
    static let principal = "client"
    /// The kind of the events.
    static let eventKind = "account"
    /// An account takes no entry above it.
    static let totalMax = 1_000_000
    /// One client's command of so many asks for more than its account takes.
    static let refusalEvery = 10

    /// The schema of an older program, or of a newer one.
    static func migrations(schema: Int) -> [Migration] {
        let first = Migration(component: "worker", number: 1, name: "accounts", sql: tables)
        guard schema > 1 else { return [first] }
        return [
            first,
            Migration(
                component: "worker", number: 2, name: "notes",
                sql: "ALTER TABLE entry ADD COLUMN note TEXT"),
            Migration(
                component: "worker", number: 3, name: "a note for each",
                sql: "UPDATE entry SET note = 'entry ' || counter"),
        ]
    }

    // No table forbids a second entry or effect: the audit has to find it.
    private static let tables = """
        CREATE TABLE account (
            client INTEGER PRIMARY KEY,
            total  INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE entry (
            id      INTEGER PRIMARY KEY,
            client  INTEGER NOT NULL,
            counter INTEGER NOT NULL,
            key     BLOB    NOT NULL,
            reply   BLOB    NOT NULL
        ) STRICT;
        CREATE INDEX entry_client ON entry (client, counter);
        CREATE TABLE step_effect (
            id       INTEGER PRIMARY KEY,
            workflow BLOB    NOT NULL,
            step     TEXT    NOT NULL,
            -- 1 done, -1 undone
            change   INTEGER NOT NULL CHECK (change IN (-1, 1))
        ) STRICT;
        CREATE INDEX step_effect_workflow ON step_effect (workflow, step);
        CREATE TABLE filling (
            id   INTEGER PRIMARY KEY,
            code TEXT    NOT NULL UNIQUE,
            text TEXT    NOT NULL
        ) STRICT;
        """

    /// The key of a client's command: always the same for the same counter.
    static func key(client: Int, counter: Int) -> [UInt8] {
        bytes(client) + bytes(counter)
    }

    static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        let wide = UInt64(truncatingIfNeeded: number)
        return (0..<8).map { UInt8(truncatingIfNeeded: wide >> (56 - 8 * $0)) }
    }
}

/// A command that asks for more than the account takes.
struct AboveTotal: DefiniteRefusal {
    let encodedRefusal: [UInt8]
}

/// One try of a client's command.
struct Entry: Sendable {
    let client: Int
    let counter: Int
    let key: [UInt8]
    /// Differs from try to try: a command that was done anew answers other bytes.
    let nonce = UInt64.random(in: .min ... .max)
    let at: WallTime
    let startsWorkflow: Bool

    private var amount: Int { counter % Ledger.refusalEvery == 0 ? Ledger.totalMax : 1 }

    var command: Command {
        Command(
            principal: Ledger.principal, key: key, method: "Enter",
            requestDigest: Ledger.bytes(counter), now: at)
    }

    /// Decides by the rule, changes rows, publishes the event and answers the reply.
    func enter(in transaction: Transaction) throws -> [UInt8] {
        let total = try transaction.row(
            "SELECT total FROM account WHERE client = \(client)"
        ) { try $0.int(0) }
        let next = (total ?? 0) + amount
        let reply = key + Ledger.bytes(next) + Ledger.bytes(nonce)
        guard next < Ledger.totalMax else { throw AboveTotal(encodedRefusal: reply) }
        try transaction.execute(
            """
            INSERT INTO account (client, total) VALUES (\(client), \(next))
            ON CONFLICT (client) DO UPDATE SET total = excluded.total
            """)
        try transaction.execute(
            """
            INSERT INTO entry (client, counter, key, reply)
            VALUES (\(client), \(counter), \(key), \(reply))
            """)
        try transaction.publish(
            kind: Ledger.eventKind, aggregate: Ledger.bytes(client), version: Int64(next),
            body: reply, at: at)
        if startsWorkflow {
            try transaction.start(
                WorkflowStart(
                    id: key, kind: Course.kind, input: Ledger.bytes(counter),
                    startedBy: "client \(client)", at: at))
        }
        return reply
    }
}
