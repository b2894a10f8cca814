import Access
import Foundation
import Logging
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// What other services are told when last days pass: once for each time.
struct LapseTests {
    /// 2026-01-01T00:00:00Z, as the manual clock begins.
    private let installation: Installation
    private let day: Duration = .seconds(86_400)

    init() throws {
        installation = try Installation()
    }

    @Test func `what has lapsed is told once, on the day after the last`() async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School", expiresAt: "2026-01-02")
        let classroom = try await owner.create(
            "Class", below: school, trial: Trial(enabled: true, validUntil: "2026-01-02"))
        _ = try await owner.create("Other", expiresAt: "2026-01-03")

        installation.clock.advance(by: day * 2 - .milliseconds(1))
        try await installation.sweep()
        #expect(try await installation.lapses().isEmpty)
        installation.clock.advance(by: .milliseconds(1))
        for _ in 0..<2 {
            async let one: Void = installation.sweep()
            async let two: Void = installation.sweep()
            _ = try await (one, two)
        }

        #expect(
            try await installation.lapses() == [
                OrganizationLapse(
                    organizationID: classroom.id, kind: .trialEnded, lastDay: 20_455),
                OrganizationLapse(organizationID: school.id, kind: .expired, lastDay: 20_455),
            ])
        #expect(CalendarDay(daysSince1970: 20_455).text == "2026-01-02")
        #expect(try await owner.get(school).version == school.version)
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `of one organization trial and expiry are told each`() async throws {
        let owner = try installation.platformOwner()
        _ = try await owner.create(
            "School", expiresAt: "2026-01-02",
            trial: Trial(enabled: true, validUntil: "2026-01-03"))

        installation.clock.advance(by: day * 5)
        try await installation.sweep()
        try await installation.sweep()

        #expect(try await installation.lapses().map(\.kind) == [.trialEnded, .expired])
    }

    @Test func `what is prolonged is told to be back, and lapses a second time`() async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School", expiresAt: "2026-01-02")
        installation.clock.advance(by: day * 3)
        try await installation.sweep()

        _ = try await owner.update(school, paths: ["expires_at"]) {
            $0.expiresAt = "2026-01-10"
        }
        try await installation.sweep()
        let back = try await installation.lapses()
        installation.clock.advance(by: day * 10)
        try await installation.sweep()
        try await installation.sweep()

        #expect(back.map(\.kind) == [.expired, .reactivated] && back[1].lastDay == nil)
        let all = try await installation.lapses()
        #expect(all.map(\.kind) == [.expired, .reactivated, .expired])
        #expect(all.map(\.lastDay) == [20_455, nil, 20_463])
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `an organization is told to be back once nothing stands any more`() async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create(
            "School", expiresAt: "2026-01-02",
            trial: Trial(enabled: true, validUntil: "2026-01-02"))
        installation.clock.advance(by: day * 3)
        try await installation.sweep()

        let still = try await owner.update(school, paths: ["trial"]) {
            $0.trial = Trial(enabled: false)
        }
        let silent = try await installation.lapses().count
        _ = try await owner.update(still, paths: ["expires_at"]) { $0.expiresAt = "" }

        #expect(silent == 2)
        #expect(
            try await installation.lapses().map(\.kind) == [.trialEnded, .expired, .reactivated])
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `what is told does not depend on who comes first, the sweep or a change`()
        async throws
    {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School", expiresAt: "2026-01-02")
        installation.clock.advance(by: day * 3)

        // No sweep has come since it expired.
        _ = try await owner.update(school, paths: ["expires_at"]) {
            $0.expiresAt = "2026-01-10"
        }
        try await installation.sweep()

        #expect(try await installation.lapses().map(\.kind) == [.expired, .reactivated])
        let kinds = try await installation.database.feed.events(after: 0, limit: 10).suffix(3)
            .map(\.kind)
        // Each beside the state that it speaks of.
        #expect(
            kinds == [
                OrganizationLapse.messageName, OrganizationNode.messageName,
                OrganizationLapse.messageName,
            ])
    }

    @Test func `a change that leaves the days tells nothing`() async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School", expiresAt: "2026-01-02")
        let trial = try await owner.create(
            "Trial", trial: Trial(enabled: true, validUntil: "2026-01-09"))
        installation.clock.advance(by: day * 3)
        try await installation.sweep()

        _ = try await owner.update(school, paths: ["title", "expires_at"]) { $0.title = "New" }
        _ = try await owner.update(trial, paths: ["trial"]) {
            $0.trial = Trial(enabled: true, validUntil: "2026-01-20")
        }
        try await installation.sweep()

        #expect(try await installation.lapses().map(\.kind) == [.expired])
    }

    @Test func `the archive is not told of, and what comes back lapsed is`() async throws {
        let owner = try installation.platformOwner()
        let early = try await owner.create("Early", expiresAt: "2026-01-02")
        let late = try await owner.create("Late", expiresAt: "2026-01-05")
        installation.clock.advance(by: day * 3)
        try await installation.sweep()
        for school in [early, late] { _ = try await owner.delete(school) }
        installation.clock.advance(by: day * 3)

        try await installation.sweep()
        let archived = try await installation.lapses()
        for school in [early, late] {
            _ = try await owner.restoreOrganization(RestoreOrganizationRequest(id: school.id))
        }
        try await installation.sweep()

        #expect(archived.map(\.organizationID) == [early.id])
        // What was told before is not told again.
        #expect(try await installation.lapses().map(\.organizationID) == [early.id, late.id])
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `what is removed for good is not told to be back`() async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School", expiresAt: "2026-01-02")
        installation.clock.advance(by: day * 3)
        try await installation.sweep()
        _ = try await owner.delete(school)
        try await installation.pass(days: 91)

        try await installation.upkeep().round(at: installation.clock.now)
        try await installation.sweep()

        #expect(try await installation.events(OrganizationNode.self).contains { $0.removed })
        #expect(try await installation.lapses().map(\.kind) == [.expired])
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `the sweep comes right after midnight, else once an hour`() {
        let start = installation.clock.now
        let pauses = [
            Duration.zero, .seconds(82_799), .seconds(82_801), .seconds(86_399),
            .milliseconds(86_399_900), day,
        ].map { Upkeep.sweepPause(after: start.advanced(by: $0), at: start.advanced(by: $0)) }
        let overMidnight = Upkeep.sweepPause(
            after: start.advanced(by: .milliseconds(-1)), at: start.advanced(by: .seconds(9)))

        #expect(
            pauses == [
                .seconds(3_600), .seconds(3_600), .seconds(3_599), .seconds(1), .seconds(1),
                .seconds(3_600),
            ])
        #expect(overMidnight == .seconds(1))
    }

    @Test(.timeLimit(.minutes(1))) func `a running service tells at its start and after midnight`()
        async throws
    {
        let owner = try installation.platformOwner()
        _ = try await owner.create("First", expiresAt: "2026-01-02")
        _ = try await owner.create("Second", expiresAt: "2026-01-04")
        installation.clock.advance(by: day * 4 - .milliseconds(10))
        let before = installation.database.feed.head()
        let (upkeep, clock) = (installation.upkeep(), installation.clock.clock)

        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await upkeep.run(clock: clock, logger: Logger(label: "test"))
            }
            let first = try await installation.database.feed.waitForEvents(after: before)
            #expect(try await installation.lapses().count == 1)
            installation.clock.advance(by: .milliseconds(10))
            _ = try await installation.database.feed.waitForEvents(after: first)
            group.cancelAll()
        }

        #expect(try await installation.lapses().map(\.lastDay) == [20_455, 20_457])
    }

    @Test func `what is left to tell of is found by the day`() async throws {
        let day = CalendarDay(daysSince1970: 20_455)

        let plans = try await installation.database.read { snapshot in
            try [
                Statements.trialsOver(before: day, limit: 10),
                Statements.expired(before: day, limit: 10),
            ].map { statement in
                try snapshot.rows("EXPLAIN QUERY PLAN \(statement)") { try $0.text(3) }
            }
        }

        #expect(
            plans == [
                [
                    """
                    SEARCH organization USING INDEX organization_trial_untold (trial_until<?)
                    """
                ],
                [
                    """
                    SEARCH organization USING INDEX organization_expiry_untold (expires_on<?)
                    """
                ],
            ])
    }

    @Test func `a verification finds what does not agree with what was told`() async throws {
        let owner = try installation.platformOwner()
        for title in ["A", "B", "C"] {
            _ = try await owner.create(title, expiresAt: "2026-01-02")
        }
        installation.clock.advance(by: day * 3)
        try await installation.sweep()
        #expect(try await installation.findings().isEmpty)

        try await installation.database.write { transaction in
            try transaction.execute(
                "UPDATE organization SET expires_on = 20460 WHERE title = 'A'")
            try transaction.execute(
                "UPDATE organization SET trial_told = 20450 WHERE title = 'B'")
            try transaction.execute(
                """
                UPDATE lapse SET version = 2
                WHERE number = (SELECT number FROM organization WHERE title = 'C')
                """)
        }

        let found = try await installation.findings()
        #expect(found.filter { $0.hasPrefix("told lapses") }.count == 2)
        #expect(found.filter { $0.hasPrefix("feed of") }.count == 1)
        #expect(found.count == 3, "\(found)")
    }
}

