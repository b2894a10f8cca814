import BenchmarkKit
import Storage
import StorageFixture
import Synchronization

/// What operations cost as a database grows.
struct Scale {
    /// Organizations of each size; ten times as many memberships.
    static let sizes = [10_000, 100_000, 1_000_000]
    /// Callers of commands: they share commits.
    private static let callers = 64
    /// Commands of a round: few, so that a round does not change the size.
    private static let commands = 4_000
    /// How long a read is repeated in a round.
    private static let readTime: Duration = .milliseconds(500)

    private let files: [SizedDatabase]

    /// Opens the databases of a folder.
    init(_ schema: Schema, folder: String) throws {
        files = try Self.sizes.map { size in
            SizedDatabase(
                database: try schema.open("\(folder)/\(size).db"),
                dataSet: DataSet(organizations: size, memberships: size * 10))
        }
    }

    /// Measures in rounds: each operation at all sizes, one size after the other.
    func run(rounds: Int) async throws {
        for round in 1...rounds {
            for file in files {
                for change in Change.allCases {
                    let cost = try await measure(change, on: file)
                    report(change.rawValue, file, round, cost)
                }
            }
            for read in Read.allCases {
                for file in files {
                    report(read.rawValue, file, round, try measure(read, on: file))
                }
            }
        }
        for file in files { file.database.close() }
    }

    private func report(_ operation: String, _ file: SizedDatabase, _ round: Int, _ cost: Duration)
    {
        Output.line(
            """
            {"part": "scale", "scene": "one operation", "subject": "\(operation)", \
            "round": \(round), "cost_us_\(file.dataSet.organizations)": \
            \(cost / .microseconds(1))}
            """)
    }

    private func measure(_ change: Change, on file: SizedDatabase) async throws -> Duration {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.callers {
                group.addTask {
                    for _ in 0..<(Self.commands / Self.callers) {
                        try await file.perform(change)
                    }
                }
            }
            try await group.waitForAll()
        }
        return start.duration(to: .now) / (Self.commands / Self.callers * Self.callers)
    }

    private func measure(_ read: Read, on file: SizedDatabase) throws -> Duration {
        let start = ContinuousClock.now
        var count = 0
        var elapsed: Duration = .zero
        repeat {
            try file.perform(read)
            count += 1
            elapsed = start.duration(to: .now)
        } while elapsed < Self.readTime
        return elapsed / count
    }
}

/// What changes a database.
enum Change: String, CaseIterable {
    case member = "add a member"
    case organization = "add an organization"
}

/// What reads from a database.
enum Read: String, CaseIterable {
    case organization = "read an organization"
    case ancestors = "walk to the root, ten levels"
    case children = "list 50 children"
    case members = "list 50 members"
    case subtree = "count 350 organizations below one"
    case people = "people of a subtree"
    case frequent = "search for words that many titles have"
    case unique = "search for digits that one title has"
}

/// A database with its data set.
final class SizedDatabase: Sendable {
    let database: Database
    let dataSet: DataSet
    private let numbers = Atomic(0)

    init(database: Database, dataSet: DataSet) {
        self.database = database
        self.dataSet = dataSet
    }

    fileprivate func perform(_ change: Change) async throws {
        let number = numbers.add(1, ordering: .relaxed).oldValue
        switch change {
        case .member: try await database.admit(dataSet.admission(number))
        case .organization: try await database.found(number, in: dataSet)
        }
    }

    /// Fails unless what is found is what the data set has.
    fileprivate func perform(_ read: Read) throws {
        let number = DataSet.mix(numbers.add(1, ordering: .relaxed).oldValue)
        let organization = number % dataSet.organizations
        let isRight =
            switch read {
            case .organization:
                try database.organization(dataSet.identifier(.organization, organization)) != nil
            case .ancestors:
                try database.levelCount(to: dataSet.leaf(number)) == 10
            case .children:
                try database.children(
                    of: dataSet.storedNumber(dataSet.parent(number, level: 7))
                ).count >= 50
            case .members:
                try database.members(of: dataSet.organizationWithMembers(number)).count == 50
            case .subtree:
                try database.organizationCount(
                    below: dataSet.storedNumber(dataSet.parent(number, level: 7))
                ) >= 350
            case .people:
                try database.memberCount(of: dataSet.identifier(.organization, organization)) != nil
            case .frequent:
                try database.search(dataSet.titleWords(organization)).count == 20
            case .unique:
                try database.search(dataSet.titleDigits(organization)).count >= 1
            }
        guard isRight else { throw ScaleFault.unexpected(read) }
    }
}

/// The database does not hold the data set.
enum ScaleFault: Error {
    case unexpected(Read)
}

extension DataSet {
    /// A place and a kind of school.
    fileprivate func titleWords(_ organization: Int) -> String {
        String(titleKey(organization).dropLast(8))
    }

    /// The number at the end.
    fileprivate func titleDigits(_ organization: Int) -> String {
        String(titleKey(organization).suffix(7))
    }
}
