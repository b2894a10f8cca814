import RPCTransport
import Testing

@testable import ServiceKit

@Suite struct ConfigurationTests {
    private let keys = [
        ConfigurationKey("http.port", .integer(0...65_535), default: "8080", "The HTTP port."),
        ConfigurationKey("demo", .toggle, "Loads the demonstration."),
        ConfigurationKey("owner.password", isSecret: true, "The first owner's password."),
        ConfigurationKey("membership", .target, default: "127.0.0.1:7102", "Membership."),
    ]

    private func read(
        _ arguments: [String] = [], _ environment: [String: String] = [:]
    ) throws(ServiceConfiguration.Fault) -> ServiceConfiguration {
        try ServiceConfiguration(
            service: "gateway", defaultPort: 7_100, keys: keys,
            arguments: ["gateway"] + arguments, environment: environment)
    }

    @Test func `what is not set has its default`() throws {
        let settings = try read()

        #expect(settings.host == "127.0.0.1")
        #expect(settings.port == 7_100)
        #expect(settings.databasePath == "./data/gateway.db")
        #expect(settings.keysFolder == "./data/keys")
        #expect(settings.integer("http.port") == 8_080)
        #expect(settings.isOn("demo") == false)
        #expect(settings.text("owner.password") == nil)
    }

    @Test func `flags win over variables, variables over defaults`() throws {
        let settings = try read(
            ["--http-port", "9000", "--data=/srv/a,b", "--demo"],
            [
                "GUILDHALL_HTTP_PORT": "9001", "GUILDHALL_PORT": "0",
                "GUILDHALL_OWNER_PASSWORD": "secret", "GUILDHALL_UNRELATED": "x",
            ])

        #expect(settings.integer("http.port") == 9_000)
        #expect(settings.port == 0)
        #expect(settings.databasePath == "/srv/a,b/gateway.db")
        #expect(settings.keysFolder == "/srv/a,b/keys")
        #expect(settings.isOn("demo"))
        #expect(settings.text("owner.password") == "secret")
    }

    @Test(arguments: [
        (["--prot", "1"], "--prot"), (["stray"], "stray"), (["--port"], "--port"),
        (["--port", "http"], "--port"), (["--port", "70000"], "--port"),
        (["--port", "1", "--port", "2"], "--port"), (["--log-level", "loud"], "--log-level"),
        (["--membership", "nowhere"], "--membership"), (["--demo=maybe"], "--demo"),
        (["--compression", "zip"], "--compression"), (["--debug-page=maybe"], "--debug-page"),
        (["--debug-token", "too-short"], "--debug-token"),
        (["--debug-token", "long enough, but not one word"], "--debug-token"),
    ])
    func `what cannot be read is told in one line that names it`(
        arguments: [String], named: String
    ) {
        let fault = #expect(throws: ServiceConfiguration.Fault.self) { try read(arguments) }

        guard case .usage(let line) = fault else {
            Issue.record("not a fault of usage")
            return
        }
        #expect(line.hasPrefix("gateway: ") && line.contains(named))
        #expect(!line.contains("\n"))
    }

    @Test(arguments: [
        ([], RPCCompression.off, DebugPageAccess.local),
        (["--compression", "deflate"], .deflate(), .local),
        (["--debug-token", "sixteen-or-more-bytes"], .off, .localOrToken("sixteen-or-more-bytes")),
        (["--debug-page", "off", "--debug-token", "sixteen-or-more-bytes"], .off, .nobody),
    ])
    func `compression and the page for operators are as told`(
        arguments: [String], compression: RPCCompression, page: DebugPageAccess
    ) throws {
        let settings = try read(arguments)

        #expect(settings.compression == compression)
        #expect(settings.debugPage == page)
    }

    @Test func `what a server takes on is as told, and by default as in the library`() throws {
        let usual = ServerLimits.limits(try read([]))
        let told = ServerLimits.limits(
            try read(
                [
                    "--connections-max", "2000", "--connections-per-peer-max", "100",
                    "--calls-max", "512", "--streams-max", "1000", "--drain-seconds", "3",
                ], ["GUILDHALL_CALLS_PER_CONNECTION_MAX": "128"]))

        #expect(usual == RPCServerConfiguration.Limits())
        #expect(told.connectionsMax == 2_000)
        #expect(told.connectionsPerIdentityMax == 100)
        #expect(told.callsMax == 512)
        #expect(told.callsPerMethodMax == 512)
        #expect(told.callsPerConnectionMax == 128)
        #expect(told.streamsMax == 1_000)
        #expect(told.drainTimeout == .seconds(3))
        #expect(throws: ServiceConfiguration.Fault.self) { try read(["--connections-max", "0"]) }
    }

    @Test func `a malformed variable is named, not passed over`() {
        let fault = #expect(throws: ServiceConfiguration.Fault.self) {
            try read([], ["GUILDHALL_HTTP_PORT": "many"])
        }

        #expect(fault?.description.contains("GUILDHALL_HTTP_PORT") == true)
    }

    @Test func `help names every flag and variable`() {
        let fault = #expect(throws: ServiceConfiguration.Fault.self) { try read(["--help"]) }

        guard case .help(let text) = fault else {
            Issue.record("no help")
            return
        }
        for word in ["--http-port", "GUILDHALL_HTTP_PORT", "8080", "--drain-seconds", "--keys"] {
            #expect(text.contains(word))
        }
    }
}