/// Sweeps of databases that were there before.
struct LapseStoreTests {
    private let folder = FileManager.default.temporaryDirectory
        .appending(path: "lapses-\(UUID().uuidString)")
    private let now = WallTime(microseconds: 1_767_225_600_000_000)

    private func database(_ migrations: [Migration]) throws -> Database {
        try Database(
            DatabaseConfiguration(path: folder.appending(path: "db").path),
            migrations: migrations)
    }

    private func removeFolder() {
        // What is left behind lies in the temporary folder, which the system empties.
        try? FileManager.default.removeItem(at: folder)
    }

    /// Organizations that expired on the day before.
    private func fill(_ database: Database, _ count: Int64) async throws {
        var (details, _) = try Details.new(
            DetailsInput(title: "School", category: 1, country: "US"), today: now.day)
        details.expiresOn = now.day.advanced(by: -1)
        let (expired, now) = (details, now)
        try await database.write { transaction in
            for number in 1...count {
                var details = expired
                details.title = Title(stored: "School \(number)", key: "school \(number)")
                try transaction.insert(
                    Node(
                        id: OrganizationID(high: 1, low: UInt64(number)), number: number,
                        below: nil, details, standing: .present, origin: .manual, at: now),
                    below: nil, by: "test")
            }
        }
    }

