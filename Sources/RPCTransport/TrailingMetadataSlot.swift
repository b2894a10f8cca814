import RPC

/// The trailing metadata of the handlers that run one after the other: a call that sets none takes
/// no memory for them.
struct TrailingMetadataSlot {
    private var current = TrailingMetadata()

    /// Those of the handler that is about to run: empty, and nobody else's.
    mutating func next() -> TrailingMetadata {
        // An earlier handler may have kept its context, and may yet write to it.
        if !isKnownUniquelyReferenced(&current) || !current.isEmpty {
            current = TrailingMetadata()
        }
        return current
    }
}
