import RPC

/// The trailing metadata of the handlers that run one after the other: a call that sets none takes
/// no memory for them.
final class TrailingMetadataSlot {
    private var current = TrailingMetadata()

    /// Those of the handler that is about to run: empty, and nobody else's.
    @inline(__always)
    func next() -> TrailingMetadata {
        // An earlier handler may have kept its context, and may yet write to it.
        guard isKnownUniquelyReferenced(&current) else { return renewed() }
        let unused = current
        return unused.isEmpty ? unused : renewed()
    }

    @inline(never)
    private func renewed() -> TrailingMetadata {
        let fresh = TrailingMetadata()
        current = fresh
        return fresh
    }
}
