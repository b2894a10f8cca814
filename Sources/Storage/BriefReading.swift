/// A transaction that reads and that SQLite has not been told of.
enum BriefReading {
    /// Nothing has been asked for yet.
    case toBegin
    /// The first query stands on its first row; whether its rows are wanted no more.
    case onRow(SQLiteStatement, isLeft: Bool)
    /// The first query has found nothing.
    case foundNothing(SQL)
    /// The first query has found nothing, and would or might find something now.
    case outdated
}

/// The state that a transaction's first query saw is gone: the job is to be run again.
struct OutdatedReading: Error {}
