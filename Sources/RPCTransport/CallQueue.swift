/// Batches whose calls are ready to begin, in the order in which they came.
///
/// Each leads to the next, which takes no memory.
final class CallQueue {
    /// The next batch; it stays in the queue.
    private(set) var first: CallBatch?
    private var last: CallBatch?

    func append(_ batch: CallBatch) {
        if let last { last.next = batch } else { first = batch }
        last = batch
    }

    func removeFirst() {
        let next = first?.next
        first?.next = nil
        first = next
        if next == nil { last = nil }
    }

    /// What is kept of a call from now on; nil when it is not here.
    func keep(_ number: UInt32, of connection: ServerConnection) -> ServerCall? {
        var candidate = first
        while let batch = candidate {
            if batch.connection === connection, let call = batch.keep(number) { return call }
            candidate = batch.next
        }
        return nil
    }
}
