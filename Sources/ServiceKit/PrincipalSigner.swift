public import Access
internal import Messages
public import RPC
internal import Storage
import Synchronization

/// States, under this process's key, who makes the calls that it sends.
public final class PrincipalSigner: Sendable {
    /// Believed everywhere; for statements that the callee may have to forward.
    public static let anyAudience = "*"
    /// A statement is made anew once it has less than this left.
    static let renewal: Duration = .seconds(30)
    /// The most statements that are remembered.
    static let rememberedMax = 4_096

    private let keys: KeyRing
    private let clock: WallClock
    private let remembered = Mutex<[Key: Statement]>([:])

    private struct Key: Hashable {
        let subject: Access.Principal.Subject
        let grants: [Access.Grant]
        let audience: String
    }

    private struct Statement {
        let bytes: [UInt8]
        let expires: WallTime
    }

    /// A signer.
    public init(keys: KeyRing, clock: WallClock = .system) {
        self.keys = keys
        self.clock = clock
    }

    /// The name in whose name it signs.
    public var name: String { keys.name }

    /// An encoded statement that this process acts for itself.
    ///
    /// - Parameter audience: The service that is called, such as `organizations`.
    /// - Returns: The encoded `SignedPrincipal`.
    /// - Throws: When the key cannot sign.
    public func service(audience: String) throws -> [UInt8] {
        try statement(Key(subject: .service(keys.name), grants: [], audience: audience))
    }

    /// An encoded statement that a person acts, with the person's grants.
    ///
    /// Only the gateway and operators are believed when they state this.
    /// - Parameters:
    ///   - id: The person.
    ///   - grants: What the person may act as.
    ///   - audience: The service that is called, or ``anyAudience``.
    /// - Returns: The encoded `SignedPrincipal`.
    /// - Throws: `FAILED_PRECONDITION`, reason `too_many_grants`, for more than about a hundred.
    public func user(
        _ id: UserID, grants: [Access.Grant], audience: String = anyAudience
    ) throws -> [UInt8] {
        try statement(Key(subject: .user(id), grants: grants, audience: audience))
    }

    /// An encoded statement that a program acts, with the grants of its API key.
    ///
    /// Only the gateway and operators are believed when they state this.
    /// - Parameters:
    ///   - id: The API key.
    ///   - grants: What the program may act as.
    ///   - audience: The service that is called, or ``anyAudience``.
    /// - Returns: The encoded `SignedPrincipal`.
    /// - Throws: `FAILED_PRECONDITION`, reason `too_many_grants`, for more than about a hundred.
    public func apiKey(
        _ id: APIKeyID, grants: [Access.Grant], audience: String = anyAudience
    ) throws -> [UInt8] {
        try statement(Key(subject: .apiKey(id), grants: grants, audience: audience))
    }

    private func statement(_ key: Key) throws -> [UInt8] {
        let now = clock.now()
        let fresh = now.advanced(by: Self.renewal)
        if let known = remembered.withLock({ $0[key] }), known.expires > fresh {
            return known.bytes
        }
        let expires = now.advanced(by: PrincipalVerifier.lifetimeMax)
        let bytes = try sign(key, from: now, until: expires)
        remembered.withLock { remembered in
            if remembered.count >= Self.rememberedMax {
                remembered = remembered.filter { $0.value.expires > fresh }
                if remembered.count >= Self.rememberedMax { remembered.removeAll() }
            }
            remembered[key] = Statement(bytes: bytes, expires: expires)
        }
        return bytes
    }

    private func sign(_ key: Key, from now: WallTime, until expires: WallTime) throws -> [UInt8] {
        var claim = Messages.Principal()
        switch key.subject {
        case .user(let id): claim.subject = .userID(id.text)
        case .apiKey(let id): claim.subject = .apiKeyID(id.text)
        case .service(let name): claim.subject = .service(name)
        }
        claim.grants = key.grants.map { Messages.Grant($0) }
        claim.issuedAt = Timestamp(now)
        claim.expiresAt = Timestamp(expires)
        claim.audience = key.audience
        let body = claim.encoded()
        let signed = SignedPrincipal(
            principal: body, keyName: keys.name, signature: try keys.signature(for: body)
        ).encoded()
        guard signed.count <= PrincipalVerifier.byteCountMax else {
            throw Status.refusal(
                .tooManyGrants, "You hold more roles than one session can state.")
        }
        return signed
    }
}

/// Makes the calls of a channel say who makes them: this process, unless they name a principal.
public struct SigningInterceptor: ClientInterceptor {
    private let signer: PrincipalSigner
    private let audience: String

    /// An interceptor.
    ///
    /// - Parameters:
    ///   - signer: Signs the calls.
    ///   - audience: The service that is called, such as `organizations`.
    public init(signer: PrincipalSigner, audience: String) {
        self.signer = signer
        self.audience = audience
    }

    /// States the caller.
    public func begin(_ method: MethodDescriptor, _ options: inout CallOptions) throws {
        guard options.metadata[bytes: MetadataKey.principal] == nil else { return }
        options.metadata[bytes: MetadataKey.principal] = try signer.service(audience: audience)
    }
}
