/// What a handler knows of the call beside its request.
public struct CallContext: Sendable {
    /// The method called.
    public let method: MethodDescriptor
    /// What the caller sent beside the request.
    public var metadata: Metadata
    /// When the answer must be there.
    public let deadline: Deadline
    /// Who called.
    public let peer: Peer
    /// What the caller is sent when the call ends, beside its reply or its error.
    public private(set) var trailingMetadata: TrailingMetadata
    /// Values that interceptors leave for handlers.
    private var values: [ObjectIdentifier: any Sendable]?

    /// A context.
    public init(
        method: MethodDescriptor, metadata: Metadata = Metadata(), deadline: Deadline, peer: Peer,
        trailingMetadata: TrailingMetadata = TrailingMetadata()
    ) {
        self.method = method
        self.metadata = metadata
        self.deadline = deadline
        self.peer = peer
        self.trailingMetadata = trailingMetadata
    }

    /// Makes it that of another call which differs in number and message alone.
    ///
    /// A handler may have kept its context and may yet write to its trailing metadata.
    package mutating func renew() {
        if isKnownUniquelyReferenced(&trailingMetadata), trailingMetadata.isEmpty { return }
        trailingMetadata = TrailingMetadata()
    }

    /// The value that an interceptor left under a key.
    public subscript<Key: CallContextKey>(key: Key.Type) -> Key.Value? {
        get { values?[ObjectIdentifier(key)] as? Key.Value }
        set {
            if values == nil { values = [:] }
            values?[ObjectIdentifier(key)] = newValue
        }
    }
}

/// Names a value in a ``CallContext``.
public protocol CallContextKey {
    /// The type of the value.
    associatedtype Value: Sendable
}
