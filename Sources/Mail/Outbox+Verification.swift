public import Storage

extension Outbox {
    /// What holds of the outbox in any database: who waits has something to say, and what was sent
    /// is forgotten.
    public static let verifier = Verifier(
        "mails", count: "SELECT count(*) FROM mail",
        differences: """
            SELECT number, cause FROM mail
            WHERE (state = 1 AND content = '') OR (state = 2 AND content <> '')
            """
    ) { row in "Mail \(try row.int64(0)) of \(try row.text(1)) is not what its state says." }
}
