/// Why a database cannot be opened: told to the operator in one line, at the start.
public enum OpeningFault: Error, Sendable, Hashable {
    /// Another process has the database.
    case inUse(path: String)
    /// A file or folder cannot be used.
    case file(path: String, reason: String)
    /// The file is not a sound database.
    case damaged(path: String, reason: String)
    /// The database was written by a newer program.
    case newer(component: String, found: Int, known: Int)
    /// A migration is not the one that was applied.
    case changedMigration(component: String, number: Int)
    /// The program's migrations are not numbered 1, 2, 3, … in each component.
    case misnumbered(component: String, number: Int)
    /// A migration failed; nothing of any was applied.
    case failedMigration(component: String, number: Int, reason: String)
    /// A migration made a table that is not STRICT.
    case notStrict(table: String)
}

extension OpeningFault: CustomStringConvertible {
    /// The fault in one line.
    public var description: String {
        switch self {
        case .inUse(let path):
            "The database \(path) is in use by another process."
        case .file(let path, let reason):
            "The file \(path) cannot be used: \(reason)."
        case .damaged(let path, let reason):
            "The database \(path) is damaged: \(reason)."
        case .newer(let component, let found, let known):
            """
            The database was written by a newer program: \(component) is at migration \(found), \
            this program knows \(known).
            """
        case .changedMigration(let component, let number):
            "Migration \(number) of \(component) is not the one that the database was made with."
        case .misnumbered(let component, let number):
            "Migration \(number) of \(component) is out of order: numbers are 1, 2, 3, …"
        case .failedMigration(let component, let number, let reason):
            "Migration \(number) of \(component) failed, nothing was changed: \(reason)."
        case .notStrict(let table):
            "The table \(table) is not STRICT."
        }
    }
}
