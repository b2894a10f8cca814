import RPC
import ServiceKit

/// What this service refuses, and under which status.
enum Refusal: DomainRefusal, Hashable {
    case invalid([FieldFault])
    case noSuchOrganization
    case whiteLabelDisabled
    case tooManyColors(Int)
    case noSuchAsset
    /// A preparation for an organization that has an appearance of its own already.
    case appearanceExists

    var status: Status {
        switch self {
        case .invalid(let faults): Status.invalid(faults)
        case .noSuchOrganization: Status.notFound("There is no such organization.")
        case .whiteLabelDisabled:
            Status.refusal(
                .whiteLabelDisabled, "This organization has no appearance of its own.")
        case .tooManyColors(let limit):
            Status.refusal(
                .validation, "An organization may have at most \(limit) advanced colors.",
                fields: [.init(field: "colors.advanced", description: "These are too many.")])
        case .noSuchAsset: Status.notFound("There is no such image.")
        case .appearanceExists:
            Status.refusal(
                .wrongState, "The organization has an appearance of its own already.")
        }
    }
}
