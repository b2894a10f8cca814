import Foundation
import Messages
import RPC
import RPCTransport
import Synchronization
import Testing

@testable import ServiceKit

/// Programs whose calls are protected, or ought to be.
@Suite(.timeLimit(.minutes(1))) struct `Protection of calls` {
    private let installation = Installation()

    private func run(
        _ name: String, upstreams: [Upstream] = [], _ arguments: [String],
        _ wire: @Sendable (ServiceEnvironment) async throws -> ServiceParts = { _ in
            ServiceParts(methods: [])
        }
    ) async -> ServiceRunner.Exit {
        await ServiceRunner(name: name, defaultPort: 0, upstreams: upstreams).run(
            arguments: [name, "--data", installation.folder.path, "--drain-seconds", "1"]
                + arguments,
            environment: ["GUILDHALL_LOG_LEVEL": "error"], wire)
    }

    /// The flags of a program with a certificate of its own.
    private func flags(_ name: String) throws -> [String] {
        let folder = installation.folder.path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        if !FileManager.default.fileExists(atPath: "\(folder)/ca.pem") {
            try openssl(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 "
                    + "-subj /CN=Test -addext basicConstraints=critical,CA:TRUE "
                    + "-keyout ca.key -out ca.pem")
        }
        try Data("subjectAltName=URI:spiffe://guildhall.test/svc/\(name)\n".utf8)
            .write(to: URL(filePath: "\(folder)/\(name).ext"))
        try openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=\(name) "
                + "-keyout \(name).pem.key -out \(name).csr")
        try openssl(
            "x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -extfile \(name).ext "
                + "-out \(name).pem")
        return [
            "--tls-mode", "mutual", "--tls-certificate", "\(folder)/\(name).pem",
            "--tls-key", "\(folder)/\(name).pem.key", "--tls-trust", "\(folder)/ca.pem",
        ]
    }

    private func openssl(_ arguments: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = URL(filePath: installation.folder.path)
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    @Test(arguments: [
        ["--host", "0.0.0.0"], ["--organizations", "192.0.2.1:7101"], ["--tls-mode", "mutual"],
        ["--tls-trust", "ca.pem"],
        [
            "--tls-mode", "tls", "--tls-certificate", "/nowhere", "--tls-key", "/nowhere",
            "--tls-trust", "/nowhere",
        ],
    ])
    func `a program that could not be protected ends with 78`(arguments: [String]) async {
        let exit = await run("gateway", upstreams: [.organizations], arguments) { environment in
            _ = try environment.channel(to: "organizations")
            return ServiceParts(methods: [], children: [ServiceChild("end") {}])
        }

        #expect(exit == .configuration)
    }

    @Test(arguments: [
        ("gateway", OrganizationsMethods.getOrganization, Status.Code.ok),
        ("gateway", OrganizationsMethods.prepareOrganization, .permissionDenied),
        ("gateway", HealthMethods.check, .ok),
        ("gateway", ReflectionMethods.listServices, .ok),
        ("gateway", IntrospectionMethods.getServer, .permissionDenied),
        ("guildhall", ReflectionMethods.listServices, .ok),
        ("guildhall", IntrospectionMethods.listMethods, .ok),
        ("guildhall", OrganizationsMethods.getOrganization, .permissionDenied),
    ])
    func `programs call one another over mutual TLS, and only what they were granted`(
        caller: String, method: MethodDescriptor, expected: Status.Code
    ) async throws {
        let methods = [
            OrganizationsMethods.getOrganization, OrganizationsMethods.prepareOrganization,
        ].map { RegisteredMethod($0, .unary { payload, _ in .encoded(payload) }) }
        let (server, client) = (try flags("organizations"), try flags(caller))
        let port = try await installation.freePort()
        let code = Mutex<Status.Code?>(nil)
        let ends = AsyncStream.makeStream(of: Void.self)

        async let exitOfServer = run("organizations", ["--port", "\(port)"] + server) { _ in
            // It ends when the client has.
            ServiceParts(
                methods: [methods],
                children: [ServiceChild("end") { for await _ in ends.stream {} }]
            )
        }
        let upstream = ["--organizations", "127.0.0.1:\(port)", "--port", "0"]
        let exitOfClient = await run(
            caller, upstreams: [.organizations], upstream + client
        ) { environment in
            let channel = try environment.channel(to: "organizations")
            let calls = ServiceChild("calls") {
                let options = CallOptions(timeout: .seconds(20), waitsForReady: true)
                let refused = await status {
                    _ = try await channel.unary(method, .encoded([UInt8]()), options: options)
                }
                code.withLock { $0 = refused?.code ?? .ok }
            }
            return ServiceParts(methods: [], children: [calls])
        }
        ends.continuation.finish()

        #expect(exitOfClient == .success)
        #expect(await exitOfServer == .success)
        #expect(code.withLock { $0 } == expected)
    }
}
