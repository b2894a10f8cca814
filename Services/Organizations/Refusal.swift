import Access
import RPC
import ServiceKit

/// What this service refuses, and under which status.
enum Refusal: DomainRefusal, Hashable {
    case invalid([FieldFault])
    case nameTaken
    case depthExceeded
    /// With the organization that is not active: the one asked for or an ancestor.
    case organizationNotActive(OrganizationID)
    case emailMaskTaken
    case tooManyEmailMasks(Int)
    case publicEmailDomain(String)
    /// With the identifier of a preparation that belongs to another organization, past or present.
    case identifierTaken(OrganizationID)
    /// A preparation that was never made, or was cancelled.
    case noSuchPreparation
    /// A preparation that was committed can no longer be cancelled.
    case alreadyCommitted

    var status: Status {
        switch self {
        case .invalid(let faults): Status.invalid(faults)
        case .nameTaken:
            Status.refusal(
                .nameTaken,
                """
                An organization with this name already exists. Please, type another name for \
                your organization.
                """)
        case .depthExceeded:
            Status.refusal(
                .depthExceeded,
                "Organizations can be nested at most \(Line.depthMax) levels deep.")
        case .organizationNotActive(let id): Status.organizationNotActive(at: id)
        case .emailMaskTaken:
            Status.refusal(.emailMaskTaken, "This email domain is already in use.")
        case .tooManyEmailMasks(let limit):
            Status.refusal(
                .validation, "An organization may have at most \(limit) email masks.")
        case .publicEmailDomain(let domain):
            Status.refusal(
                .publicEmailDomain,
                "Anybody can have an address at \(domain), so nobody can join by it.",
                metadata: ["domain": domain])
        case .identifierTaken(let id):
            Status.refusal(
                .identifierTaken, "The identifier \(id.text) was used before.")
        case .noSuchPreparation: Status.notFound("There is no such preparation.")
        case .alreadyCommitted:
            Status.refusal(.wrongState, "The organization was committed already.")
        }
    }
}

extension Status {
    /// A deactivation that is stored, while Membership has not said yet that it admits nobody.
    static var notAcknowledged: Status {
        var status = refusal(
            .notAcknowledged,
            """
            The deactivation is stored, but not yet acknowledged everywhere. Please retry with \
            the same idempotency key.
            """)
        status.details.append(.retryInfo(delay: .milliseconds(500)))
        return status
    }
}
