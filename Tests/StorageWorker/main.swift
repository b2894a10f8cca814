import Glibc
import Storage

// A process that works on a database until it is done, or until it is killed by a test.
let start = ContinuousClock.now
let assignment = try Assignment(words: CommandLine.arguments.dropFirst())
if let death = assignment.death { Reaper.arm(death) }

let disk = assignment.failingSync > 0 ? FailingDisk() : nil
let clock = assignment.clock
let open = {
    var configuration = DatabaseConfiguration(path: assignment.path)
    configuration.freeBytesMin = 0
    configuration.now = { [clock] in clock.now() }
    configuration.ballastBytes = assignment.ballastBytes
    return try Database(
        configuration, migrations: Ledger.migrations(schema: assignment.schema))
}
if !assignment.restorePath.isEmpty {
    for _ in 1...2 {
        let restore = try await DatabaseRestore(
            of: assignment.restorePath, to: assignment.path, component: "worker")
        _ = try await restore.putInPlace()
    }
    Output.line("ready \(start.duration(to: .now) / .milliseconds(1))")
    exit(0)
}
if assignment.scantDescriptorsAtOpening { Descriptors.open(open) }
do {
    let database = try open()
    if assignment.fillBytes > 0 {
        try await Filling(database: database).fill(to: assignment.fillBytes)
    }
    Output.line("ready \(start.duration(to: .now) / .milliseconds(1))")
    if assignment.purges {
        Output.line("purged \(try await database.purge(at: clock.now()).replies)")
    }
    disk?.failSyncs(from: assignment.failingSync)
    Output.line("clock \(clock.now().microseconds / 1_000_000)")
    try await Work(database: database, assignment: assignment).run()
    Output.line("clock \(clock.now().microseconds / 1_000_000)")
    database.close()
    Output.line("closed")
} catch StorageFault.lost(let reason) {
    // As a service ends: nobody knows what is on the disk, the next start finds it out.
    Output.line("lost \(reason)")
    exit(75)
} catch {
    Output.line("failed \(error)")
    exit(1)
}
