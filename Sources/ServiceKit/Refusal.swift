public import Access
public import RPC
public import Storage

/// A refusal from a service's closed list: it has a status, and a command that threw it is answered
/// with the same status whenever it is sent again.
public protocol DomainRefusal: StatusConvertible, DefiniteRefusal {}

extension DomainRefusal {
    /// The status, encoded, as it is kept for replays.
    public var encodedRefusal: [UInt8] { status.encoded() }
}

/// An organization that is unknown, or outside the caller's scope: nobody learns which.
///
/// It is no refusal that is kept under the call's key: the organization may come, and rights too.
public struct OutOfScope: StatusConvertible, Hashable {
    /// Something that the caller cannot see.
    public init() {}

    /// The answer, the same for both.
    public var status: Status { .notFound("There is no such organization.") }
}

/// Something that is the caller's to do, but not while an organization is paused.
///
/// It is no refusal that is kept under the call's key: the pause may end, and rights may come.
public struct Suspended: StatusConvertible, Hashable {
    /// The organization at which the pause was made.
    public let organization: OrganizationID

    /// A right that is suspended by a pause at an organization.
    public init(at organization: OrganizationID) {
        self.organization = organization
    }

    /// The answer, with the reason.
    public var status: Status { .organizationNotActive(at: organization) }
}

/// Who defines the reasons in errors.
public let errorDomain = "guildhall"

extension Status {
    /// A status with a reason that programs can act on; services take theirs from the table.
    ///
    /// - Parameters:
    ///   - code: The kind of outcome.
    ///   - reason: The domain's own code, such as `name_taken`.
    ///   - message: A sentence for a person.
    ///   - metadata: Named facts.
    ///   - violations: Every gate that refused, in the order in which they were asked.
    ///   - fields: The fields of the request that are wrong.
    /// - Returns: The status.
    static func refusal(
        _ code: Code, reason: String, _ message: String, metadata: [String: String] = [:],
        violations: [StatusDetail.PreconditionViolation] = [],
        fields: [StatusDetail.FieldViolation] = []
    ) -> Status {
        var details: [StatusDetail] = [
            .errorInfo(reason: reason, domain: errorDomain, metadata: metadata)
        ]
        if !violations.isEmpty { details.append(.preconditionFailure(violations)) }
        if !fields.isEmpty { details.append(.badRequest(fields)) }
        return Status(code, message, details: details)
    }

    /// A status with a reason from the table, which gives the code.
    ///
    /// - Parameters:
    ///   - reason: The reason.
    ///   - message: A sentence for a person.
    ///   - metadata: Named facts.
    ///   - violations: Every gate that refused, in the order in which they were asked.
    ///   - fields: The fields of the request that are wrong.
    /// - Returns: The status.
    public static func refusal(
        _ reason: ErrorReason, _ message: String, metadata: [String: String] = [:],
        violations: [StatusDetail.PreconditionViolation] = [],
        fields: [StatusDetail.FieldViolation] = []
    ) -> Status {
        refusal(
            reason.code, reason: reason.rawValue, message, metadata: metadata,
            violations: violations, fields: fields)
    }

    /// The answer where an organization, the one asked for or one above it, is not active.
    public static func organizationNotActive(at organization: OrganizationID) -> Status {
        refusal(
            .orgNotActive, "The organization, or one above it, is not active.",
            metadata: ["at": organization.text],
            violations: [
                StatusDetail.PreconditionViolation(
                    type: ErrorReason.orgNotActive.rawValue, subject: organization.text,
                    description: "This organization is not active.")
            ])
    }

    /// Refuses one field of a request: `INVALID_ARGUMENT`, reason `validation`.
    public static func invalid(_ field: String, _ description: String) -> Status {
        refusal(
            .validation, description,
            fields: [StatusDetail.FieldViolation(field: field, description: description)])
    }

    /// The answer for everything that is not there or not for the caller to see.
    public static func notFound(_ message: String = "There is no such thing.") -> Status {
        refusal(.notFound, message)
    }

    /// The answer for what the caller may see but not do.
    public static func forbidden(_ message: String = "Your roles do not allow this.") -> Status {
        refusal(.forbidden, message)
    }

    /// The answer for a caller that could not be told.
    public static func unauthenticated(
        _ message: String = "Sign in to do this."
    ) -> Status {
        refusal(.unauthenticated, message)
    }

    /// Whether the same call will be refused again, so that its refusal is kept and replayed.
    ///
    /// Outages and refusals for want of a right are not kept: both may pass.
    var isDefinite: Bool {
        switch code {
        case .invalidArgument, .notFound, .alreadyExists, .failedPrecondition, .outOfRange: true
        default: false
        }
    }
}
