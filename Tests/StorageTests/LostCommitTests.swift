import Subprocess
import Testing

@testable import StorageWorker

extension ProcessTests {
    /// The disk fails at a commit: nobody is told anything but that the outcome is unknown, the
    /// process ends, and the next one finds out.
    @Suite(.timeLimit(.minutes(1))) struct LostCommitTests {
        @Test(arguments: [1, 2, 7, 30])
        func `after an unknown outcome the same key finds the truth in the next life`(
            sync: Int
        ) async throws {
            let process = WorkerProcess()
            var told = Acknowledgements()
            let before = try await process.run {
                $0.hasWorkflows = true
                $0.settles = true
                $0.commands = 5
            }
            told.note(before.lines)

            let lost = try await process.run {
                $0.hasWorkflows = true
                $0.failingSync = sync
                $0.acknowledged = told.last(of: $0.clients)
            }
            told.note(lost.lines)
            let unknown = lost.lines.filter { $0.hasPrefix("unknown ") }
            let next = try await process.run {
                $0.hasWorkflows = true
                $0.settles = true
                $0.commands = 5
                $0.acknowledged = told.last(of: $0.clients)
            }
            told.note(next.lines)

            #expect(lost.status == .exited(75), "\(lost.lines.suffix(2))")
            #expect(lost.says("lost "))
            #expect(!unknown.isEmpty)
            #expect(next.status == .exited(0), "\(next.lines.suffix(1))")
            for line in unknown {
                let words = line.dropFirst("unknown ".count)
                #expect(next.says("ack \(words) ") || next.says("refusal \(words) "), "\(line)")
            }
            try await process.expectSound(&told, "sync \(sync)", isSettled: true)
        }
    }
}
