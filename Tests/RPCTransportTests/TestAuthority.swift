import Foundation
import NIOCore
import NIOPosix
import RPC

@testable import RPCTransport

/// An authority that issues certificates for a test, in a folder that goes with it.
///
/// The certificates are made by the `openssl` command, so that what is tested does not test itself.
final class TestAuthority: Sendable {
    static let installation = "guildhall.test"

    let folder: URL
    /// The authority's own certificate.
    var trust: String { path("ca.pem") }

    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appending(path: "guildhall-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=Test "
                + "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign "
                + "-keyout ca.key -out ca.pem")
    }

    deinit {
        // A folder that stays harms nothing.
        try? FileManager.default.removeItem(at: folder)
    }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    /// Issues a certificate for this machine, and for a service when one is named.
    ///
    /// - Parameters:
    ///   - file: The name of its files, without their endings.
    ///   - names: Its alternative names, as openssl writes them.
    ///   - days: How long it holds; below 0 it has ended already.
    /// - Returns: The files.
    /// - Throws: What `openssl` said.
    func issue(
        _ file: String, names: String = "DNS:localhost,IP:127.0.0.1", days: Int = 30
    ) throws -> TLSFiles.Own {
        try Data("basicConstraints=critical,CA:FALSE\nsubjectAltName=\(names)\n".utf8)
            .write(to: folder.appending(path: "\(file).ext"))
        try openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=\(file) "
                + "-keyout \(file).key -out \(file).csr")
        try openssl(
            "x509 -req -in \(file).csr -CA ca.pem -CAkey ca.key -days \(days) "
                + "-extfile \(file).ext -out \(file).pem")
        return TLSFiles.Own(certificate: path("\(file).pem"), key: path("\(file).key"))
    }

    /// Issues the certificate of a service.
    func issue(
        service: String, of installation: String = TestAuthority.installation, days: Int = 30
    ) throws -> TLSFiles.Own {
        let uri = "URI:spiffe://\(installation)/svc/\(service)"
        return try issue(service, names: "DNS:localhost,IP:127.0.0.1,\(uri)", days: days)
    }

    /// The credentials of a service, which trust this authority.
    func credentials(
        service: String, pollInterval: Duration = .seconds(3_600)
    ) throws -> TLSCredentials {
        try TLSCredentials(
            TLSFiles(own: try issue(service: service), trust: trust), pollInterval: pollInterval)
    }

    /// Credentials that trust this authority and prove nothing.
    func trusting() throws -> TLSCredentials {
        try TLSCredentials(TLSFiles(trust: trust))
    }

    private func openssl(_ arguments: String) throws {
        let outcome = try OpenSSL.run(arguments, in: folder)
        guard outcome.code == 0 else { throw Status(.internal, outcome.output) }
    }
}

/// Runs the `openssl` command.
enum OpenSSL {
    static func run(_ arguments: String, in folder: URL) throws -> (code: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = folder
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }
}

extension RPCClientConfiguration {
    /// TLS to a server, and one attempt a call, so that the first refusal is what a test sees.
    mutating func secure(
        _ credentials: TLSCredentials, server: RPCClientSecurity.ExpectedServer = .host
    ) {
        security = .tls(credentials, server: server)
        attemptsMax = 1
    }
}

/// Tells apart what the handler of a test sees of its caller.
let whoCalls = RegisteredMethod(
    Methods.unary("WhoCalls", .safe),
    .unary { _, context in .encoded(Array((context.peer.identity?.description ?? "").utf8)) })

extension RPCAddress {
    /// The same port by another name or number of the host.
    func at(_ host: String) -> RPCAddress {
        guard case .tcp(_, let port) = self else { return self }
        return .tcp(host: host, port: port)
    }
}

/// Runs a test against a port that accepts connections and says nothing.
func withSilentListener(_ body: (RPCAddress) async throws -> Void) async throws {
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .bind(host: "127.0.0.1", port: 0).get()
    let outcome: Result<Void, any Error>
    do {
        outcome = .success(try await body(RPCAddress(listener.localAddress)))
    } catch {
        outcome = .failure(error)
    }
    try await listener.close()
    try outcome.get()
}
