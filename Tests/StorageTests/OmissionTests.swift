#if DEBUG
    import Glibc
    import Testing

    @testable import Storage
    @testable import StorageWorker

    extension ProcessTests {
        /// What the other tests find nothing of is found where a protection is missing.
        @Suite(.timeLimit(.minutes(5))) struct OmissionTests {
            struct Case: Sendable {
                let omission: Assignment.Omission?
                /// Where the first life ends: what it must have done for the breach is done then,
                /// however slow the machine is.
                let death: Assignment.Death
                /// What must be found; nothing at all when it is empty.
                let breaches: Set<Audit.Breach>
            }

            private static let cases = [
                Case(
                    omission: nil,
                    death: .init(failpoint: .beforeCommit, hit: 5, isAfterAnswer: true),
                    breaches: []),
                // The commit of the answer that came too early.
                Case(
                    omission: .commit,
                    death: .init(failpoint: .beforeCommit, hit: 1, isAfterAnswer: true),
                    breaches: [.lost]),
                Case(
                    omission: .commandKey,
                    death: .init(failpoint: .afterCommit, hit: 5, isAfterAnswer: true),
                    breaches: [.twice, .changedReply]),
                Case(
                    omission: .stepKey, death: .init(failpoint: .afterStep, hit: 1),
                    breaches: [.stepTwice]),
            ]

            @Test(arguments: cases)
            func `a missing protection shows`(_ example: Case) async throws {
                let process = WorkerProcess()
                var told = Acknowledgements()

                let died = try await process.run {
                    $0.hasWorkflows = true
                    $0.omission = example.omission
                    $0.death = example.death
                }
                told.note(died.lines)
                let found = try await process.findings(told, isSettled: false)
                let restarted = try await process.run {
                    $0.hasWorkflows = true
                    $0.settles = true
                    $0.commands = 3
                    $0.omission = example.omission
                    $0.acknowledged = told.last(of: $0.clients)
                }
                told.note(restarted.lines)
                let foundLater = try await process.findings(told, isSettled: true)

                #expect(died.says("reached"))
                let all = Set(found.union(foundLater).map(\.breach))
                #expect(all.isSuperset(of: example.breaches), "\(all)")
                #expect(all.isEmpty == example.breaches.isEmpty, "\(all)")
            }
        }
    }
#endif
