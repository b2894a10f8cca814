import ServiceKit

/// What this service may take, and how long it waits.
struct Limits: Sendable, Hashable {
    /// `email-masks.max`: the most email masks of one organization.
    var emailMasksMax = 500
    /// `acknowledgement.milliseconds`: how long a deactivation waits for Membership at most; the
    /// deadline of the call shortens it.
    var acknowledgementTimeMax: Duration = .milliseconds(1_500)

    /// The settings of this service beside those of every service.
    static let keys = [
        ConfigurationKey(
            "email-masks.max", .integer(1...10_000), default: "500",
            "The most email masks of one organization."),
        ConfigurationKey(
            "acknowledgement.milliseconds", .integer(1...30_000), default: "1500",
            "How long a deactivation waits for Membership."),
    ]

    init(emailMasksMax: Int = 500) {
        self.emailMasksMax = emailMasksMax
    }

    init(_ configuration: ServiceConfiguration) {
        if let most = configuration.integer("email-masks.max") { emailMasksMax = most }
        if let time = configuration.integer("acknowledgement.milliseconds") {
            acknowledgementTimeMax = .milliseconds(time)
        }
    }
}
