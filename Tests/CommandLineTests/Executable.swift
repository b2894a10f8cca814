import Foundation
import Subprocess
import SystemPackage

/// The executable of the build that these tests belong to, run as a person would.
enum Executable {
    /// The most that a command prints.
    static let outputBytesMax = 4 << 20

    /// How a command ended.
    struct Ending: Sendable {
        let status: TerminationStatus
        let output: String
        let error: String

        var hasSucceeded: Bool { status == .exited(0) }
    }

    /// Runs `guildhall` with arguments and a standard input.
    static func run(_ arguments: [String], input: String = "") async throws -> Ending {
        let executable = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "guildhall")
        let result = try await Subprocess.run(
            .path(FilePath(executable.path)), arguments: Arguments(arguments),
            input: .string(input), output: .string(limit: outputBytesMax),
            error: .string(limit: outputBytesMax))
        return Ending(
            status: result.terminationStatus, output: result.standardOutput,
            error: result.standardError)
    }
}
