internal import Access
public import Crypto
public import RPC
public import Storage

extension Database {
    /// Runs the change that a call asks for, once, however often the call arrives.
    ///
    /// A refusal with a definite code that the body throws is stored and answered again; outages
    /// and refusals for want of a right, ``OutOfScope`` and ``Suspended`` among them, are not.
    /// - Parameters:
    ///   - context: The call: its principal, idempotency key and deadline.
    ///   - request: The request; another one under the same key is refused, which is known by a
    ///     digest that is kept.
    ///   - secret: For a request that holds something people keep to themselves, such as a
    ///     password: the digest is then made with this key, so that who has the database alone
    ///     cannot try out what the request held. With another secret the same request is another.
    ///   - scope: Whose key it is; nil: the principal's. For calls that need none.
    ///   - body: Makes the change and the reply. A function of what it captures: it may run again.
    /// - Returns: The reply, the same every time.
    /// - Throws: ``RPC/Status``, or an error that nobody foresaw.
    public func command<Request: Message, Reply: Message>(
        _ context: CallContext, _ request: Request, digestedWith secret: SymmetricKey? = nil,
        in scope: String? = nil,
        _ body: @escaping @Sendable (Transaction) throws -> Reply
    ) async throws -> Reply {
        let command = try Command(context, request, digestedWith: secret, in: scope)
        let outcome: CommandOutcome
        do {
            outcome = try await self.command(command) { transaction in
                do {
                    return try body(transaction).encoded()
                } catch let error where error is OutOfScope || error is Suspended {
                    throw error
                } catch let error as any StatusConvertible {
                    let status = error.status
                    guard status.isDefinite else { throw status }
                    throw StandingRefusal(status: status)
                }
            }
        } catch {
            throw Status(known: error) ?? error
        }
        switch outcome {
        case .reply(let bytes): return try Reply(decoding: bytes, limits: .bulk)
        case .refusal(let bytes): throw try Status(decoding: bytes)
        }
    }

    /// Whether a call came before under its key: ``command(_:_:digestedWith:_:)`` then answers what
    /// it answered, or refuses, without running its body.
    ///
    /// For a change before which another service is asked: a call that is repeated asks nobody.
    /// - Parameters:
    ///   - context: The call: its principal and idempotency key.
    ///   - request: The request.
    ///   - secret: As for the command.
    ///   - scope: As for the command.
    /// - Returns: Whether its outcome is there.
    /// - Throws: ``RPC/Status``, or an error that nobody foresaw.
    public func isRepeated(
        _ context: CallContext, _ request: some Message, digestedWith secret: SymmetricKey? = nil,
        in scope: String? = nil
    ) throws -> Bool {
        let command = try Command(context, request, digestedWith: secret, in: scope)
        do {
            return try isSettled(command)
        } catch {
            throw Status(known: error) ?? error
        }
    }

    /// Cancels a command that the caller of this call sent, or will be found to have sent: undoes
    /// it if it was done, and refuses it if it comes later.
    ///
    /// - Parameters:
    ///   - context: The call that cancels; its principal is the one of the command.
    ///   - method: The method of the command.
    ///   - key: The idempotency key of the command.
    ///   - undo: Takes back what the command did; given its reply. Without one the command has not
    ///     come, or so long ago that its reply is gone: what it did is to be found by the facts.
    /// - Throws: ``RPC/Status``, or an error that nobody foresaw.
    public func cancel<Reply: Message>(
        _ context: CallContext, _ method: MethodDescriptor, key: String,
        undo: @escaping @Sendable (Transaction, Reply?) throws -> Void
    ) async throws {
        guard CallContext.isLegal(idempotencyKey: key) else {
            throw Status.refusal(
                .idempotencyKeyInvalid, "An idempotency key is 1 to 128 visible ASCII characters.")
        }
        let command = Command(
            principal: try context.principal.scope, key: Command.key(of: key),
            method: method.path, requestDigest: [], deadline: context.deadline.ifEver,
            now: context.now)
        do {
            try await cancel(command) { transaction, reply in
                try undo(transaction, try reply.map { try Reply(decoding: $0, limits: .bulk) })
            }
        } catch {
            throw Status(known: error) ?? error
        }
    }
}

extension Command {
    /// The command that a call is.
    ///
    /// - Throws: `UNAUTHENTICATED` without a principal or a scope, `INVALID_ARGUMENT` without a key
    ///   that is good.
    public init(
        _ context: CallContext, _ request: some Message, digestedWith secret: SymmetricKey? = nil,
        in scope: String? = nil
    ) throws(Status) {
        let bytes = request.encoded()
        let digest =
            secret.map { Array(HMAC<SHA256>.authenticationCode(for: bytes, using: $0)) }
            ?? Array(SHA256.hash(data: bytes))
        let principal = if let scope { scope } else { try context.principal.scope }
        self.init(
            principal: principal,
            key: Self.key(of: try context.idempotencyKey), method: context.method.path,
            requestDigest: digest,
            deadline: context.deadline.ifEver, now: context.now)
    }

    /// The 16 bytes under which a key is kept.
    public static func key(of text: String) -> [UInt8] {
        Array(SHA256.hash(data: Array(text.utf8)).prefix(16))
    }
}

/// The digest that durable workflows make the keys of their steps with.
///
/// - Parameter bytes: What is to be digested.
/// - Returns: SHA-256: 32 bytes.
public func digest(_ bytes: [UInt8]) -> [UInt8] {
    Array(SHA256.hash(data: bytes))
}

extension Deadline {
    /// The instant; nil when there is none.
    var ifEver: ContinuousClock.Instant? { isNever ? nil : .init(instant) }
}

/// A status that stands: stored, and answered again.
private struct StandingRefusal: DefiniteRefusal {
    let status: Status

    var encodedRefusal: [UInt8] { status.encoded() }
}

extension Status {
    /// The status of a fault of storage; nil when it is a defect of ours.
    init?(_ fault: StorageFault) {
        switch fault {
        case .busy(let delay):
            self = .refusal(.busy, "The service is busy. Try again shortly.")
            details.append(.retryInfo(delay: delay))
        case .lost:
            self = .refusal(
                .outcomeUnknown, "Whether this was done is unknown. Retry with the same key.")
        case .constraint, .sql: return nil
        }
    }

    /// The status of a command that is not run.
    init(_ fault: CommandFault) {
        switch fault {
        case .idempotencyMismatch:
            self = .refusal(
                .idempotencyMismatch, "This idempotency key was used for another request.")
        case .cancelled:
            self = .refusal(.commandCancelled, "This was cancelled.")
        }
    }
}
