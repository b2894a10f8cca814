import Foundation
import Testing

/// The wire protocol is held to its page: a client written from it in another language.
@Suite(.serialized) struct PythonClientTests {
    @Test func `a client in Python calls every service`() async throws {
        let python = try #require(
            ProcessInfo.processInfo.environment["GUILDHALL_TEST_PYTHON"],
            "deploy/test prepares the Python that this test needs")
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let protos = folder.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Protos")

        try await RunningInstallation.run { installation in
            var arguments = [
                "'\(python)'", "'\(folder.path)/Python/call_every_service.py'",
                "--protos", "'\(protos.path)'", "--data", "'\(installation.data.path)'",
            ]
            for part in ["gateway", "organizations", "membership", "partners", "branding"] {
                arguments += ["--\(part)", try installation.address(of: part)]
            }
            arguments += [
                "--email", installation.owner.email, "--password",
                "'\(installation.owner.password)'",
            ]
            let printed = try await Shell.run(arguments.joined(separator: " "))
            #expect(printed.contains("every service answered"))
        }
    }
}
