import Encodings
import Foundation
import Subprocess
import SystemPackage
import Testing

/// Programs of others that look at what the gateway answers.
enum Python {
    struct Failure: Error {
        let script: String
        let said: String
    }

    /// Runs a script of this folder with the Python of the tests.
    static func run(_ script: String, _ arguments: String...) async throws -> String {
        try await run(script, arguments)
    }

    /// Runs a script of this folder with the Python of the tests.
    static func run(_ script: String, _ arguments: [String]) async throws -> String {
        let python = try #require(
            ProcessInfo.processInfo.environment["GUILDHALL_TEST_PYTHON"],
            "deploy/test prepares the Python that this test needs")
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Python/\(script)").path
        let result = try await Subprocess.run(
            .path(FilePath(python)), arguments: Arguments([path] + arguments),
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            throw Failure(script: script, said: result.standardError)
        }
        return result.standardOutput
    }
}
