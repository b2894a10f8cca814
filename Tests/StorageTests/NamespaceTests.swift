import Foundation
import Subprocess
import SystemPackage
import Testing

extension ProcessTests {
    /// Who may not mount a disk may do so in a namespace of its own, where the system lets it.
    @Suite(.timeLimit(.minutes(1))) struct NamespaceTests {
        private static let outputBytesMax = 1 << 20

        @Test(
            .enabled("mounting is permitted, or namespaces are not") {
                if TemporaryDisk.isPossible { return false }
                let result = try await inNamespace(["mount", "-t", "tmpfs", "tmpfs", "/mnt"])
                return result.status.isSuccess
            })
        func `the tests of a full disk pass in a namespace of their own`() async throws {
            let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path

            let result = try await Self.inNamespace([
                tests, "--testing-library", "swift-testing", "--filter", "DiskFullTests",
            ])

            #expect(result.status.isSuccess)
            #expect(result.output.contains("Suite DiskFullTests passed"), "\(result.output)")
        }

        private static func inNamespace(
            _ words: [String]
        ) async throws -> (status: TerminationStatus, output: String) {
            let result = try await Subprocess.run(
                .name("unshare"), arguments: Arguments(["-rm"] + words),
                output: .string(limit: outputBytesMax), error: .combinedWithOutput)
            return (result.terminationStatus, result.standardOutput)
        }
    }
}
