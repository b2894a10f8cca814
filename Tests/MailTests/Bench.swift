import Foundation
import Logging
import Storage
import Subprocess
import Synchronization
import SystemPackage
import Testing

@testable import Mail

/// A folder of a test, which goes with it.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "mail-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // What is left behind lies in the temporary folder, which the system empties.
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }
}

/// Scripts in the Python that deploy/test prepares.
enum Python {
    static var executable: FilePath {
        get throws {
            FilePath(
                try #require(
                    ProcessInfo.processInfo.environment["GUILDHALL_TEST_PYTHON"],
                    "deploy/test prepares the Python that this test needs"))
        }
    }

    static func script(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Python/\(name)").path
    }

    /// What Python's own reader of mails makes of the files in a folder.
    static func mails(in folder: String) async throws -> [ParsedMail] {
        let result = try await Subprocess.run(
            .path(try executable), arguments: [script("parse.py"), folder],
            output: .string(limit: 1 << 24), error: .string(limit: 1 << 20))
        try #require(result.terminationStatus.isSuccess, "\(result.standardError)")
        return try result.standardOutput.split(separator: "\n").map { line in
            try JSONDecoder().decode(ParsedMail.self, from: Data(line.utf8))
        }
    }
}

/// A mail as Python's `email` reads it.
struct ParsedMail: Decodable, Hashable {
    let file: String
    let headers: [String]
    let defects: [String]
    let name: String
    let from: String
    let to: [String]
    let replyTo: String
    let subject: String
    let date: Int64
    let id: String
    let text: String
}

/// A real SMTP server in a process of its own.
struct RealServer: Sendable {
    /// What was told to it.
    struct Event: Decodable, Hashable {
        let event: String
        var address: String?
        var receivers: [String]?
        var encrypted: Bool?
        var user: String?
        var bytes: String?

        /// The header Message-ID of a content.
        var messageID: String? {
            bytes?.split(separator: "\r\n").first { $0.hasPrefix("Message-ID: ") }.map(String.init)
        }
    }

    /// What it answers to the next event of a kind.
    struct Answer: Encodable {
        let at: String
        var say: String?
        var sleep = 0.0
    }

    let folder: Folder
    let port: Int

    /// Runs a server around a closure.
    static func run<Value: Sendable>(
        _ mode: String = "plain", in folder: Folder? = nil, port: Int = 0,
        _ body: @Sendable @escaping (RealServer) async throws -> Value
    ) async throws -> Value {
        let folder = try folder ?? Folder()
        let result = try await Subprocess.run(
            .path(try Python.executable),
            arguments: [Python.script("serve.py"), folder.path, mode, "\(port)"],
            input: .none, output: .sequence, error: .combinedWithOutput
        ) { execution in
            defer { try? execution.send(signal: .kill) }
            for try await line in execution.standardOutput.strings() {
                let words = line.split { $0 == " " || $0.isNewline }
                guard words.count == 2, words[0] == "listening", let port = Int(words[1]) else {
                    continue
                }
                return try await body(RealServer(folder: folder, port: port))
            }
            throw Silence()
        }
        return result.closureResult
    }

    struct Silence: Error {}

    /// What was told to it so far.
    func events(_ kind: String) throws -> [Event] {
        // Before the first event there is no file.
        guard let text = try? String(contentsOfFile: folder.file("events.jsonl"), encoding: .utf8)
        else { return [] }
        return try text.split(separator: "\n").map { line in
            try JSONDecoder().decode(Event.self, from: Data(line.utf8))
        }.filter { $0.event == kind }
    }

    func answer(_ answers: Answer...) throws {
        try JSONEncoder().encode(answers).write(to: URL(filePath: folder.file("answers.json")))
    }

    /// The way to it.
    func transport(
        _ scheme: String = "smtp", signIn: String = "", query: String = "",
        timeMax: Duration = .seconds(20)
    ) throws -> MailTransport {
        MailTransport(
            to: try MailDestination(parsing: "\(scheme)://\(signIn)127.0.0.1:\(port)\(query)"),
            connectTimeMax: min(timeMax, .seconds(5)), timeMax: timeMax)
    }
}

extension MailMessage {
    /// A mail of which a test changes what matters.
    static func sample(
        to receiver: String = "ada@example.org", subject: String = "Hello",
        text: String = "One line.", replyTo: String? = nil, from: String = "noreply@example.com",
        date: WallTime = WallTime(microseconds: 1_767_225_600_000_000)
    ) throws -> MailMessage {
        MailMessage(
            id: MailID(), from: try #require(Mailbox(from)),
            to: try #require(MailAddress(receiver)),
            letter: try Letter(
                subject: subject, text: text,
                replyTo: try replyTo.map { address in
                    try #require(MailAddress(address))
                }),
            date: date)
    }
}

/// How handing a mail over ended; nil when it was taken.
func fault(of transport: MailTransport, _ message: MailMessage) async -> MailFault? {
    do {
        try await transport.deliver(message)
        return nil
    } catch {
        return error
    }
}
