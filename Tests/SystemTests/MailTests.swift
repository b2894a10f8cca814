import Foundation
import Subprocess
import SystemPackage
import Testing

/// Mails of a whole installation: in a folder, and at a real SMTP server.
@Suite(.serialized) struct MailTests {
    @Test func `without a setting mails are files in the data, for whom they are`() async throws {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let today = Date.now.timeIntervalSince1970 / 86_400
            let day = Date(timeIntervalSince1970: (today.rounded(.down) + 10) * 86_400)
                .formatted(.iso8601.year().month().day())
            let created = try await api.post(
                "/v1/organizations",
                [
                    "title": "School", "country": "US",
                    "category": "ORGANIZATION_CATEGORY_ACADEMIC_K12",
                    "trial": ["enabled": .flag(true), "validUntil": .text(day)],
                ])
            let school = try #require(created.body.id.string, "\(created.body)")
            let added = try await api.post(
                "/v1/organizations/\(school)/members",
                ["email": "ada@example.org", "name": "Ada", "roles": ["ROLE_OWNER"]])
            try #require(added.status < 300, "\(added.body)")
            // The days are looked at when it starts.
            try await installation.killAndAwaitRestart("organizations")
            try await installation.until("a message is taken") {
                let sent = try? await api.post(
                    "/v1/contact",
                    [
                        "kind": "CONTACT_KIND_BOOKING", "email": "bob@example.org",
                        "subject": "Räume", "text": "Ist noch einer frei?",
                    ])
                return sent.map { $0.status < 300 } ?? false
            }

            let folder = installation.data.appending(path: "mail").path
            try await installation.until("two mails") { try Self.mails(in: folder).count == 2 }

            let mails = try Self.mails(in: folder)
            let notice = try #require(mails.first { $0.contains("To: ada@example.org\r\n") })
            #expect(notice.contains("Subject: School: the trial ends on \(day)\r\n"))
            #expect(notice.contains("From: Guildhall\r\n <no-reply@localhost>\r\n"))
            let message = try #require(mails.first { $0 != notice })
            #expect(message.contains("To: owner@guildhall.example\r\nReply-To: bob@example.org"))
        }
    }

    @Test func `a mail that was sent when the program died is sent again as the same, once`()
        async throws
    {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "mail-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // What is left behind lies in the temporary folder, which the system empties.
        defer { try? FileManager.default.removeItem(at: folder) }
        // The server has the mail, and says so late.
        try Data(#"[{"at": "content", "sleep": 4}]"#.utf8)
            .write(to: folder.appending(path: "answers.json"))

        try await Self.withServer(in: folder) { port in
            try await RunningInstallation.run(
                variables: ["GUILDHALL_MAIL": "smtp://127.0.0.1:\(port)"]
            ) { installation in
                let api = try await API(installation)
                // Who sees the processes does not see a password; parts that write no mails do
                // not have it.
                for part in ["organizations", "membership", "gateway"] {
                    let id = try installation.processIdentifier(of: part)
                    let line = try String(contentsOfFile: "/proc/\(id)/cmdline", encoding: .utf8)
                    let values = try String(contentsOfFile: "/proc/\(id)/environ", encoding: .utf8)
                    #expect(!line.contains("smtp://"))
                    #expect(values.contains("smtp://") == (part != "gateway"))
                }
                let sent = try await api.post(
                    "/v1/contact",
                    [
                        "kind": "CONTACT_KIND_BOOKING", "email": "bob@example.org",
                        "subject": "Rooms", "text": "Is there one left?",
                    ])
                try #require(sent.status < 300, "\(sent.body)")
                try await installation.until("it is there") { Self.contents(in: folder).count == 1 }

                try await installation.killAndAwaitRestart("organizations")

                try await installation.until("it is there again") {
                    Self.contents(in: folder).count == 2
                }
                try await Task.sleep(for: .seconds(3))
                let contents = Self.contents(in: folder)
                #expect(contents.count == 2 && contents[0] == contents[1])
                #expect(contents[0].contains("Message-ID: <"))
            }
        }
    }

    @Test(arguments: ["nonsense://ada:secret@x", "smtp://ada:secret@x:0", "file:"])
    func `a setting that makes no sense is refused at the start, in one line`(
        mail: String
    ) async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "mail-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }

        let result = try await Subprocess.run(
            .path(FilePath(RunningInstallation.executable("organizations").path)),
            arguments: ["--port", "0", "--data", folder.path],
            environment: .inherit.updating(["GUILDHALL_MAIL": mail]),
            output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))

        #expect(!result.terminationStatus.isSuccess)
        let lines = result.standardError.split(separator: "\n")
        #expect(lines.count == 1 && lines[0].hasPrefix("organizations: --mail "), "\(lines)")
        #expect(!result.standardError.contains("secret") && result.standardOutput.isEmpty)
    }

    /// The mails in a folder, those that are being written left out.
    private static func mails(in folder: String) throws -> [String] {
        // Before the first mail there is no folder.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return try names.filter { $0.hasSuffix(".eml") }.map { name in
            try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
        }
    }

    /// What an SMTP server has taken, line by line of its notes.
    private static func contents(in folder: URL) -> [String] {
        // Before the first event there is no file.
        let notes = try? String(
            contentsOf: folder.appending(path: "events.jsonl"), encoding: .utf8)
        return (notes ?? "").split(separator: "\n").map(String.init)
            .filter { $0.contains("\"event\": \"content\"") }
    }

    /// Runs the SMTP server of the tests of mails.
    private static func withServer(
        in folder: URL, _ body: @Sendable @escaping (Int) async throws -> Void
    ) async throws {
        let python = try #require(
            ProcessInfo.processInfo.environment["GUILDHALL_TEST_PYTHON"],
            "deploy/test prepares the Python that this test needs")
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "MailTests/Python/serve.py")
        _ = try await Subprocess.run(
            .path(FilePath(python)), arguments: [script.path, folder.path, "plain"],
            input: .none, output: .sequence, error: .combinedWithOutput
        ) { execution in
            defer { try? execution.send(signal: .kill) }
            for try await line in execution.standardOutput.strings() {
                let words = line.split { $0 == " " || $0.isNewline }
                guard words.count == 2, words[0] == "listening", let port = Int(words[1]) else {
                    continue
                }
                return try await body(port)
            }
        }
    }
}
