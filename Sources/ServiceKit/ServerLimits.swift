internal import Messages
internal import RPC
internal import RPCTransport

/// What an operator may set of the limits of a server; all others are those of the library.
enum ServerLimits {
    private static let defaults = RPCServerConfiguration.Limits()

    /// The settings, the same for every program.
    static let keys = [
        ConfigurationKey(
            "connections.max", .integer(1...100_000), default: "\(defaults.connectionsMax)",
            "The most connections by RPC."),
        ConfigurationKey(
            "connections.per.peer.max", .integer(1...100_000),
            default: "\(defaults.connectionsPerIdentityMax)",
            "The most of them from one peer that shows a certificate."),
        ConfigurationKey(
            "calls.max", .integer(1...100_000), default: "\(defaults.callsMax)",
            "The most calls that wait for something, such as the database, at once."),
        ConfigurationKey(
            "calls.per.connection.max", .integer(1...100_000),
            default: "\(defaults.callsPerConnectionMax)",
            "The most calls in flight on one connection, streams included."),
        ConfigurationKey(
            "streams.max", .integer(1...100_000), default: "\(defaults.streamsMax)",
            "The most streams open at once."),
    ]

    /// The limits of a program that was told these.
    static func limits(_ settings: ServiceConfiguration) -> RPCServerConfiguration.Limits {
        var limits = defaults
        func set(_ limit: WritableKeyPath<RPCServerConfiguration.Limits, Int>, _ name: String) {
            if let value = settings.integer(name) { limits[keyPath: limit] = value }
        }
        set(\.connectionsMax, "connections.max")
        set(\.connectionsPerIdentityMax, "connections.per.peer.max")
        set(\.callsMax, "calls.max")
        set(\.callsPerConnectionMax, "calls.per.connection.max")
        set(\.streamsMax, "streams.max")
        // One method may have all places, as by default, unless its calls become slow.
        limits.callsPerMethodMax = limits.callsMax
        limits.drainTimeout = settings.drainTimeout
        return limits
    }
}

/// The methods by which operators look after a program that keeps a database.
///
/// They pass when all places are taken: that is when somebody looks what is the matter. Each
/// refuses whoever does not own the platform before it waits for anything, so that others take no
/// places.
enum OperatorMethods {
    /// Whole services.
    static let services: Set<String> = [
        ServiceOperations.serviceName, MailsMethods.listMails.service,
        OrganizationWorkflowsMethods.listWorkflows.service,
        SignUpWorkflowsMethods.listWorkflows.service,
    ]

    /// The paths of methods among others.
    static let paths: Set<String> = [
        PartnersMethods.listWorkflows.path, PartnersMethods.getWorkflow.path,
        PartnersMethods.retryWorkflow.path, PartnersMethods.cancelWorkflow.path,
        PartnersMethods.annotateWorkflow.path,
    ]
}
