import Foundation
import RPCTransport
import Subprocess
import Testing

/// The servers that commands call, and how calls to them are protected.
@Suite(.timeLimit(.minutes(2))) struct TargetTests {
    private let folder = FileManager.default.temporaryDirectory
        .appending(path: "guildhall-target-\(UUID().uuidString)")

    /// Makes an authority, and a certificate of it for this machine and a service.
    private func certificates() throws -> TLSFiles {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        try openssl("req -x509 \(key) -days 30 -subj /CN=Test -keyout ca.key -out ca.pem")
        let names = "DNS:localhost,URI:spiffe://guildhall.test/svc/organizations"
        try Data("subjectAltName=\(names)\n".utf8).write(to: folder.appending(path: "own.ext"))
        try openssl("req \(key) -subj /CN=own -keyout own.key -out own.csr")
        try openssl("x509 -req -in own.csr -CA ca.pem -CAkey ca.key -extfile own.ext -out own.pem")
        let own = TLSFiles.Own(certificate: path("own.pem"), key: path("own.key"))
        return TLSFiles(own: own, trust: path("ca.pem"))
    }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    private func openssl(_ arguments: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = folder
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    private func call(_ target: String, _ flags: [String] = []) async throws -> Executable.Ending {
        try await Executable.run(
            ["call", "Health/Check", "--timeout", "20s", "--target", target] + flags)
    }

    @Test func `a target may be a name that is looked up, or several servers`() async throws {
        try await Stall.open { _, address in
            let port = address.split(separator: ":").last ?? ""
            let described = try await Executable.run(["describe", "--target", "dns:\(address)"])
            let measured = try await Executable.run(
                [
                    "bench", "Health/Check", "--target", "\(address),localhost:\(port)",
                    "--seconds", "1", "--connections", "1", "--json",
                ])

            #expect(try await call("dns:\(address)").output.contains("NOT_SERVING"))
            #expect(described.output.contains("service Health {"))
            #expect(measured.hasSucceeded, "\(measured.error)")
        }
    }

    @Test(arguments: ["no-port", "dns:unix:/run/guildhall.sock", ",", "127.0.0.1:1,"])
    func `what is no target is told`(text: String) async throws {
        let ending = try await call(text)

        #expect(ending.status == .exited(64))
        #expect(ending.error.contains("host:port|dns:host:port|unix:path"))
    }

    @Test(arguments: [
        [], ["--tls-server", "localhost"],
        ["--tls-server", "spiffe://guildhall.test/svc/organizations"],
    ])
    func `calls go over TLS to the server that is expected`(flags: [String]) async throws {
        let files = try certificates()
        defer { try? FileManager.default.removeItem(at: folder) }
        let security = RPCServerSecurity.mutualTLS(
            try TLSCredentials(files),
            PeerPolicy(["organizations": ["guildhall.rpc.v1.Reflection"]]))

        try await Stall.open(security: security) { _, address in
            let port = address.split(separator: ":").last ?? ""
            let ending = try await call(
                "localhost:\(port)",
                [
                    "--tls-trust", path("ca.pem"), "--tls-certificate", path("own.pem"),
                    "--tls-key", path("own.key"),
                ] + flags)

            #expect(ending.output.contains("NOT_SERVING"), "\(ending.error)")
        }
    }

    @Test func `a server that is not the expected one is refused`() async throws {
        let files = try certificates()
        defer { try? FileManager.default.removeItem(at: folder) }

        try await Stall.open(security: .tls(try TLSCredentials(files))) { _, address in
            let ending = try await call(
                address, ["--tls-trust", path("ca.pem"), "--tls-server", "elsewhere.example"])

            #expect(ending.status == .exited(1))
            #expect(ending.error.contains("for another name"), "\(ending.error)")
        }
    }

    @Test(arguments: [
        (["--tls-certificate", "own.pem"], "--tls-certificate and --tls-key go together"),
        (["--tls", "--plaintext-on-any-network"], "is the opposite of TLS"),
        (["--tls-trust", "/nowhere"], "/nowhere"),
        (["--tls-server", "spiffe://nobody"], "--tls-server"),
    ])
    func `flags that cannot be followed are told`(flags: [String], sentence: String) async throws {
        let ending = try await call("localhost:1", flags)

        #expect(ending.status == .exited(64))
        #expect(ending.error.contains(sentence), "\(ending.error)")
    }

    @Test func `plaintext beyond this machine is refused before anything is sent`() async throws {
        let ending = try await call("192.0.2.1:7101")

        #expect(ending.status == .exited(64))
        #expect(ending.error.contains("plaintext is for loopback addresses"))
    }
}
