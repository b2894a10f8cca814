import RPC

/// The trailing metadata of the handlers that run one after the other: a call that sets none takes
/// no memory for them.
final class TrailingMetadataSlot {
    private var unused: TrailingMetadata?

    /// Those of the handlers that are about to run: empty, and nobody else's.
    func take() -> TrailingMetadata {
        // An earlier handler may have kept its context, and may yet write to it.
        guard var taken = unused.take(), isKnownUniquelyReferenced(&taken), taken.isEmpty else {
            return TrailingMetadata()
        }
        return taken
    }

    /// Keeps them for the next.
    func giveBack(_ used: TrailingMetadata) { unused = used }
}