    @Test func `what lapsed before the program knew of it is told once, over any restart`()
        async throws
    {
        let file = OldDatabase()
        let old = try file.open(before: "lapses")
        let yesterday = now.day.advanced(by: -1)
        try await old.write { [now] transaction in
            for number in 1...3 as ClosedRange<Int64> {
                try transaction.addSchool(
                    "School \(number)", number: number,
                    id: OrganizationID(high: 1, low: UInt64(number)), at: now,
                    expiresOn: yesterday)
            }
        }
        old.close()

        var told: [Int] = []
        for _ in 0..<3 {
            let database = try file.open()
            try await Upkeep(database: database, limits: Limits()).tellLapses(at: now)
            let events = try await database.feed.events(after: 0, limit: 100)
            told.append(events.count { $0.kind == OrganizationLapse.messageName })
            database.close()
        }

        #expect(told == [3, 3, 3])
    }

    @Test func `many are told in parts`() async throws {
        defer { removeFolder() }
        let database = try database(migrations)
        defer { database.close() }
        try await fill(database, 1_200)
        let now = now

        var parts: [Int] = []
        repeat {
            parts.append(
                try await database.write { transaction in
                    try transaction.tellLapses(
                        on: now.day, atMost: Upkeep.lapsesAtOnce, at: now)
                })
        } while parts.last != 0

        #expect(parts == [500, 500, 200, 0])
    }
}

extension Installation {
    /// Looks for what has lapsed, as the service does from time to time.
    func sweep() async throws {
        try await upkeep().tellLapses(at: clock.now)
    }

    /// What the feed has told of the passing of days.
    func lapses() async throws -> [OrganizationLapse] {
        try await events(OrganizationLapse.self)
    }
}
