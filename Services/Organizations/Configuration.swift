import ServiceKit
import Webhooks

/// What this service may take, and how long it waits.
struct Limits: Sendable, Hashable {
    /// `email-masks.max`: the most email masks of one organization.
    var emailMasksMax = 500
    /// `archive.max`: the most organizations that are archived or restored at once.
    var archiveMax = Limits.archiveEver
    /// No organization ever has more email masks.
    static let emailMasksEver = 10_000
    /// No more organizations are ever archived or restored at once.
    static let archiveEver = 10_000
    /// `acknowledgement.milliseconds`: how long a deactivation waits for Membership at most, and a
    /// question to another service for its answer; the deadline of the call shortens it.
    var acknowledgementTimeMax: Duration = .milliseconds(1_500)
    /// How long an organization may take to arrive at Branding; the deadline shortens it.
    var arrivalTimeMax: Duration = .seconds(2)

    /// `email-masks.waiting-hours`: how long a mask waits to be verified before it is forgotten.
    var maskWaitingMax: Duration = .seconds(72 * 3_600)
    /// `organization-types.max`: the most organization types of the platform.
    var organizationTypesMax: Int64 = 1_000
    /// `custom-urls.max`: the most custom URLs of one organization, those in quarantine included.
    var customURLsMax = 100
    /// `contact-receivers.max`: the most addresses that receive messages of one kind.
    var contactReceiversMax = 10
    /// `owner.email`: who receives what people write until the settings of the platform say so.
    var contactReceiver = "owner@guildhall.example"
    /// `contact-messages.hourly`, `contact-messages.sender-hourly`: how much is taken in an hour.
    var contactPace = HourlyPace(allMax: 1_000, ofOneMax: 5)

    /// No organization has more receivers of a kind, whatever is set.
    static let contactReceiversCeiling = 100

    /// The settings of this service beside those of every service.
    static let keys = [
        ConfigurationKey(
            "email-masks.max", .integer(1...10_000), default: "500",
            "The most email masks of one organization."),
        ConfigurationKey(
            "archive.max", .integer(1...archiveEver), default: "10000",
            "The most organizations that are archived or restored at once."),
        ConfigurationKey(
            "acknowledgement.milliseconds", .integer(1...30_000), default: "1500",
            "How long a deactivation waits for Membership, and a question for its answer."),
        ConfigurationKey(
            "email-masks.waiting-hours", .integer(1...8_760), default: "72",
            "How long a mask waits to be verified."),
        ConfigurationKey(
            "dns.server", .text,
            "The name server that is asked about email domains, such as 127.0.0.1:53; otherwise "
                + "those of the machine."),
        ConfigurationKey(
            "organization-types.max", .integer(1...100_000), default: "1000",
            "The most organization types."),
        ConfigurationKey(
            "custom-urls.max", .integer(1...CustomURL.countMax), default: "100",
            "The most custom URLs of one organization, those released lately included."),
        ConfigurationKey(
            "contact-receivers.max", .integer(1...contactReceiversCeiling), default: "10",
            "The most addresses that receive messages of one kind."),
        ConfigurationKey(
            "owner.email", default: "owner@guildhall.example",
            "Who receives what people write until the settings of the platform say so."),
        ConfigurationKey(
            "contact-messages.hourly", .integer(1...1_000_000), default: "1000",
            "The most messages by the contact form in an hour."),
        ConfigurationKey(
            "contact-messages.sender-hourly", .integer(1...1_000), default: "5",
            "The most messages of one sender in an hour."),
    ]

    init(emailMasksMax: Int = 500) {
        self.emailMasksMax = emailMasksMax
    }

    init(_ configuration: ServiceConfiguration) {
        if let most = configuration.integer("email-masks.max") { emailMasksMax = most }
        if let most = configuration.integer("archive.max") { archiveMax = most }
        if let time = configuration.integer("acknowledgement.milliseconds") {
            acknowledgementTimeMax = .milliseconds(time)
        }
        if let hours = configuration.integer("email-masks.waiting-hours") {
            maskWaitingMax = .seconds(3_600 * hours)
        }
        if let most = configuration.integer("organization-types.max") {
            organizationTypesMax = Int64(most)
        }
        if let most = configuration.integer("custom-urls.max") { customURLsMax = most }
        if let most = configuration.integer("contact-receivers.max") { contactReceiversMax = most }
        if let address = configuration.text("owner.email") { contactReceiver = address }
        contactPace = HourlyPace(
            allMax: configuration.integer("contact-messages.hourly") ?? contactPace.allMax,
            ofOneMax: configuration.integer("contact-messages.sender-hourly")
                ?? contactPace.ofOneMax)
    }
}

extension NameServer {
    /// The setting `dns.server`; nil when it is not set.
    ///
    /// - Throws: `ServiceConfiguration.Fault` when it is no address.
    static func configured(
        _ configuration: ServiceConfiguration
    ) throws(ServiceConfiguration.Fault) -> NameServer? {
        guard let text = configuration.text("dns.server") else { return nil }
        guard let server = NameServer(text) else {
            throw .usage("organizations: --dns-server is an IPv4 address, with or without a port")
        }
        return server
    }
}

/// What hooks may be, and who vouches for their receivers.
struct HookSettings: Sendable, Hashable {
    let rules: HookRules
    /// `hook.authorities`: a file of certificates; nil: those of the machine.
    let authorities: String?

    static let keys = [
        ConfigurationKey(
            "hook.networks", .text,
            "What hooks may call beside the public Internet, such as 10.0.0.0/8,192.168.1.7."),
        ConfigurationKey(
            "hook.plaintext", .toggle, default: "false", "Whether hooks may use http."),
        ConfigurationKey(
            "hook.authorities", .text,
            "A file of certificates that vouch for receivers of hooks; otherwise those of the "
                + "machine."),
    ]

    /// - Throws: `ServiceConfiguration.Fault` when they are not to be understood.
    init(_ configuration: ServiceConfiguration) throws(ServiceConfiguration.Fault) {
        let texts = (configuration.text("hook.networks") ?? "").split(separator: ",")
        let networks = texts.compactMap { Network(String($0)) }
        guard networks.count == texts.count else {
            throw .usage(
                "organizations: --hook-networks is a list such as 10.0.0.0/8,192.168.1.7,fd00::/8")
        }
        rules = HookRules(
            allowsPlaintext: configuration.isOn("hook.plaintext"),
            addresses: AddressRules(allowing: networks))
        authorities = configuration.text("hook.authorities")
    }
}
