internal import RPC
public import Storage

extension Database {
    /// Runs a job that reads, on a reader's thread: refused at once when its turn would come after
    /// the deadline of the call being handled, and at its turn when that is so then.
    ///
    /// - Parameter job: Sees one state of the database; it may run again, and what it did before
    ///   that does not count.
    /// - Returns: What the job returns.
    /// - Throws: `StorageFault`, `CancellationError`, or what the job throws.
    public func read<T: Sendable>(
        _ job: @escaping @Sendable (Snapshot) throws -> T
    ) async throws -> T {
        try await read(deadline: Deadline.current?.ifEver, job)
    }
}
