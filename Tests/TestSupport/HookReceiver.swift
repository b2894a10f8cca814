package import Foundation
internal import Subprocess
internal import SystemPackage

/// A real receiver of hooks in a process of its own.
package struct HookReceiver: Sendable {
    /// One call that it was sent.
    package struct Call: Decodable, Sendable, Hashable {
        /// The path that was called.
        package let path: String
        /// The headers, their names in lower case.
        package let headers: [String: String]
        /// What was sent.
        package let body: String
        /// Whether one of the secrets that it knows signed it.
        package let isVerified: Bool
        /// How many calls of the path were under way, this one among them.
        package let atOnce: Int
        /// How many calls were.
        package let atOnceInAll: Int
        /// Tells the connection that it came by.
        package let connection: Int

        /// Tells it from every other call.
        package var id: String { headers["webhook-id"] ?? "" }
    }

    /// What it answers once.
    package struct Answer: Encodable, Sendable {
        /// The path that is answered so; nil: any.
        package var path: String?
        /// The HTTP status.
        package var status = 200
        /// How long it takes, in seconds.
        package var sleep = 0.0
        /// How long the answer is.
        package var bytes = 0
        /// Where it leads to, if anywhere.
        package var location: String?
        /// How long it asks to wait, in seconds or as a date, if it does.
        package var retryAfter: String?
        /// Whether it holds for every call.
        package var stays = false

        /// An answer.
        package init(
            path: String? = nil, status: Int = 200, sleep: Double = 0, bytes: Int = 0,
            location: String? = nil, retryAfter: String? = nil, stays: Bool = false
        ) {
            (self.path, self.status, self.sleep) = (path, status, sleep)
            (self.bytes, self.location, self.stays) = (bytes, location, stays)
            self.retryAfter = retryAfter
        }
    }

    /// Why it did not start.
    package enum Fault: Error {
        /// `deploy/test` prepares the Python that it needs.
        case noPython
        /// It ended.
        case silent
    }

    /// Where it notes what it is told.
    package let folder: URL
    /// Where it listens, on loopback.
    package let port: Int

    /// Runs a receiver around a closure.
    ///
    /// - Parameters:
    ///   - mode: `plain` or `tls`.
    ///   - body: Uses it.
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws, or ``Fault``.
    package static func run<Value: Sendable>(
        _ mode: String = "plain",
        _ body: @Sendable @escaping (HookReceiver) async throws -> Value
    ) async throws -> Value {
        guard let python = ProcessInfo.processInfo.environment["GUILDHALL_TEST_PYTHON"] else {
            throw Fault.noPython
        }
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "hooks-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // What is left behind lies in the temporary folder, which the system empties.
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "WebhooksTests/Python/receive.py")
        let result = try await Subprocess.run(
            .path(FilePath(python)), arguments: [script.path, folder.path, mode],
            input: .none, output: .sequence, error: .combinedWithOutput
        ) { execution in
            defer { try? execution.send(signal: .kill) }
            for try await line in execution.standardOutput.strings() {
                let words = line.split { $0 == " " || $0.isNewline }
                guard words.count == 2, words[0] == "listening", let port = Int(words[1]) else {
                    continue
                }
                return try await body(HookReceiver(folder: folder, port: port))
            }
            throw Fault.silent
        }
        return result.closureResult
    }

    /// The address of a path.
    package func url(_ path: String, scheme: String = "http") -> String {
        "\(scheme)://127.0.0.1:\(port)\(path)"
    }

    /// What it was told so far.
    package var calls: [Call] {
        get throws {
            // Before the first call there is no file.
            guard let text = try? String(contentsOf: file("calls.jsonl"), encoding: .utf8) else {
                return []
            }
            // The last line may be half written.
            return try text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                .map { try JSONDecoder().decode(Call.self, from: Data($0.utf8)) }
        }
    }

    /// Has it know secrets.
    package func know(_ secrets: String...) throws {
        try Data(secrets.joined(separator: "\n").utf8).write(to: file("secrets"))
    }

    /// Has it answer so.
    package func answer(_ answers: Answer...) throws {
        try JSONEncoder().encode(answers).write(to: file("answers.json"), options: .atomic)
    }

    /// A file in its folder.
    package func file(_ name: String) -> URL { folder.appending(path: name) }
}
