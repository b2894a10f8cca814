/// Calls that are ready to begin, in the order in which they came.
///
/// Each leads to the next, which takes no memory, and every access is a single load or store: an
/// array that changes in place would have to be watched for overlaps while the program runs.
final class CallQueue {
    /// The next call; it stays in the queue.
    private(set) var first: ServerCall?
    private var last: ServerCall?

    var isEmpty: Bool { first == nil }

    func append(_ call: ServerCall) {
        if let last { last.next = call } else { first = call }
        last = call
    }

    /// Takes the next call out.
    func popFirst() -> ServerCall? {
        guard let call = first else { return nil }
        first = call.next
        call.next = nil
        if first == nil { last = nil }
        return call
    }

    /// The first call for which a closure holds.
    func first(where isWanted: (ServerCall) -> Bool) -> ServerCall? {
        var candidate = first
        while let call = candidate, !isWanted(call) { candidate = call.next }
        return candidate
    }
}
