public import Access
internal import Encodings
public import RPC
public import Storage

/// What the interceptors found out about a call, for its handler.
final class CallFacts: Sendable {
    let principal: Access.Principal?
    let now: WallTime

    init(principal: Access.Principal?, now: WallTime) {
        self.principal = principal
        self.now = now
    }

    enum Key: CallContextKey {
        typealias Value = CallFacts
    }
}

extension CallContext {
    /// The most characters of an idempotency key.
    public static let idempotencyKeyBytesMax = 128

    /// Who acts.
    ///
    /// - Throws: `UNAUTHENTICATED` when the call carries no principal.
    public var principal: Access.Principal {
        get throws(Status) {
            guard let principal = self[CallFacts.Key.self]?.principal else {
                throw Status.unauthenticated()
            }
            return principal
        }
    }

    /// The instant at which the call arrived.
    public var now: WallTime { self[CallFacts.Key.self]?.now ?? WallTime.current() }

    /// The identifier of the request in logs and errors; empty when the caller named none.
    public var requestID: String { metadata[text: MetadataKey.requestID] ?? "" }

    /// The identifier of the trace in the W3C trace context of the caller, 32 hexadecimal digits;
    /// nil when there is none.
    var traceID: String? {
        guard let parent = metadata[text: MetadataKey.traceParent], parent.utf8.count == 55
        else { return nil }
        let digits = parent.utf8.dropFirst(3).prefix(32)
        return digits.allSatisfy(Hexadecimal.isDigit) ? String(digits) : nil
    }

    /// The key under which the effect of this call happens once.
    ///
    /// - Throws: `INVALID_ARGUMENT` when there is none, or it is not 1 to 128 visible ASCII
    ///   characters.
    public var idempotencyKey: String {
        get throws(Status) {
            guard let key = metadata[text: MetadataKey.idempotencyKey] else {
                throw Status.refusal(
                    .idempotencyKeyRequired, "This call needs an idempotency key.")
            }
            guard Self.isLegal(idempotencyKey: key) else {
                throw Status.refusal(
                    .idempotencyKeyInvalid,
                    "An idempotency key is 1 to 128 visible ASCII characters.")
            }
            return key
        }
    }

    /// Allows the call to those who own the whole platform.
    ///
    /// - Throws: `PERMISSION_DENIED` for everybody else.
    public func requirePlatformOwner() throws(Status) {
        let grants = try principal.grants
        guard grants.contains(where: { $0.role == .platformOwner && $0.node == nil }) else {
            throw Status.forbidden("This call is for those who operate the platform.")
        }
    }

    /// Allows the call to the services that the table names for an action.
    ///
    /// - Throws: `PERMISSION_DENIED` for everybody else.
    public func require(_ action: ServiceAction) throws(Status) {
        guard try principal.decide(action) == .allowed else {
            throw Status.forbidden("This call is for services.")
        }
    }

    /// Options for a call that this service makes in its own name because of this one: request
    /// and trace identifiers go along, the principal does not.
    ///
    /// - Parameters:
    ///   - timeout: How long the call may take; nil for the default. The deadline of this call
    ///     shortens it in any case.
    ///   - idempotencyKey: The key of the call to make; nil to have one made for it alone.
    /// - Returns: The options.
    public func tracing(
        timeout: Duration? = nil, idempotencyKey: String? = nil
    ) -> CallOptions {
        var options = CallOptions(timeout: timeout)
        for key in [MetadataKey.requestID, MetadataKey.traceParent] {
            if let text = metadata[text: key] { options.metadata[text: key] = text }
        }
        options.metadata[text: MetadataKey.idempotencyKey] = idempotencyKey
        return options
    }

    /// How long this call may wait for another service: what is left of its deadline after that is
    /// for its own answer.
    ///
    /// - Parameter limit: The longest that it waits, whatever the deadline.
    /// - Returns: The time; not positive when the deadline has passed.
    public func patience(atMost limit: Duration) -> Duration {
        min(deadline.remaining() * 0.9, limit)
    }

    static func isLegal(idempotencyKey key: String) -> Bool {
        (1...idempotencyKeyBytesMax).contains(key.utf8.count)
            && key.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

extension Access.Principal {
    /// Requires the right to an action at an organization, or at the platform.
    ///
    /// - Parameters:
    ///   - action: What is wanted.
    ///   - path: The identifiers from the root down to the organization; empty for the platform.
    ///   - conditions: What the caller has found to hold.
    ///   - pause: Where on the path is a pause that the action is closed by.
    /// - Throws: ``OutOfScope`` outside the scope, `PERMISSION_DENIED` inside it, ``Suspended``.
    public func require(
        _ action: Action, at path: [OrganizationID], meeting conditions: Set<Condition> = [],
        pausedAt pause: OrganizationID? = nil
    ) throws {
        switch decide(action, at: path, meeting: conditions, pausedAt: pause) {
        case .allowed: return
        case .forbidden: throw Status.forbidden()
        case .notFound: throw OutOfScope()
        case .suspended(let organization): throw Suspended(at: organization)
        }
    }
}
