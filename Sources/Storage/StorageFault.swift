/// Why storage did not do as asked: the only four things a caller tells apart.
public enum StorageFault: Error, Sendable, Hashable {
    /// The schema forbids it; names the constraint.
    case constraint(String)
    /// A statement or a row is not what the program expects: a defect of ours.
    case sql(String)
    /// Not begun, or undone as a whole; trying again later is safe.
    case busy(retryAfter: Duration)
    /// The outcome is unknown; trying again with the same key is safe.
    case lost(String)
}

extension StorageFault {
    /// Whether the fault says nothing about what was asked for, so that trying again may succeed.
    public var isPassing: Bool {
        switch self {
        case .busy, .lost: true
        case .constraint, .sql: false
        }
    }
}

extension StorageFault: CustomStringConvertible {
    /// The fault in one line, for logs.
    public var description: String {
        switch self {
        case .constraint(let detail): "constraint: \(detail)"
        case .sql(let detail): "sql: \(detail)"
        case .busy(let retryAfter): "busy: retry after \(retryAfter)"
        case .lost(let detail): "lost: \(detail); outcome unknown, retry with the same key"
        }
    }
}
