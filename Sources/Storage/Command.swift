/// A change that a caller asks for once, however often the request arrives.
public struct Command: Sendable, Hashable {
    /// Whose key it is: the user, or the fixed name of a workflow's steps.
    public let principal: String
    /// The idempotency key: 16 bytes.
    public let key: [UInt8]
    /// The method called.
    public let method: String
    /// Tells one request from another.
    public let requestDigest: [UInt8]
    /// A command that would begin after it is refused; one that has begun is finished.
    public let deadline: ContinuousClock.Instant?
    /// When the request came.
    public let now: WallTime

    /// A command.
    public init(
        principal: String, key: [UInt8], method: String, requestDigest: [UInt8],
        deadline: ContinuousClock.Instant? = nil, now: WallTime
    ) {
        precondition(key.count == 16, "an idempotency key is 16 bytes")
        self.principal = principal
        self.key = key
        self.method = method
        self.requestDigest = requestDigest
        self.deadline = deadline
        self.now = now
    }
}

/// What a command answers, the first time and every time after.
public enum CommandOutcome: Sendable, Hashable {
    /// It was done; the encoded reply.
    case reply([UInt8])
    /// It was refused for good; the encoded refusal.
    case refusal([UInt8])
}

/// A refusal that stands: it is stored, and a repeated command gets it again.
///
/// What a command changed before it threw a refusal is undone.
public protocol DefiniteRefusal: Error {
    /// The refusal as it is stored.
    var encodedRefusal: [UInt8] { get }
}

/// Why a command is not run.
public enum CommandFault: Error, Sendable, Hashable {
    /// The key was used for another method or request.
    case idempotencyMismatch
    /// The command was cancelled, before or after it came.
    case cancelled
}
