import Access
import RPC
import ServiceKit

/// What this service refuses, and under which status.
enum Refusal: DomainRefusal, Hashable {
    /// Of more wrong fields the first are named.
    private static let faultsMax = 50

    case invalid([FieldFault])
    case nameTaken
    case depthExceeded
    /// With the field that holds a day that is over.
    case dateInPast(field: String)
    /// With the field in which the last day is missing.
    case trialNeedsDate(field: String)
    /// Children would be left without their parent.
    case hasChildren
    /// More organizations at once than the number.
    case tooManyAtOnce(Int)
    case externalIDTaken
    case tooManyImports
    case cycle
    /// An organization of the tree is on its way to another place.
    case organizationMoving
    case parentArchived
    /// What is asked for is not to be had in the archive.
    case organizationArchived
    /// With the first rows that have errors.
    case importHasErrors([ImportFailure])
    /// With the first rows that no longer fit what is there.
    case planStale([ImportFailure])
    /// The organization is in the archive, or is not, as the call needs it.
    case wrongState(String)
    /// With the organization that is not active: the one asked for or an ancestor.
    case organizationNotActive(OrganizationID)
    case emailMaskTaken
    case tooManyEmailMasks(Int)
    case publicEmailDomain(String)
    case noSuchEmailMask
    /// With the domain that says nothing of the mask.
    case emailMaskUnverified(String)
    case noSuchType
    case typeNameTaken
    /// An organization has the type, be it in the archive.
    case typeInUse
    /// With the sentence that says what is wrong.
    case slugInvalid(String)
    case slugReserved(String)
    case slugTaken
    /// Custom URLs come with an appearance of its own, which the organization does not have.
    case whiteLabelDisabled
    case noSuchCustomURL
    case customURLDisabled
    /// Given up lately, or released by the archive.
    case customURLReleased
    case noSuchHook
    case noSuchHookDelivery
    /// More of something than the number.
    case tooMany(String, Int)
    /// More was written within an hour than is read.
    case tooManyMessages
    /// With the identifier of a preparation that belongs to another organization, past or present.
    case identifierTaken(OrganizationID)
    /// A preparation that was never made, or was cancelled.
    case noSuchPreparation
    /// A preparation that was committed can no longer be cancelled.
    case alreadyCommitted

