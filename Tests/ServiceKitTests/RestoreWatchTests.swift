import Messages
import RPC
import Storage
import Synchronization
import Testing

@testable import ServiceKit

/// Another service of which only the head of its feed is seen.
private final class Neighbour: Sendable {
    private let state: Mutex<FeedHead?>

    init(_ head: FeedHead?) {
        state = Mutex(head)
    }

    func set(_ head: FeedHead?) {
        state.withLock { $0 = head }
    }

    func source(_ name: String) -> FeedSource {
        FeedSource(name: name, watch: { _, _, _ in }) { [self] _, _ in
            guard let head = state.withLock({ $0 }) else {
                throw Status(.unavailable, "Nobody answers.")
            }
            return head
        }
    }
}

@Suite(.timeLimit(.minutes(1))) final class RestoreWatchTests: Sendable {
    private let installation = Installation()
    private let database: Database
    private let seats = Neighbour(FeedHead(incarnation: life(1), sequence: 10))
    private let looks = Neighbour(FeedHead(incarnation: life(2), sequence: 5))
    /// From when on steps were sent again, each time.
    private let repetitions = Mutex<[WallTime]>([])

    init() throws {
        database = try installation.database("partners")
    }

    private static func life(_ number: UInt8) -> [UInt8] { [UInt8](repeating: number, count: 16) }

    private func watch(
        failing error: (any Error)? = nil, failures: [FailedRepetition] = []
    ) -> RestoreWatch {
        RestoreWatch(
            of: [seats.source("membership"), looks.source("branding")], database: database,
            clock: installation.clock.clock, logger: installation.log.logger
        ) { [self] since in
            repetitions.withLock { $0.append(since) }
            if let error { throw error }
            var report = RepetitionReport()
            report.failures = failures
            return report
        }
    }

    private var count: Int { repetitions.withLock { $0.count } }

    @Test func `services that only go on have nothing sent again`() async throws {
        try await watch().look()
        seats.set(FeedHead(incarnation: Self.life(1), sequence: 11))
        try await watch().look()
        looks.set(nil)
        try await watch().look()
        #expect(count == 0)
    }

    @Test func `another life has the steps of the last seven days sent again, once`() async throws {
        try await watch().look()
        seats.set(FeedHead(incarnation: Self.life(9), sequence: 10))
        try await watch().look()
        try await watch().look()
        #expect(
            repetitions.withLock { $0 }
                == [installation.clock.clock.now().advanced(by: .seconds(-7 * 86_400))])
        let warnings = installation.log.lines.filter { $0.contains("service restored") }
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("membership") == true)
    }

    @Test func `a file that was copied back is noticed by its feed, which ends earlier`()
        async throws
    {
        try await watch().look()
        looks.set(FeedHead(incarnation: Self.life(2), sequence: 4))
        try await watch().look()
        #expect(count == 1)
    }

    @Test func `whoever does not answer is looked at again later, and nothing is missed`()
        async throws
    {
        try await watch().look()
        seats.set(nil)
        try await watch().look()
        #expect(count == 0)
        seats.set(FeedHead(incarnation: Self.life(9), sequence: 3))
        try await watch().look()
        #expect(count == 1)
    }

    @Test func `steps that could not all be sent are sent by the next life of the program`()
        async throws
    {
        try await watch().look()
        seats.set(FeedHead(incarnation: Self.life(9), sequence: 10))
        await #expect(throws: CancellationError.self) {
            try await watch(failing: CancellationError()).look()
        }
        try await watch().look()
        try await watch().look()
        #expect(count == 2)
    }

    @Test func `what is refused then is told to operators`() async throws {
        try await database.write { transaction in
            try transaction.start(
                WorkflowStart(
                    id: Self.life(7), kind: "sale", input: [], startedBy: "ada",
                    at: WallTime(microseconds: 0)))
        }
        let workflow = try #require(try database.workflows.get(Self.life(7)))
        try await watch().look()
        seats.set(FeedHead(incarnation: Self.life(9), sequence: 10))
        try await watch(failures: [
            FailedRepetition(
                workflow: workflow, step: "grant_seats", words: "no room", isPassing: false)
        ]).look()
        let errors = installation.log.lines.filter { $0.hasPrefix("error step refused") }
        #expect(errors.count == 1)
        #expect(errors.first?.contains("grant_seats") == true)
        #expect(errors.first?.contains("no room") == true)
    }

    @Test func `steps that nobody answered are sent once more`() async throws {
        try await database.write { transaction in
            try transaction.start(
                WorkflowStart(
                    id: Self.life(7), kind: "sale", input: [], startedBy: "ada",
                    at: WallTime(microseconds: 0)))
        }
        let workflow = try #require(try database.workflows.get(Self.life(7)))
        let failure = FailedRepetition(
            workflow: workflow, step: "grant_seats", words: "gone", isPassing: true)
        try await watch().look()
        seats.set(FeedHead(incarnation: Self.life(9), sequence: 10))
        #expect(try await watch(failures: [failure]).look() == false)
        #expect(try await watch().look())
        #expect(try await watch().look())
        #expect(count == 2)
    }
}
