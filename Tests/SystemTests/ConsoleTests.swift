import Foundation
import Testing

/// The console as people use it, before real services.
@Suite(.serialized) struct ConsoleTests {
    @Test(.timeLimit(.minutes(5)))
    func `organizations are looked after with a browser`() async throws {
        let python = try #require(
            ProcessInfo.processInfo.environment["GUILDHALL_TEST_PYTHON"],
            "deploy/test prepares the Python that this test needs")
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Python/use_console.py").path
        try await RunningInstallation.run { installation in
            let address = try #require(installation.url).absoluteString
            let (email, password) = installation.owner

            let said = try await Shell.run(
                "'\(python)' '\(script)' '\(address)' '\(email)' '\(password)'")

            #expect(said.hasSuffix("the console can be used\n"), "\(said)")
        }
    }
}
