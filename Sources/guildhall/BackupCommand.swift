import ArgumentParser
import Crypto
import Foundation
import Messages
import RPC

/// `guildhall backup`: the databases of a running installation, each as one file.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copies the databases of a running installation into a folder.",
        discussion: """
            Each service copies its database as it is at one moment, while it goes on working, \
            checks the copy and sends it. The folder then holds NAME.db for each service and \
            SHA256SUMS, which `sha256sum --check` reads. The gateway keeps nothing.

              guildhall backup backups/monday --data data
              guildhall restore backups/monday --data data
            """
    )

    @Argument(help: "The folder to make; it must not hold a backup already.")
    var folder: String
    @OptionGroup var services: RunningServices

    func run() async throws {
        let folder = URL(filePath: folder)
        let console = Console()
        var digests = DigestList()
        try await Failure.told {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            let names = services.databases.parts.map(\.databaseName) + [DigestList.name]
            for name in names {
                let path = folder.appending(path: name).path
                guard !FileManager.default.fileExists(atPath: path) else {
                    throw ValidationError("\(path) is there already.")
                }
            }
        }
        try await services.each { part, channel in
            let file = try BackupFile(folder.appending(path: part.databaseName))
            do {
                try await OperationsClient(channel).backup(BackupRequest()) { reply in
                    try await file.take(reply)
                }
                let summary = try await file.finish()
                digests.add(summary.sha256, of: part.databaseName)
                console.line("\(part.databaseName): \(summary.byteCount) bytes")
            } catch {
                await file.remove()
                throw error
            }
        }
        // Written last: a folder with the list is a whole backup.
        try digests.write(to: folder)
    }
}

/// A copy of a database as it comes in.
private actor BackupFile {
    private let file: URL
    private let partial: URL
    private let handle: FileHandle
    private var hash = SHA256()
    private var byteCount: Int64 = 0
    private var summary: BackupSummary?

    init(_ file: URL) throws {
        self.file = file
        partial = file.appendingPathExtension("partial")
        // Made with its mode: a copy holds everything and is nobody else's to read.
        guard
            FileManager.default.createFile(
                atPath: partial.path, contents: nil, attributes: [.posixPermissions: 0o600])
        else { throw ValidationError("Cannot write \(partial.path).") }
        handle = try FileHandle(forWritingTo: partial)
    }

    func take(_ reply: BackupReply) throws {
        switch reply.content {
        case .data(let bytes):
            hash.update(data: bytes)
            byteCount += Int64(bytes.count)
            try handle.write(contentsOf: bytes)
        case .summary(let summary):
            self.summary = summary
        case nil:
            break
        }
    }

    /// Puts the file in place once it is whole, and on the disk.
    func finish() throws -> BackupSummary {
        guard let summary, summary.byteCount == byteCount,
            summary.sha256 == Array(hash.finalize())
        else { throw Status(.dataLoss, "The copy did not come in whole; try again.") }
        try handle.synchronize()
        try handle.close()
        try FileManager.default.moveItem(at: partial, to: file)
        return summary
    }

    func remove() {
        // What cannot be removed is seen in the folder, under a name that says what it is.
        try? FileManager.default.removeItem(at: partial)
    }
}
