/// The outcome of a call that was not answered with a result.
///
/// Codes are those of gRPC; details are typed messages as in `google.rpc.Status` (AIP-193).
public struct Status: Error, Sendable, Hashable {
    /// The kind of outcome; numbers as in gRPC.
    public enum Code: UInt32, Sendable, Hashable, CaseIterable {
        case ok = 0
        case cancelled = 1
        case unknown = 2
        case invalidArgument = 3
        case deadlineExceeded = 4
        case notFound = 5
        case alreadyExists = 6
        case permissionDenied = 7
        case resourceExhausted = 8
        case failedPrecondition = 9
        case aborted = 10
        case outOfRange = 11
        case unimplemented = 12
        case `internal` = 13
        case unavailable = 14
        case dataLoss = 15
        case unauthenticated = 16
    }

    /// The kind of outcome.
    public var code: Code
    /// A sentence for a person; never a secret, never another tenant's data.
    public var message: String
    /// Typed details, for programs.
    public var details: [StatusDetail]
    /// What the server sends beside the error, or has sent; see ``TrailingMetadata``.
    public var trailingMetadata: Metadata

    /// A status.
    public init(
        _ code: Code, _ message: String, details: [StatusDetail] = [],
        trailingMetadata: Metadata = Metadata()
    ) {
        self.code = code
        self.message = message
        self.details = details
        self.trailingMetadata = trailingMetadata
    }

    /// The reason in the first ``StatusDetail/errorInfo(reason:domain:metadata:)``, such as
    /// `members_limit_reached`.
    public var reason: String? {
        for detail in details {
            if case .errorInfo(let reason, _, _) = detail { return reason }
        }
        return nil
    }

    /// Whether the same call may succeed when it is sent again, with the same idempotency key.
    public var isTransient: Bool {
        code == .unavailable || code == .resourceExhausted || code == .deadlineExceeded
            || code == .unknown
    }
}

/// An error that knows the status under which it leaves the service.
public protocol StatusConvertible: Error {
    /// The status for the caller.
    var status: Status { get }
}

extension Status: StatusConvertible {
    /// The status itself.
    public var status: Status { self }
}

extension Status {
    /// The status under which an error leaves a service.
    ///
    /// A ``StatusConvertible`` error says its own, a ``DecodingFault`` is the caller's mistake, a
    /// `CancellationError` is ``Code/cancelled``. Anything else is ``Code/internal`` with a fixed
    /// sentence: its text may hold secrets and belongs in the log alone.
    public init(thrown error: any Error) {
        self = Status(foreseen: error) ?? Status(.internal, "The server failed.")
    }

    /// The status of an error that a service means its callers to see, as ``init(thrown:)`` says;
    /// nil for every other.
    public init?(foreseen error: any Error) {
        switch error {
        case let error as any StatusConvertible: self = error.status
        case let fault as DecodingFault:
            self = Status(.invalidArgument, "The request is malformed: \(fault).")
        case is CancellationError: self = Status(.cancelled, "The call was cancelled.")
        default: return nil
        }
    }
}

extension StatusDetail {
    /// Asks the caller to make no further attempt: the wait is longer than any call.
    public static let retryNever = StatusDetail.retryInfo(delay: .seconds(1 << 32))
}

/// A typed detail of a status: the standard messages of `google.rpc` as values.
public enum StatusDetail: Sendable, Hashable {
    /// `google.rpc.ErrorInfo`: the domain's own code, who defines it, and named facts.
    case errorInfo(reason: String, domain: String, metadata: [String: String])
    /// `google.rpc.BadRequest`: the fields of the request that are wrong.
    case badRequest([FieldViolation])
    /// `google.rpc.PreconditionFailure`: what must change before the call can succeed.
    case preconditionFailure([PreconditionViolation])
    /// `google.rpc.RetryInfo`: how long to wait before another attempt.
    case retryInfo(delay: Duration)
    /// Any other message.
    case other(typeURL: String, value: [UInt8])

    /// A wrong field of a request.
    public struct FieldViolation: Sendable, Hashable {
        /// The path of the field, such as `organization.title`.
        public let field: String
        /// What is wrong, in a sentence.
        public let description: String

        /// A violation.
        public init(field: String, description: String) {
            self.field = field
            self.description = description
        }
    }

    /// One gate that refused.
    public struct PreconditionViolation: Sendable, Hashable {
        /// The domain's code, such as `members_limit_reached`.
        public let type: String
        /// What it is about, such as the identifier of an organization.
        public let subject: String
        /// What is wrong, in a sentence.
        public let description: String

        /// A violation.
        public init(type: String, subject: String, description: String) {
            self.type = type
            self.subject = subject
            self.description = description
        }
    }
}
