import Mail
import ServiceKit

/// What this service is told at its start, beside what every service is.
///
/// - `--owner-email` (`GUILDHALL_OWNER_EMAIL`): who is made platform owner when there is none yet.
/// - `--public-url` (`GUILDHALL_PUBLIC_URL`): where the links in mails lead.
/// - `--sign-ups-hourly`, `--sign-ups-address-hourly`: how many may sign up in an hour.
/// - `--mail`, `--mail-from`: how mails go out.
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
        ConfigurationKey(
            "public.url", .text, default: "http://127.0.0.1:8080",
            "Where clients reach the HTTP API: links in mails lead there."),
        ConfigurationKey(
            "sign-ups.hourly", .integer(1...1_000_000), default: "1000",
            "The most people who sign up in an hour."),
        ConfigurationKey(
            "sign-ups.address-hourly", .integer(1...1_000), default: "5",
            "The most sign-ups with one address in an hour."),
    ]

    let ownerEmail: String
    /// Secret.
    let ownerPassword: String?
    let publicAddress: PublicAddress
    let signUpPace: HourlyPace
    let mail: MailSettings

    /// - Throws: `ServiceConfiguration.Fault` when an address is none.
    init(_ configuration: ServiceConfiguration) throws(ServiceConfiguration.Fault) {
        guard let address = configuration.text("public.url").flatMap(PublicAddress.init) else {
            throw .usage("membership: --public-url is an address such as https://example.org")
        }
        publicAddress = address
        signUpPace = HourlyPace(
            allMax: configuration.integer("sign-ups.hourly") ?? 1_000,
            ofOneMax: configuration.integer("sign-ups.address-hourly") ?? 5)
        mail = try MailSettings(configuration, of: "membership")
        ownerEmail = configuration.text("owner.email") ?? ""
        ownerPassword = configuration.text("owner.password")
    }
}