    var status: Status {
        switch self {
        case .invalid(let faults): Status.invalid(Array(faults.prefix(Self.faultsMax)))
        case .nameTaken:
            Status.refusal(
                .nameTaken,
                """
                An organization with this name already exists. Please, type another name for \
                your organization.
                """, fields: [.init(field: "title", description: "This name is taken.")])
        case .depthExceeded:
            Status.refusal(
                .depthExceeded,
                "Organizations can be nested at most \(Line.depthMax) levels deep.")
        case .dateInPast(let field):
            Status.refusal(
                .dateInPast, "This day is over.",
                fields: [.init(field: field, description: "This day is over.")])
        case .trialNeedsDate(let field):
            Status.refusal(
                .trialNeedsDate, "A trial needs a last day, today or later.",
                fields: [.init(field: field, description: "A day is needed.")])
        case .hasChildren:
            Status.refusal(
                .hasChildren,
                """
                There are organizations below this one. Delete them first, or all at once with \
                “cascade”.
                """)
        case .tooManyAtOnce(let limit):
            Status.refusal(
                .validation,
                "At most \(limit) organizations at once. Begin with those below this one.")
        case .externalIDTaken:
            Status.refusal(
                .identifierTaken, "Another organization has this outside identifier.",
                fields: [.init(field: "external_id", description: "Another one has it.")])
        case .cycle:
            Status.refusal(.cycle, "An organization cannot hang below itself.")
        case .organizationMoving:
            Status.refusal(
                .orgMoving,
                "Organizations of this tree are being moved. Please try again in a moment.")
        case .parentArchived:
            Status.refusal(
                .parentArchived,
                "The organization above is in the archive. Restore it first, or name another.")
        case .organizationArchived:
            Status.refusal(
                .wrongState, "This organization is in the archive. Restore it first.")
        case .tooManyImports:
            Status.refusal(.busy, "Too many imports are under way. Please try again later.")
        case .importHasErrors(let rows):
            Status.refusal(
                .importHasErrors,
                "The file has errors, and nothing was changed. Mend them, or leave those rows out.",
                violations: rows.map(\.violation))
        case .planStale(let rows):
            Status.refusal(
                .planStale,
                "Organizations have changed since the file was planned. Please import it again.",
                violations: rows.map(\.violation))
        case .wrongState(let sentence): Status.refusal(.wrongState, sentence)
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
        case .noSuchEmailMask: Status.notFound("There is no such email mask.")
        case .emailMaskUnverified(let domain):
            Status.refusal(
                .emailMaskUnverified,
                """
                No record at _guildhall-challenge.\(domain) says that this domain is yours. \
                Publish it and try again.
                """,
                metadata: ["domain": domain])
        case .noSuchType: Status.notFound("There is no such organization type.")
        case .typeNameTaken:
            Status.refusal(.nameTaken, "An organization type with this name already exists.")
        case .typeInUse:
            Status.refusal(
                .typeInUse, "Organizations have this type. Give them another one first.")
        case .slugInvalid(let sentence):
            Status.refusal(
                .slugInvalid, sentence, fields: [.init(field: "slug", description: sentence)])
        case .slugReserved(let slug):
            Status.refusal(
                .slugReserved, "“\(slug)” is reserved. Please choose another custom URL.",
                fields: [.init(field: "slug", description: "This is reserved.")])
        case .slugTaken:
            Status.refusal(
                .slugTaken, "This custom URL is already in use.",
                fields: [.init(field: "slug", description: "This is in use.")])
        case .whiteLabelDisabled:
            Status.refusal(
                .whiteLabelDisabled,
                "Custom URLs need white label, which is off for this organization.")
        case .noSuchCustomURL: Status.notFound("There is no such custom URL.")
        case .customURLDisabled:
            Status.refusal(.customURLDisabled, "This custom URL is shut down.")
        case .customURLReleased:
            Status.refusal(.customURLReleased, "This custom URL was given up.")
        case .noSuchHook: Status.notFound("There is no such hook.")
        case .noSuchHookDelivery: Status.notFound("There is no such call of the hook.")
        case .tooMany(let things, let limit):
            Status.refusal(.validation, "There may be at most \(limit) \(things).")
        case .tooManyMessages: Status.tooManyMessages
        case .identifierTaken(let id):
            Status.refusal(
                .identifierTaken, "The identifier \(id.text) was used before.")
        case .noSuchPreparation: Status.notFound("There is no such preparation.")
        case .alreadyCommitted:
            Status.refusal(.wrongState, "The organization was committed already.")
        }
    }
}

extension Refusal {
    /// Of more rows than this only the first are named.
    static let rowsNamedMax = 100
}

extension ImportFailure {
    fileprivate var violation: StatusDetail.PreconditionViolation {
        StatusDetail.PreconditionViolation(
            type: code, subject: "row \(row)", description: sentence)
    }
}

extension Status {
    /// More was written within an hour than is read.
    fileprivate static var tooManyMessages: Status {
        var status = refusal(.busy, "Too much was written within an hour. Please try again later.")
        status.details.append(.retryInfo(delay: HourlyPace.period))
        return status
    }

    /// A refusal that passes by itself, with when to try again.
    static func passing(_ reason: ErrorReason, _ message: String) -> Status {
        var status = refusal(reason, message)
        status.details.append(.retryInfo(delay: .milliseconds(500)))
        return status
    }

    /// An application of a mask that is stored, while Membership has not said yet whom it admits.
    static var admissionNotAcknowledged: Status {
        passing(
            .notAcknowledged,
            """
            Whom this admits is decided, but not yet acknowledged. Please retry with the same \
            idempotency key.
            """)
    }

    /// A deactivation that is stored, while Membership has not said yet that it admits nobody.
    static var notAcknowledged: Status {
        passing(
            .notAcknowledged,
            """
            This is stored, but not yet acknowledged everywhere. Please retry with \
            the same idempotency key.
            """)
    }
}
