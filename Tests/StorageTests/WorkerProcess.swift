import Foundation
import Subprocess
import SystemPackage
import Testing

@testable import StorageWorker

/// All tests with processes of their own, one after the other.
@Suite(.serialized) struct ProcessTests {}

/// A worker's life: what it said and how it ended.
struct WorkerLife {
    let lines: [String]
    let status: TerminationStatus
    /// From the start of the process until it had opened the database; nil if it never had.
    let openedAfter: Duration?

    /// Whether a line begins with some words.
    func says(_ words: String) -> Bool { lines.contains { $0.hasPrefix(words) } }
}

/// Runs workers on one database.
final class WorkerProcess: Sendable {
    /// How long a test waits for anything before it fails.
    static let patience: Duration = .seconds(60)

    enum Failure: Error {
        case late(String)
        case ended(String)
    }

    /// Where the database is.
    let files: TemporaryFolder
    private let folder = TemporaryFolder()
    private var output: URL { URL(filePath: "\(folder.path)/output") }

    /// - Parameter files: Where the database is.
    init(in files: TemporaryFolder = TemporaryFolder()) {
        self.files = files
    }

    /// Runs a worker until it ends by itself.
    func run(_ change: (inout Assignment) -> Void) async throws -> WorkerLife {
        try await run(change) { _ in }
    }

    /// Runs a worker, and kills it so long after it has opened the database.
    func runAndKill(
        after span: Duration, _ change: (inout Assignment) -> Void
    ) async throws -> WorkerLife {
        try await run(change) { worker in
            try await Task.sleep(for: span)
            try worker.kill()
        }
    }

    /// Runs a worker, and kills it so long after its start, whether it has opened the database by
    /// then or not.
    func runAndKill(
        afterStart span: Duration, _ change: (inout Assignment) -> Void
    ) async throws -> WorkerLife {
        try await run(
            change,
            atOnce: { kill in
                try await Task.sleep(for: span)
                try kill()
            }
        ) { _ in }
    }

    /// A worker that has opened the database.
    struct Running {
        let kill: () throws -> Void
        let until: (_ words: String) async throws -> Void
    }

    /// Runs a worker, and hands it to a closure once it has opened the database.
    func run(
        _ change: (inout Assignment) -> Void,
        atOnce: ((_ kill: () throws -> Void) async throws -> Void)? = nil,
        meanwhile: (Running) async throws -> Void
    ) async throws -> WorkerLife {
        var assignment = Assignment(path: files.databasePath)
        change(&assignment)
        // A file, so that a worker never waits for a reader.
        let file = try FileDescriptor.open(
            FilePath(output.path), .writeOnly, options: [.create, .truncate, .append],
            permissions: .ownerReadWrite)
        let start = ContinuousClock.now
        var openedAfter: Duration?
        let result = try await Subprocess.run(
            .path(FilePath(Self.executable.path)), arguments: Arguments(assignment.words),
            input: .none,
            output: .fileDescriptor(file, closeAfterSpawningProcess: true), error: .discarded
        ) { execution in
            if let atOnce { return try await atOnce { try execution.send(signal: .kill) } }
            guard try await self.until("ready") else { return }
            openedAfter = start.duration(to: .now)
            try await meanwhile(
                Running(
                    kill: { try execution.send(signal: .kill) },
                    until: { words in
                        guard try await self.until(words) else { throw Failure.ended(words) }
                    }))
        }
        return WorkerLife(
            lines: try lines(), status: result.terminationStatus, openedAfter: openedAfter)
    }

    /// Waits until the worker has said something; false if it has ended without.
    private func until(_ words: String) async throws -> Bool {
        let end = ContinuousClock.now + Self.patience
        while ContinuousClock.now < end {
            let lines = try lines()
            if lines.contains(where: { $0.hasPrefix(words) }) { return true }
            if lines.contains(where: Self.isLast) { return false }
            try await Task.sleep(for: .milliseconds(2))
        }
        throw Failure.late(words)
    }

    /// Whether a worker says nothing more after a line.
    private static func isLast(_ line: String) -> Bool {
        ["closed", "failed ", "lost ", "reached "].contains { line.hasPrefix($0) }
    }

    private func lines() throws -> [String] {
        try String(contentsOf: output, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    /// The worker of the build that these tests belong to.
    private static let executable = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "StorageWorker")
}
