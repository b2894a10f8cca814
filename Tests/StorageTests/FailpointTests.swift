#if DEBUG
    import Glibc
    import Subprocess
    import Testing

    @testable import Storage
    @testable import StorageWorker

    extension ProcessTests {
        @Suite(.timeLimit(.minutes(3))) struct FailpointTests {
            /// Each place, when it is reached for the first and for the second time.
            private static let deaths =
                Failpoint.allCases
                .filter { !restorePoints.contains($0) && !stepPoints.contains($0) }
                .flatMap { failpoint in
                    (1...2).map { Assignment.Death(failpoint: failpoint, hit: $0) }
                } + stepDeaths
            /// Before and after each step is done, and each that can be undone is undone.
            private static let stepDeaths: [Assignment.Death] = stepPoints.flatMap { failpoint in
                (Course.steps.map { "\($0).do" } + ["charge.undo", "reserve.undo"]).flatMap {
                    work in
                    (1...2).map { Assignment.Death(failpoint: failpoint, hit: $0, work: work) }
                }
            }
            private static let stepPoints: [Failpoint] = [.beforeStep, .afterStep]
            private static let restorePoints: [Failpoint] = [.beforeRestore, .afterRestore]

            @Test(arguments: deaths)
            func `a process that dies at a place loses and doubles nothing`(
                death: Assignment.Death
            ) async throws {
                let process = WorkerProcess()
                var told = Acknowledgements()

                let died = try await process.run {
                    $0.hasWorkflows = true
                    $0.copies = true
                    $0.death = death
                }
                told.note(died.lines)
                let restarted = try await process.run {
                    $0.hasWorkflows = true
                    $0.settles = true
                    $0.commands = 5
                    $0.acknowledged = told.last(of: $0.clients)
                }
                told.note(restarted.lines)

                #expect(died.lines.contains("reached \(death.place) \(death.hit)"))
                #expect(died.status == .signaled(SIGKILL))
                #expect(restarted.status == .exited(0), "\(restarted.lines.suffix(1))")
                #expect(told.answers.count >= 40)
                try await process.expectSound(&told, "\(death)", isSettled: true)
            }

            @Test(arguments: restorePoints, 1...2)
            func `a restore that dies leaves the one database or the other, whole`(
                failpoint: Failpoint, hit: Int
            ) async throws {
                let process = WorkerProcess()
                var told = Acknowledgements()
                let copied = try await process.run {
                    $0.hasWorkflows = true
                    $0.settles = true
                    $0.commands = 5
                }
                told.note(copied.lines)
                let copy = "\(process.files.path)/copy"
                try DataFile(path: copy).fill(
                    from: process.files.databasePath, chunkBytes: 1 << 20)
                let atCopy = told
                let later = try await process.run {
                    $0.hasWorkflows = true
                    $0.settles = true
                    $0.commands = 5
                    $0.acknowledged = told.last(of: $0.clients)
                }
                told.note(later.lines)

                let died = try await process.run {
                    $0.restorePath = copy
                    $0.death = Assignment.Death(failpoint: failpoint, hit: hit)
                }

                #expect(died.lines == ["reached \(failpoint.rawValue) \(hit)"])
                let isRestored = failpoint == .afterRestore || hit == 2
                var expected = isRestored ? atCopy : told
                try await process.expectSound(&expected, "after death", isSettled: true)
                let again = try await process.run { $0.restorePath = copy }
                #expect(again.status == .exited(0))
                expected = atCopy
                try await process.expectSound(&expected, "after restore", isSettled: true)
            }

            @Test(arguments: [Failpoint.beforeMigration, .afterMigration], 1...2)
            func `a process that dies while it migrates has migrated nothing`(
                failpoint: Failpoint, hit: Int
            ) async throws {
                let process = WorkerProcess()
                var told = Acknowledgements()
                let older = try await process.run {
                    $0.hasWorkflows = true
                    $0.settles = true
                    $0.commands = 20
                }
                told.note(older.lines)

                let died = try await process.run {
                    $0.schema = 2
                    $0.death = Assignment.Death(failpoint: failpoint, hit: hit)
                }

                #expect(died.lines == ["reached \(failpoint.rawValue) \(hit)"])
                // The older program still knows the database.
                try await process.expectSound(&told, "after death", isSettled: true)
                let newer = try await process.run {
                    $0.hasWorkflows = true
                    $0.settles = true
                    $0.schema = 2
                    $0.commands = 1
                    $0.acknowledged = told.last(of: $0.clients)
                }
                told.note(newer.lines)
                #expect(newer.status == .exited(0))
                try await process.expectSound(&told, "after migration", schema: 2, isSettled: true)
            }
        }
    }
#endif
