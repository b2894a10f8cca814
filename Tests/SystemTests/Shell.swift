import Subprocess
import SystemPackage
import Testing

/// Runs a line as a person would.
enum Shell {
    /// The most a command may print.
    static let outputBytesMax = 1 << 20

    /// Runs a line and answers what it printed; a line that fails fails the test.
    @discardableResult
    static func run(_ line: String) async throws -> String {
        let result = try await Subprocess.run(
            .path("/bin/sh"), arguments: ["-c", line], output: .string(limit: outputBytesMax),
            error: .string(limit: outputBytesMax))
        try #require(
            result.terminationStatus == .exited(0),
            "\(line): \(result.standardOutput) \(result.standardError)")
        return result.standardOutput
    }
}
