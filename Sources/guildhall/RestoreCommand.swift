import ArgumentParser
import Foundation
import Storage

/// `guildhall restore`: databases from a backup, in the place of those of an installation that does
/// not run.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Puts the databases of a backup in place; the installation must not run.",
        discussion: """
            Every file is checked before anything changes: against SHA256SUMS, and by SQLite. The \
            databases that were there are kept beside the new ones, as NAME.db.replaced-1. The \
            others notice a service that was put back: they read its feed from the first event \
            before they say that they are ready, and the sales and foundings of the last seven \
            days send it their steps again. Where organizations were moved to, and which came back \
            from the archive, a service that was put back reads in their feed; who came back \
            blocked with them is to be blocked again.
            """
    )

    /// Trying again may help: as services end whose database is in use.
    private static let inUse = ExitCode(75)

    @Argument(help: "The folder that guildhall backup made.")
    var folder: String
    @OptionGroup var databases: DatabaseOptions

    func run() async throws {
        try await Failure.told {
            do {
                try await restore(from: URL(filePath: folder))
            } catch let fault as OpeningFault {
                StandardError.line("Error: \(fault.description)")
                if case .inUse = fault { throw Self.inUse }
                throw ExitCode.failure
            }
        }
    }

    private func restore(from folder: URL) async throws {
        let digests = try DigestList(of: folder)
        let parts =
            databases.services.isEmpty
            ? databases.parts.filter { digests.digests[$0.databaseName] != nil } : databases.parts
        guard !parts.isEmpty else {
            throw ValidationError("\(folder.path) holds no backup of a service.")
        }
        for part in parts { try digests.check(part.databaseName, in: folder) }
        try FileManager.default.createDirectory(
            at: databases.folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        // All of them are ready before the first is put in place.
        var restores: [(part: Part, restore: DatabaseRestore)] = []
        for part in parts {
            let restore = try await DatabaseRestore(
                of: folder.appending(path: part.databaseName).path,
                to: databases.folder.appending(path: part.databaseName).path,
                component: part.rawValue)
            restores.append((part, restore))
        }
        for (part, restore) in restores {
            let replaced = try await restore.putInPlace()
            let kept = replaced.map { "; the one before is \($0)" } ?? ""
            Console().line("\(part.databaseName): restored\(kept)")
        }
    }
}
