import RPC

/// Which peer may call what; a peer that is not named may call what everyone may, and no more.
public struct PeerPolicy: Sendable, Hashable {
    /// What every peer of the installation may call unless told otherwise: whether the server is
    /// ready, and what its published `.proto` files say.
    public static let everyoneDefault: Set<String> = [
        "guildhall.rpc.v1.Health", "guildhall.rpc.v1.Reflection",
    ]

    private let everyone: Set<String>
    private let grants: [String: Set<String>]

    /// A policy.
    ///
    /// - Parameters:
    ///   - grants: For each peer, by the name in its identity, the services (`package.Service`) and
    ///     methods (`package.Service/Method`) that it may call.
    ///   - everyone: What every peer of the installation may call.
    public init(
        _ grants: [String: Set<String>], everyone: Set<String> = Self.everyoneDefault
    ) {
        self.grants = grants
        self.everyone = everyone
    }

    /// What a peer may call.
    func grants(of identity: PeerIdentity) -> Grants {
        Grants(names: everyone.union(grants[identity.name] ?? []))
    }

    /// What one peer may call.
    struct Grants: Sendable, Hashable {
        /// Services and paths of methods.
        let names: Set<String>

        func include(_ method: MethodDescriptor) -> Bool {
            names.contains(method.service) || names.contains(method.path)
        }
    }
}
