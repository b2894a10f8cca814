public import Access
internal import Crypto
internal import Messages
public import RPC
public import Storage
import Synchronization

/// Believes or refuses the signed principals of callers.
public final class PrincipalVerifier: Sendable {
    /// The keys that may speak for people and programs; every other key speaks for its own process
    /// alone.
    public static let issuersOfUsers: Set<String> = ["gateway", "operator"]
    /// No statement is believed for longer.
    public static let lifetimeMax: Duration = .seconds(60)
    /// How far the clocks of two machines may be apart.
    public static let clockSkewMax: Duration = .seconds(5)
    /// The most verified statements that are remembered, in each of two generations.
    static let rememberedMax = 2_048
    /// A longer statement is refused unread.
    static let byteCountMax = 6 * 1_024
    /// The most grants of a statement.
    static let grantsMax = 256

    private let service: String
    private let keys: KeyRing
    private let remembered = Mutex(Remembered())

    /// The bytes of a statement; their end, which is the signature's, tells most apart at once.
    private struct Statement: Hashable {
        let bytes: [UInt8]

        func hash(into hasher: inout Hasher) {
            for byte in bytes.suffix(8) { hasher.combine(byte) }
        }
    }

    private struct Remembered {
        private var young: [Statement: Access.Principal] = [:]
        private var old: [Statement: Access.Principal] = [:]

        mutating func find(_ statement: Statement) -> Access.Principal? {
            if let principal = young[statement] { return principal }
            guard let principal = old[statement] else { return nil }
            keep(principal, statement)
            return principal
        }

        mutating func keep(_ principal: Access.Principal, _ statement: Statement) {
            if young.count >= PrincipalVerifier.rememberedMax {
                old = young
                young = [:]
            }
            young[statement] = principal
        }
    }

    /// A verifier.
    ///
    /// - Parameters:
    ///   - service: The audience: the name of the service that listens here.
    ///   - keys: The keys that are trusted.
    public init(service: String, keys: KeyRing) {
        self.service = service
        self.keys = keys
    }

    /// The principal of an encoded `SignedPrincipal`.
    ///
    /// - Throws: `UNAUTHENTICATED` when it is malformed, not signed by a trusted key, meant for
    ///   somebody else, over, or says more than its issuer may say.
    public func verify(
        _ bytes: [UInt8], at now: WallTime
    ) throws(Status) -> Access.Principal {
        let statement = Statement(bytes: bytes)
        if let known = remembered.withLock({ $0.find(statement) }) {
            try requireAlive(known.expiresAtMicroseconds, at: now)
            return known
        }
        let principal = try read(bytes, at: now)
        remembered.withLock { $0.keep(principal, statement) }
        return principal
    }

    private func read(_ bytes: [UInt8], at now: WallTime) throws(Status) -> Access.Principal {
        guard bytes.count <= Self.byteCountMax,
            // What is wrong with it helps only those who forge.
            let signed = try? SignedPrincipal(decoding: bytes),
            isSigned(signed),
            let claim = try? Messages.Principal(decoding: signed.principal)
        else { throw Status.unauthenticated("The caller's credential is not valid.") }
        guard claim.audience == service || claim.audience == "*" else {
            throw Status.unauthenticated("The caller's credential is meant for another service.")
        }
        let expiry = try expiry(of: claim, at: now)
        return Access.Principal(
            subject: try subject(of: claim, issuer: signed.keyName),
            grants: try grants(of: claim), expiresAtMicroseconds: expiry.microseconds)
    }

    private func isSigned(_ signed: SignedPrincipal) -> Bool {
        func fits(_ key: Curve25519.Signing.PublicKey?) -> Bool {
            key?.isValidSignature(signed.signature, for: signed.principal) ?? false
        }
        return fits(keys.publicKey(of: signed.keyName))
            || fits(keys.publicKey(of: signed.keyName, isStale: true))
    }

    private func subject(
        of claim: Messages.Principal, issuer: String
    ) throws(Status) -> Access.Principal.Subject {
        switch claim.subject {
        case .userID(let text):
            if Self.issuersOfUsers.contains(issuer), let id = UserID(text: text) {
                return .user(id)
            }
        case .apiKeyID(let text):
            if Self.issuersOfUsers.contains(issuer), let id = APIKeyID(text: text) {
                return .apiKey(id)
            }
        case .service(let name):
            if name == issuer, claim.grants.isEmpty { return .service(name) }
        case nil: break
        }
        throw Status.unauthenticated("The caller's credential says more than its issuer may say.")
    }

    private func grants(of claim: Messages.Principal) throws(Status) -> [Access.Grant] {
        guard claim.grants.count <= Self.grantsMax else {
            throw Status.unauthenticated("The caller's credential has too many grants.")
        }
        // A role that this program does not know gives no right here.
        return claim.grants.compactMap { Access.Grant($0) }
    }

    private func expiry(
        of claim: Messages.Principal, at now: WallTime
    ) throws(Status) -> WallTime {
        guard let issued = claim.issuedAt.flatMap({ WallTime($0) }),
            let expires = claim.expiresAt.flatMap({ WallTime($0) }),
            issued <= expires, expires <= issued.advanced(by: Self.lifetimeMax),
            issued <= now.advanced(by: Self.clockSkewMax)
        else { throw Status.unauthenticated("The caller's credential has no valid times.") }
        try requireAlive(expires.microseconds, at: now)
        return expires
    }

    private func requireAlive(_ expiry: Int64, at now: WallTime) throws(Status) {
        let end = WallTime(microseconds: expiry).advanced(by: Self.clockSkewMax)
        guard now < end else {
            throw Status.unauthenticated("The caller's credential has expired.")
        }
    }
}
