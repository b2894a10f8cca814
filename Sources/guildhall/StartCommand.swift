import ArgumentParser
import Foundation
import ServiceKit
import UnixSignals

/// `guildhall start`: all five parts of an installation, supervised, with embedded databases.
struct StartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Runs the four services and the gateway here, until Ctrl-C.",
        discussion: """
            Each option can also be given by the environment: GUILDHALL_DATA, \
            GUILDHALL_HTTP_PORT, GUILDHALL_RPC_PORT, GUILDHALL_OWNER_EMAIL, \
            GUILDHALL_OWNER_PASSWORD, GUILDHALL_DEMO (0: no demonstration data), GUILDHALL_MAIL, \
            GUILDHALL_MAIL_FROM, GUILDHALL_PUBLIC_URL.
            """
    )

    @Option(help: "The folder of the databases, keys and logs. (default: data)")
    var data: String?
    @Option(help: "The port of the HTTP API on loopback; 0 for any. (default: 8080)")
    var httpPort: Int?
    @Option(help: "The port of the gateway's RPC; the services take the next four. (default: 7100)")
    var rpcPort: Int?
    @Option(help: "The email of the first platform owner. (default: owner@guildhall.example)")
    var ownerEmail: String?
    @Option(help: "The password of the first platform owner. (default: made up)")
    var ownerPassword: String?
    @Option(
        help: """
            Where mails go: smtp://[user:password@]host[:port], smtps://… or file:FOLDER; a \
            password is better kept in GUILDHALL_MAIL. (default: the folder mail in the data)
            """)
    var mail: String?
    @Option(help: "Who sends mails. (default: Guildhall <no-reply@localhost>)")
    var mailFrom: String?
    @Option(
        help: """
            Where clients reach the HTTP API, as links in mails have it. (default: the address on \
            which it listens)
            """)
    var publicURL: String?
    @Flag(inversion: .prefixedNo, help: "Loads a small demonstration tenant on the first start.")
    var demo: Bool?

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let console = Console()
        let publicURL = publicURL ?? environment["GUILDHALL_PUBLIC_URL"]
        if let publicURL, PublicAddress(publicURL) == nil {
            throw ValidationError(
                "--public-url is an address such as https://example.org, not \(publicURL)")
        }
        let installation = try Installation(
            data: URL(filePath: data ?? environment["GUILDHALL_DATA"] ?? "data"),
            executables: Self.executableFolder())
        let ports = try Ports(
            http: try port(httpPort, "GUILDHALL_HTTP_PORT", in: environment, default: 8080),
            rpc: try port(rpcPort, "GUILDHALL_RPC_PORT", in: environment, default: 7100))
        try installation.keep(ports)
        let owner = try installation.owner(
            email: ownerEmail ?? environment["GUILDHALL_OWNER_EMAIL"],
            password: ownerPassword ?? environment["GUILDHALL_OWNER_PASSWORD"])
        let wantsDemonstration = try installation.wantsDemonstration(
            asked: demo, standard: environment["GUILDHALL_DEMO"] != "0")

        let supervisor = try Supervisor(
            installation: installation, ports: ports, owner: owner,
            mail: MailOptions(
                destination: mail ?? environment["GUILDHALL_MAIL"],
                from: mailFrom ?? environment["GUILDHALL_MAIL_FROM"]),
            publicURL: publicURL, console: console)
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in signals { break }
                supervisor.stop()
            }
            group.addTask {
                guard await supervisor.untilReady() else { return }
                let welcome = Welcome(
                    installation: installation, ports: ports, owner: owner, console: console)
                do {
                    try await welcome.run(loadingDemonstration: wantsDemonstration)
                } catch {
                    // Stopped while it was loading: the next start continues.
                    if supervisor.isStopping { return }
                    welcome.apologize(for: error)
                }
                welcome.sayReady()
            }
            try await supervisor.run()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func port(
        _ flag: Int?, _ key: String, in environment: [String: String], default: Int
    ) throws -> Int {
        if let flag { return flag }
        guard let text = environment[key] else { return `default` }
        guard let port = Int(text), (0...65_535).contains(port) else {
            throw ValidationError("\(key) is not a port: \(text)")
        }
        return port
    }

    /// The folder of this executable: the services lie beside it.
    private static func executableFolder() -> URL {
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    }
}
