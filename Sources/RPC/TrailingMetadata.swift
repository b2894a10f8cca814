import Synchronization

/// Metadata that the server sends when a call ends, beside its reply or its error.
///
/// A handler fills that of its ``CallContext``. A caller puts one of its own into its
/// ``CallOptions`` and finds it filled once the call has ended, well or not; an error has it as
/// ``Status/trailingMetadata``, too. It is a reference, because a context and options are handed on
/// as copies, and can be used from any thread.
public final class TrailingMetadata: Sendable {
    private let content = Mutex(Metadata())
    /// Nearly every call leaves it empty, which is seen without the lock.
    private let isFilled = Atomic<Bool>(false)

    /// No entries yet.
    public init() {}

    /// Whether there is no entry.
    public var isEmpty: Bool { !isFilled.load(ordering: .relaxed) }

    /// All entries.
    public var metadata: Metadata {
        get { isEmpty ? Metadata() : content.withLock { $0 } }
        set { change { $0 = newValue } }
    }

    /// Adds an entry after those already there.
    public func append(_ value: Metadata.Value, for key: String) {
        change { $0.append(value, for: key) }
    }

    /// The first text under a key; setting replaces every entry with the key.
    public subscript(text key: String) -> String? {
        get { metadata[text: key] }
        set { change { $0[text: key] = newValue } }
    }

    /// The first bytes under a key; setting replaces every entry with the key.
    public subscript(bytes key: String) -> [UInt8]? {
        get { metadata[bytes: key] }
        set { change { $0[bytes: key] = newValue } }
    }

    private func change(_ body: (inout Metadata) -> Void) {
        content.withLock { content in
            body(&content)
            isFilled.store(!content.isEmpty, ordering: .relaxed)
        }
    }
}

extension TrailingMetadata: Hashable {
    /// Whether both are the same.
    public static func == (left: TrailingMetadata, right: TrailingMetadata) -> Bool {
        left === right
    }

    /// Hashes which one it is.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(self))
    }
}

extension TrailingMetadata {
    /// What a call ends with whose handler has ended; for who writes a ``Channel`` or a server.
    ///
    /// Entries of the status take the place of those with the same keys here.
    ///
    /// - Parameter status: How the handler ended.
    /// - Returns: The status with all trailing metadata. When they may not be sent, success becomes
    ///   ``Status/Code/internal`` that says why, and an error leaves without them.
    public func ending(_ status: Status) -> Status {
        guard !isEmpty || !status.trailingMetadata.isEmpty else { return status }
        var ending = status
        ending.trailingMetadata = metadata
        ending.trailingMetadata.replace(with: status.trailingMetadata)
        do throws(Status) {
            try ending.trailingMetadata.validateTrailing()
        } catch {
            guard ending.code == .ok else {
                ending.trailingMetadata = Metadata()
                return ending
            }
            return Status(
                .internal, "The trailing metadata cannot be sent: \(error.message)",
                details: [RPCReason.trailingMetadataRefused.detail()])
        }
        return ending
    }
}

extension Metadata {
    /// Whether no server may use a key for trailing metadata: what begins so is left to the
    /// protocol and to gRPC, and credentials go one way.
    public static func isReservedTrailing(key: String) -> Bool {
        key.hasPrefix("guildhall-") || key.hasPrefix("grpc-") || key == MetadataKey.authorization
    }

    /// Checks trailing metadata before they are sent.
    ///
    /// - Throws: What ``validate()`` throws, and ``Status/Code/invalidArgument`` naming a key that
    ///   is reserved.
    public func validateTrailing() throws(Status) {
        try validate()
        for entry in entries where Self.isReservedTrailing(key: entry.key) {
            throw Status(.invalidArgument, "The key \(entry.key) is reserved.")
        }
    }

    /// Checks trailing metadata that were received, and leaves out what is reserved: a newer server
    /// means something by it.
    ///
    /// - Throws: What ``validate()`` throws.
    public mutating func acceptTrailing() throws(Status) {
        guard !isEmpty else { return }
        try validate()
        for entry in entries where Self.isReservedTrailing(key: entry.key) {
            removeAll(entry.key)
        }
    }

    /// Adds entries in place of all those with the same keys.
    fileprivate mutating func replace(with others: Metadata) {
        for entry in others.entries { removeAll(entry.key) }
        for entry in others.entries { append(entry.value, for: entry.key) }
    }
}
