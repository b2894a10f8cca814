/// The tables of storage itself, alike in every database.
enum Schema {
    static let migrations = [
        Migration(component: "storage", number: 1, name: "first tables", sql: firstTables),
        Migration(
            component: "storage", number: 2, name: "operators of workflows",
            sql: operatorsOfWorkflows),
        Migration(
            component: "storage", number: 3, name: "bounds of small sets", sql: boundsOfSmallSets),
        Migration(component: "storage", number: 4, name: "running time", sql: runningTime),
    ]

    private static let firstTables = """
        CREATE TABLE storage_meta (
            id            INTEGER PRIMARY KEY CHECK (id = 1),
            -- Random at creation and after a restore: consumers of the feed then start anew.
            incarnation   BLOB    NOT NULL CHECK (length(incarnation) = 16),
            -- How often old replies have been purged.
            purges        INTEGER NOT NULL DEFAULT 0,
            created_at_us INTEGER NOT NULL
        ) STRICT;

        -- One row a command: what it answered, or that it was cancelled.
        CREATE TABLE storage_reply (
            principal      TEXT    NOT NULL,
            key            BLOB    NOT NULL CHECK (length(key) = 16),
            method         TEXT    NOT NULL,
            request_digest BLOB    NOT NULL,
            -- 1 done, 2 refused, 3 cancelled
            state          INTEGER NOT NULL CHECK (state IN (1, 2, 3)),
            reply          BLOB    NOT NULL,
            purge          INTEGER NOT NULL,
            at_us          INTEGER NOT NULL,
            PRIMARY KEY (principal, key)
        ) STRICT, WITHOUT ROWID;

        -- What happened, in order; the body is the aggregate's whole state.
        CREATE TABLE storage_event (
            sequence  INTEGER PRIMARY KEY,
            kind      TEXT    NOT NULL,
            aggregate BLOB    NOT NULL,
            version   INTEGER NOT NULL,
            body      BLOB    NOT NULL,
            at_us     INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX storage_event_aggregate ON storage_event (aggregate, kind);

        -- How far the feeds of others have been applied here.
        CREATE TABLE storage_feed_position (
            source      TEXT    PRIMARY KEY,
            incarnation BLOB    NOT NULL CHECK (length(incarnation) = 16),
            sequence    INTEGER NOT NULL CHECK (sequence >= 0)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE storage_workflow (
            id               BLOB    PRIMARY KEY CHECK (length(id) = 16),
            kind             TEXT    NOT NULL,
            version          INTEGER NOT NULL,
            -- 0 running, 1 compensating, 2 done, 3 aborted
            state            INTEGER NOT NULL CHECK (state IN (0, 1, 2, 3)),
            step             INTEGER NOT NULL CHECK (step >= 0),
            input            BLOB    NOT NULL,
            started_by       TEXT    NOT NULL,
            -- Grows with each claim: what a former claimant reports is refused.
            epoch            INTEGER NOT NULL DEFAULT 0,
            attempts         INTEGER NOT NULL DEFAULT 0,
            -- The next try, or the end of the claim.
            due_at_us        INTEGER NOT NULL,
            is_stuck         INTEGER NOT NULL DEFAULT 0 CHECK (is_stuck IN (0, 1)),
            refusal          BLOB,
            last_error       TEXT,
            progressed_at_us INTEGER NOT NULL,
            created_at_us    INTEGER NOT NULL,
            updated_at_us    INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX storage_workflow_due ON storage_workflow (due_at_us)
            WHERE state IN (0, 1);

        CREATE TABLE storage_workflow_result (
            workflow_id BLOB    NOT NULL REFERENCES storage_workflow (id),
            step        INTEGER NOT NULL,
            result      BLOB    NOT NULL,
            PRIMARY KEY (workflow_id, step)
        ) STRICT, WITHOUT ROWID;
        """

    private static let operatorsOfWorkflows = """
        -- How often old rows had been purged when it ended; none while it is open.
        ALTER TABLE storage_workflow ADD COLUMN ended_purge INTEGER;
        UPDATE storage_workflow SET ended_purge = (SELECT purges FROM storage_meta)
            WHERE state IN (2, 3);
        CREATE INDEX storage_workflow_ended ON storage_workflow (ended_purge, updated_at_us)
            WHERE ended_purge IS NOT NULL;

        CREATE TABLE storage_workflow_note (
            workflow_id BLOB    NOT NULL REFERENCES storage_workflow (id),
            number      INTEGER NOT NULL CHECK (number >= 1),
            -- 1 remark, 2 retry, 3 cancel
            action      INTEGER NOT NULL CHECK (action IN (1, 2, 3)),
            author      TEXT    NOT NULL,
            at_us       INTEGER NOT NULL,
            text        TEXT    NOT NULL,
            PRIMARY KEY (workflow_id, number)
        ) STRICT, WITHOUT ROWID;
        """

    private static let boundsOfSmallSets = """
        -- SQLite builds a table for `IN (1, 2, 3)` at every insert; bounds cost nothing.
        CREATE TABLE storage_reply_bounded (
            principal      TEXT    NOT NULL,
            key            BLOB    NOT NULL CHECK (length(key) = 16),
            method         TEXT    NOT NULL,
            request_digest BLOB    NOT NULL,
            -- 1 done, 2 refused, 3 cancelled
            state          INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
            reply          BLOB    NOT NULL,
            purge          INTEGER NOT NULL,
            at_us          INTEGER NOT NULL,
            PRIMARY KEY (principal, key)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO storage_reply_bounded
            (principal, key, method, request_digest, state, reply, purge, at_us)
        SELECT principal, key, method, request_digest, state, reply, purge, at_us
        FROM storage_reply;
        DROP TABLE storage_reply;
        ALTER TABLE storage_reply_bounded RENAME TO storage_reply;
        """

    private static let runningTime = """
        -- Microseconds for which the database has been open. The counts of purges that stood here
        -- are as many microseconds: what is there now is as old as a new database.
        ALTER TABLE storage_meta RENAME COLUMN purges TO open_us;
        ALTER TABLE storage_reply RENAME COLUMN purge TO open_us;
        ALTER TABLE storage_workflow RENAME COLUMN ended_purge TO ended_open_us;

        -- What the wall clock said when the database had been open for so long.
        CREATE TABLE storage_clock (
            open_us INTEGER PRIMARY KEY,
            at_us   INTEGER NOT NULL
        ) STRICT;

        -- Open workflows, those for operators, and those that ended by the time of their end:
        -- none of them is looked for among all that have ended.
        CREATE INDEX storage_workflow_open ON storage_workflow (id) WHERE state IN (0, 1);
        CREATE INDEX storage_workflow_stuck ON storage_workflow (id) WHERE is_stuck = 1;
        CREATE INDEX storage_workflow_past ON storage_workflow (progressed_at_us, id)
            WHERE state IN (2, 3);
        """
}
