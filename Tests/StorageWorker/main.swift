import Glibc
import Storage

// A process that works on a database until it is done, or until it is killed by a test.
let start = ContinuousClock.now
let assignment = try Assignment(words: CommandLine.arguments.dropFirst())
if let death = assignment.death { Reaper.arm(death) }

let open = {
    var configuration = DatabaseConfiguration(path: assignment.path)
    configuration.freeBytesMin = 0
    configuration.ballastBytes = assignment.ballastBytes
    return try Database(
        configuration, migrations: Ledger.migrations(schema: assignment.schema))
}
if assignment.scantDescriptorsAtOpening { Descriptors.open(open) }
do {
    let database = try open()
    if assignment.fillBytes > 0 {
        try await Filling(database: database).fill(to: assignment.fillBytes)
    }
    Output.line("ready \(start.duration(to: .now) / .milliseconds(1))")
    try await Work(database: database, assignment: assignment).run()
    database.close()
    Output.line("closed")
} catch {
    Output.line("failed \(error)")
    exit(1)
}
