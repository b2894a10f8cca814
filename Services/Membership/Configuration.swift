import ServiceKit

/// What this service is told at its start, beside what every service is.
///
/// - `--owner-email` (`GUILDHALL_OWNER_EMAIL`): who is made platform owner when there is none yet.
/// - `--owner-password` (`GUILDHALL_OWNER_PASSWORD`): that person's password; made up and printed
///   once when it is not given.
struct Configuration: Sendable {
    static let keys = [
        ConfigurationKey(
            "owner.email", default: "owner@guildhall.example",
            "The first platform owner, made when there is none yet."),
        ConfigurationKey(
            "owner.password", isSecret: true,
            "The password of the first platform owner; made up and printed once if not given."),
    ]

    let ownerEmail: String
    /// Secret.
    let ownerPassword: String?

    init(_ configuration: ServiceConfiguration) {
        ownerEmail = configuration.text("owner.email") ?? ""
        ownerPassword = configuration.text("owner.password")
    }
}
