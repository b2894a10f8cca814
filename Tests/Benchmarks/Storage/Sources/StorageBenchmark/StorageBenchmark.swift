import BenchmarkKit
import Storage
import StorageFixture

/// Measures the storage layer.
///
/// - `make SCHEMA FILE` makes a database without rows
/// - `commands SCHEMA FILE ORGANIZATIONS MEMBERSHIPS CALLERS SECONDS`
/// - `reads SCHEMA FILE ORGANIZATIONS MEMBERSHIPS SECONDS`
/// - `scale SCHEMA FOLDER ROUNDS` measures files of the folder named `10000.db` and so on
@main
enum StorageBenchmark {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let mode = arguments.first, arguments.count >= 3 else { return usage() }
        let values = Array(arguments.dropFirst())
        let schema = try Schema(at: values[0])
        let numbers = values.dropFirst(2).compactMap { Int($0) }
        switch (mode, numbers.count) {
        case ("make", 0):
            try schema.open(values[1]).close()
        case ("commands", 4):
            try await measureCommands(
                schema, values[1], DataSet(organizations: numbers[0], memberships: numbers[1]),
                callers: numbers[2], for: .seconds(numbers[3]))
        case ("reads", 3):
            try measureReads(
                schema, values[1], DataSet(organizations: numbers[0], memberships: numbers[1]),
                for: .seconds(numbers[2]))
        case ("scale", 1):
            try await Scale(schema, folder: values[1]).run(rounds: numbers[0])
        default:
            usage()
        }
    }

    private static func usage() {
        Output.line("StorageBenchmark make | commands | reads | scale; the source says with what")
    }

    private static func measureCommands(
        _ schema: Schema, _ path: String, _ dataSet: DataSet, callers: Int, for duration: Duration
    ) async throws {
        let database = try schema.open(path)
        let latencies = try await ClosedLoop.run(callers: callers, for: duration) { number in
            try await database.admit(dataSet.admission(number))
        }
        Output.line(latencies.json)
        database.close()
    }

    private static func measureReads(
        _ schema: Schema, _ path: String, _ dataSet: DataSet, for duration: Duration
    ) throws {
        let database = try schema.open(path)
        var number = 0
        var count = 0
        var elapsed: Duration = .zero
        // Once to warm up.
        for _ in 0..<2 {
            let start = ContinuousClock.now
            count = 0
            repeat {
                for _ in 0..<1_000 {
                    let id = dataSet.identifier(
                        .organization, DataSet.mix(number) % dataSet.organizations)
                    blackHole(try database.organization(id))
                    number += 1
                }
                count += 1_000
                elapsed = start.duration(to: .now)
            } while elapsed < duration
        }
        Output.line("{\"nanoseconds\": \(elapsed / .nanoseconds(1) / Double(count))}")
        database.close()
    }
}

/// The tables of the services, as their migrations make them.
struct Schema: Sendable {
    private let migration: Migration

    init(at path: String) throws {
        migration = Migration(
            component: "benchmark", number: 1, name: "schema", utf8: try Fixture.bytes(at: path))
    }

    func open(_ path: String) throws -> Database {
        try Database(DatabaseConfiguration(path: path), migrations: [migration])
    }
}
