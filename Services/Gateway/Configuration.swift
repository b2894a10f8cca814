import ServiceKit

/// The gateway's settings beside those of every program, by flag and by environment.
struct Configuration: Sendable {
    /// `--http-port`: where the HTTP API and the first page are; 0 is any that is free.
    let httpPort: Int
    /// `--public-url`: where clients reach the gateway; never taken from what a client sends.
    let publicURL: String?
    /// `--allowed-origins`: the other sites whose pages may call the API.
    let crossOrigin: CrossOrigin
    /// `--trusted-proxies`: those whose `X-Forwarded-For` says who calls.
    let trustedProxies: TrustedProxies
    /// What a client may cost.
    let limits: Limits

    /// The settings by name.
    static let keys = [
        ConfigurationKey(
            "http.port", .integer(0...65_535), default: "8080",
            "The port of the HTTP API; 0 is any that is free."),
        ConfigurationKey(
            "public.url", .text,
            "Where clients reach the HTTP API (default: the address on which it listens)."),
        ConfigurationKey(
            "allowed.origins", .text,
            "Other sites whose pages may call the HTTP API, with commas (default: none)."),
        ConfigurationKey(
            "http.connections.max", .integer(1...100_000), default: "2000",
            "The most HTTP connections."),
        ConfigurationKey(
            "http.connections.per.address.max", .integer(1...100_000), default: "100",
            "The most HTTP connections from one address."),
        ConfigurationKey(
            "open.calls.per.minute.max", .integer(1...1_000_000), default: "120",
            "The most calls a minute that need no session from one address."),
        ConfigurationKey(
            "trusted.proxies", .text,
            "Proxies that say who calls in X-Forwarded-For: addresses, networks (default: none)."),
        ConfigurationKey(
            "call.timeout.seconds", .integer(1...30), default: "10",
            "How long a service may take to answer a call of the HTTP API."),
    ]

    /// What the program was told at its start.
    ///
    /// - Throws: `ServiceConfiguration.Fault` when an origin or an address is none.
    init(_ settings: ServiceConfiguration) throws(ServiceConfiguration.Fault) {
        guard let crossOrigin = CrossOrigin(settings.text("allowed.origins") ?? "") else {
            throw .usage(
                "gateway: --allowed-origins are origins such as https://portal.example.org")
        }
        self.crossOrigin = crossOrigin
        httpPort = settings.integer("http.port") ?? 8080
        let address = settings.text("public.url")
        if let address, PublicAddress(address) == nil {
            throw .usage("gateway: --public-url is an address such as https://example.org")
        }
        publicURL = address
        guard let trustedProxies = TrustedProxies(settings.text("trusted.proxies") ?? "") else {
            throw .usage(
                "gateway: --trusted-proxies are addresses and networks such as 10.0.0.0/8")
        }
        self.trustedProxies = trustedProxies
        var limits = Limits()
        limits.connectionsMax = settings.integer("http.connections.max") ?? limits.connectionsMax
        limits.connectionsPerAddressMax =
            settings.integer("http.connections.per.address.max") ?? limits.connectionsPerAddressMax
        limits.openCallsPerMinuteMax =
            settings.integer("open.calls.per.minute.max") ?? limits.openCallsPerMinuteMax
        limits.callTimeout =
            settings.integer("call.timeout.seconds").map(Duration.seconds) ?? limits.callTimeout
        limits.drainTimeout = settings.drainTimeout
        self.limits = limits
    }
}
