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

    /// The full name of the service, such as `guildhall.organizations.v1.Organizations`.
    public let service: String
    /// The name of the method, such as `GetOrganization`.
    public let name: String
    /// How many messages travel each way.
    public let kind: Kind
    /// What repeating a call does.
    public let idempotency: Idempotency

    /// `service/name`, as it stands in an `Open` frame.
    public let path: String

    /// A method.
    public init(
        service: String, name: String, kind: Kind = .unary, idempotency: Idempotency = .unknown
    ) {
        self.service = service
        self.name = name
        self.kind = kind
        self.idempotency = idempotency
        self.path = "\(service)/\(name)"
    }
}

/// Who is at the other end of a connection.
public struct Peer: Sendable, Hashable, CustomStringConvertible {
    /// The address in words, such as `127.0.0.1:51234` or `in-process`.
    public let description: String
    /// Who it proved to be with its certificate; nil without mutual TLS.
    public let identity: PeerIdentity?

    /// A peer.
    public init(_ description: String, identity: PeerIdentity? = nil) {
        self.description = description
        self.identity = identity
    }
}
