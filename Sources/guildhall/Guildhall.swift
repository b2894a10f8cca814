import ArgumentParser

/// The command line.
@main
struct Guildhall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guildhall",
        abstract: "Runs, calls, measures, backs up and verifies an installation of Guildhall.",
        subcommands: [
            StartCommand.self, DescribeCommand.self, CallCommand.self, BenchCommand.self,
            BackupCommand.self, RestoreCommand.self, VerifyCommand.self,
        ]
    )
}
