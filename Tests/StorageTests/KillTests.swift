import Glibc
import Subprocess
import Testing

@testable import Storage
@testable import StorageWorker

extension ProcessTests {
    @Suite struct KillTests {
        private static let rounds = 100
        private static let fillBytes = 100 * 1_024 * 1_024
        /// So often the database is compared with what its clients were told.
        private static let roundsPerAudit = 10
        /// One round of so many ends while the database is being opened.
        private static let roundsPerOpening = 4
        /// A service of such a database serves within a second; once in a while the machine is busy
        /// with something else.
        private static let openedAfterMax: (median: Duration, worst: Duration) = (
            .seconds(1), .seconds(3)
        )

        @Test(.timeLimit(.minutes(5)))
        func `of a hundred kills under eight clients none loses or doubles anything`()
            async throws
        {
            let process = WorkerProcess()
            var told = Acknowledgements()
            let filled = try await process.run {
                $0.fillBytes = Self.fillBytes
                $0.clients = 0
            }
            try #require(filled.status == .exited(0))
            var opened: [Duration] = []
            var endedWhileOpening = 0

            for round in 1...Self.rounds {
                if round % Self.roundsPerOpening == 0 {
                    // The log of the round before is there to be read again.
                    let usual = opened.sorted()[opened.count / 2] / .milliseconds(1)
                    let life = try await process.runAndKill(
                        afterStart: .milliseconds(.random(in: 1...max(usual, 2)))
                    ) {
                        $0.hasWorkflows = true
                        $0.acknowledged = told.last(of: $0.clients)
                    }
                    #expect(life.status == .signaled(SIGKILL), "round \(round)")
                    told.note(life.lines)
                    if !life.says("ready") { endedWhileOpening += 1 }
                }
                let life = try await process.runAndKill(
                    after: .milliseconds(.random(in: 20...150))
                ) {
                    $0.hasWorkflows = true
                    $0.acknowledged = told.last(of: $0.clients)
                }
                #expect(
                    life.status == .signaled(SIGKILL), "round \(round): \(life.lines.suffix(3))")
                told.note(life.lines)
                opened.append(try #require(life.openedAfter))
                if round % Self.roundsPerAudit == 0 {
                    try await process.expectSound(&told, "round \(round)")
                }
            }
            let last = try await process.run {
                $0.hasWorkflows = true
                $0.settles = true
                $0.commands = 1
                $0.acknowledged = told.last(of: $0.clients)
            }
            told.note(last.lines)

            #expect(last.status == .exited(0))
            #expect(told.count > Self.rounds)
            try await process.expectSound(&told, "the end", isSettled: true)
            #expect(endedWhileOpening > Self.rounds / Self.roundsPerOpening / 2)
            opened.sort()
            #expect(opened[opened.count / 2] < Self.openedAfterMax.median)
            #expect(opened[opened.count - 1] < Self.openedAfterMax.worst)
            Report.line(
                """
                \(Self.rounds) kills, \(told.count) answers, \(told.answers.count) commands; with \
                \(endedWhileOpening) times killed while opening; with 100 MB open after \
                \(opened[opened.count / 2]), at worst \(opened[opened.count - 1])
                """)
        }
    }
}
