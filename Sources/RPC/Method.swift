/// One method of a service, as declared in its .proto file.
public struct MethodDescriptor: Sendable, Hashable {
    /// How many messages travel each way.
    public enum Kind: Sendable, Hashable {
        case unary
        case serverStreaming
        case clientStreaming
        case bidirectional
    }

    /// What repeating a call does; `idempotency_level` of the .proto file.
    public enum Idempotency: Sendable, Hashable {
        /// Changes nothing.
        case safe
        /// Repeating it with its idempotency key has no further effect.
        case keyed
        /// Nothing is promised.
        case unknown
    }

    /// All of it behind one reference: every call carries its method along.
    private final class Storage: Sendable {
        let service: String
        let name: String
        let kind: Kind
        let idempotency: Idempotency
        let isBulk: Bool
        let path: String

        init(
            _ service: String, _ name: String, _ kind: Kind, _ idempotency: Idempotency,
            isBulk: Bool
        ) {
            self.service = service
            self.name = name
            self.kind = kind
            self.idempotency = idempotency
            self.isBulk = isBulk
            path = "\(service)/\(name)"
        }
    }

    private let storage: Storage

    /// The full name of the service, such as `guildhall.organizations.v1.Organizations`.
    public var service: String { storage.service }
    /// The name of the method, such as `GetOrganization`.
    public var name: String { storage.name }
    /// How many messages travel each way.
    public var kind: Kind { storage.kind }
    /// What repeating a call does.
    public var idempotency: Idempotency { storage.idempotency }
    /// Whether its requests may be large; `guildhall.rpc.v1.bulk` of the .proto file.
    public var isBulk: Bool { storage.isBulk }
    /// `service/name`, as it stands in an `Open` frame.
    public var path: String { storage.path }

    /// A method.
    public init(
        service: String, name: String, kind: Kind = .unary, idempotency: Idempotency = .unknown,
        isBulk: Bool = false
    ) {
        storage = Storage(service, name, kind, idempotency, isBulk: isBulk)
    }

    /// Whether two descriptors say the same.
    public static func == (left: MethodDescriptor, right: MethodDescriptor) -> Bool {
        left.storage === right.storage
            || (left.path == right.path && left.kind == right.kind
                && left.idempotency == right.idempotency && left.isBulk == right.isBulk)
    }

    /// Hashes the path: no two methods of a server share it.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(path)
    }
}

/// Who is at the other end of a connection.
public struct Peer: Sendable, Hashable, CustomStringConvertible {
    /// All of it behind one reference: every call carries its peer along.
    private final class Storage: Sendable {
        let description: String
        let identity: PeerIdentity?
        let isLocal: Bool

        init(_ description: String, _ identity: PeerIdentity?, isLocal: Bool) {
            self.description = description
            self.identity = identity
            self.isLocal = isLocal
        }
    }

    private let storage: Storage

    /// The address in words, such as `127.0.0.1:51234` or `in-process`.
    public var description: String { storage.description }
    /// Who it proved to be with its certificate; nil without mutual TLS.
    public var identity: PeerIdentity? { storage.identity }
    /// Whether it is on this machine: what is said to it stays here.
    public var isLocal: Bool { storage.isLocal }

    /// A peer.
    public init(_ description: String, identity: PeerIdentity? = nil, isLocal: Bool = false) {
        storage = Storage(description, identity, isLocal: isLocal)
    }

    /// Whether two are at the same address and proved the same.
    public static func == (left: Peer, right: Peer) -> Bool {
        left.storage === right.storage
            || (left.description == right.description && left.identity == right.identity)
    }

    /// Hashes the address.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(description)
    }
}
