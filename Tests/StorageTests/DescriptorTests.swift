import Subprocess
import Testing

@testable import Storage
@testable import StorageWorker

extension ProcessTests {
    /// What happens to a database whose process has no file descriptor left.
    @Suite(.timeLimit(.minutes(1))) struct DescriptorTests {
        @Test func `opening with too few descriptors is refused in words, and leaves none behind`()
            async throws
        {
            let process = WorkerProcess()
            var told = Acknowledgements()

            let life = try await process.run {
                $0.scantDescriptorsAtOpening = true
                $0.hasWorkflows = true
                $0.settles = true
                $0.commands = 5
            }
            told.note(life.lines)

            #expect(life.status == .exited(0))
            let refused = life.lines.filter { $0.hasPrefix("refused") }
            // The lock, the file, its log and index, and a connection for each of some readers.
            #expect(refused.count > 4)
            #expect(refused.allSatisfy { $0.contains("Too many open files") }, "\(refused)")
            #expect(life.says("opened"))
            #expect(!life.says("confused") && !life.says("leaked"), "\(life.lines)")
            try await process.expectSound(&told, "the end", isSettled: true)
        }

        @Test func `without a descriptor work goes on, and what needs one is refused for now`()
            async throws
        {
            let process = WorkerProcess()
            var told = Acknowledgements()

            let life = try await process.run {
                $0.scantDescriptorsAtWork = true
                $0.hasWorkflows = true
                $0.settles = true
                $0.commands = 20
            }
            told.note(life.lines)

            #expect(life.status == .exited(0), "\(life.lines.suffix(1))")
            let parts = life.lines.split(separator: "plenty", maxSplits: 1)
            try #require(parts.count == 2 && parts[0].contains("scant"))
            #expect(parts[0].contains("nested busy"))
            #expect(parts[0].contains("inline done") && parts[0].contains("read done"))
            #expect(parts[0].contains { $0.hasPrefix("ack 0 19 ") })
            #expect(parts[1].prefix(3) == ["nested done", "inline done", "read done"])
            try await process.expectSound(&told, "the end", isSettled: true)
        }
    }
}
