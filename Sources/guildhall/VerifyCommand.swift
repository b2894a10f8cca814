import ArgumentParser
import Messages
import RPC
import Synchronization

/// `guildhall verify`: proves the counters and ledgers of a running installation.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Recomputes every counter and ledger of a running installation.",
        discussion: """
            Each service reads its whole database as it is at one moment, while it goes on \
            working, and recomputes what is kept beside the facts: counters, ledgers, totals, \
            hashes, depths, feeds. Ends with 1 when anything differs.
            """
    )

    @OptionGroup var services: RunningServices

    func run() async throws {
        let console = Console()
        let differences = Mutex<Int64>(0)
        let putOff = Mutex(0)
        try await services.each { part, channel in
            console.line(part.rawValue)
            try await OperationsClient(channel).verify(VerifyRequest()) { found in
                differences.withLock { $0 += found.differenceCount }
                guard found.putOff.isEmpty else {
                    putOff.withLock { $0 += 1 }
                    return console.line("  \(found.name): not now, \(found.putOff)")
                }
                let verdict =
                    found.differenceCount == 0 ? "right" : "\(found.differenceCount) DIFFER"
                console.line("  \(found.name): \(found.checked) checked, \(verdict)")
                for sentence in found.differences { console.line("    \(sentence)") }
            }
        }
        guard differences.withLock({ $0 }) == 0 else { throw ExitCode.failure }
        guard putOff.withLock({ $0 }) == 0 else {
            console.line("Nothing differs in what could be looked at; try again for the rest.")
            throw ExitCode.failure
        }
        console.line("Everything is as it should be.")
    }
}
