import Access
import Foundation
import Mail
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// What people write, on its way to whoever receives it.
struct ContactMailTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    private func write(
        _ subject: String = "Help", from email: String = "ada@example.org",
        text: String = "I cannot sign in.\n.\nAda", at url: String = ""
    ) async throws {
        _ = try await ContactsClient(installation.strangeChannel()).submitContact(
            SubmitContactRequest(
                kind: .supportTeam, email: email, subject: subject, text: text, customURL: url))
    }

    private func states() async throws -> [Int] {
        try await installation.database.read { snapshot in
            try snapshot.rows(
                "SELECT state FROM contact_message ORDER BY created_micros, id LIMIT 100"
            ) { try $0.int(0) }
        }
    }

    @Test func `a message is mailed to each receiver, and answered to its writer`() async throws {
        let platform = try installation.platformOwner()
        let school = try await platform.create("School")
        let owner = try installation.channel([Access.Grant(.platformOwner)])
        _ = try await CustomUrlsClient(owner).createCustomUrl(
            .init(organizationID: school.id, slug: "school"))
        _ = try await ContactsClient(owner).setContactReceivers(
            .init(
                organizationID: school.id,
                receivers: [.init(kind: .supportTeam, addresses: ["a@x.org", "b@x.org"])]))

        try await write(at: "school")
        try await write(at: "school")
        #expect(try await states() == [1])
        let sent = try await installation.sent()

        #expect(sent.map(\.to.text) == ["a@x.org", "b@x.org"])
        #expect(sent.allSatisfy { $0.letter.subject == "Support team: Help" })
        #expect(sent.allSatisfy { $0.letter.replyTo?.text == "ada@example.org" })
        #expect(
            sent[0].letter.text == """
                Somebody wrote by the contact form.

                About: Support team
                From: ada@example.org
                Organization: School
                Subject: Help

                I cannot sign in.
                .
                Ada

                --\u{20}
                An answer to this mail goes to the address above. Nobody has verified that it \
                belongs to whoever wrote.
                """)
        #expect(try await states() == [2])
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `one receiver is enough; when all refuse it has failed`() async throws {
        let platform = PlatformClient(try installation.channel([Access.Grant(.platformOwner)]))
        _ = try await platform.updatePlatformSettings(
            .init(settings: PlatformSettings(contactReceivers: ["a@x.org", "b@x.org"])))
        try await write("first")
        _ = try await installation.sent(["a@x.org": .refused("550")])
        installation.clock.advance(by: .seconds(1))
        try await write("second")

        _ = try await installation.sent(["a@x.org": .refused("550"), "b@x.org": .refused("550")])
        installation.clock.advance(by: .seconds(1))
        try await write("third")
        _ = try await installation.sent(["a@x.org": .postponed("450")])

        #expect(try await states() == [2, 3, 1])
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `a letter beyond ASCII before the at sign is nowhere in the headers`() async throws {
        try await write(from: "müller@example.org")

        let sent = try await installation.sent()

        #expect(sent.map(\.letter.replyTo) == [nil])
        #expect(sent[0].letter.text.contains("From: müller@example.org"))
        #expect(
            sent[0].letter.text.hasSuffix(
                """
                An answer to this mail does not go to the address above; please write to that one. \
                Nobody has verified that it belongs to whoever wrote.
                """))
    }

    @Test func `what holds the end of a line changes no header`() async throws {
        let refused = try await refusal { try await write("Help\r\nBcc: b@x.org") }
        #expect(refused.invalidFields == ["subject"])
        try await write()
        // Calls refuse what is written here.
        try await installation.database.write { transaction in
            try transaction.execute("DELETE FROM mail")
            try transaction.execute(
                """
                UPDATE contact_message SET queued = 0,
                    subject = 'Help' || char(13) || char(10) || 'Bcc: b@x.org',
                    sender = 'ada@example.org' || char(10) || 'Cc: c@x.org',
                    content = 'Text' || char(13) || char(10) || '.' || char(13) || char(10)
                """)
        }
        try await installation.mailDesk().queueMessages()

        let sent = try await installation.sent()

        let headers = String(decoding: try #require(sent.first).encoded(), as: UTF8.self)
            .components(separatedBy: "\r\n\r\n")[0].components(separatedBy: "\r\n")
        #expect(headers.filter { !$0.hasPrefix(" ") }.count == 9)
        #expect(!headers.contains { $0.hasPrefix("Bcc") || $0.hasPrefix("Cc") })
    }

    @Test func `without room in the outbox a message is taken, and waits`() async throws {
        let now = installation.clock.now
        try await installation.database.write { transaction in
            let letter = try Letter(subject: "s", text: "t")
            for number in 0..<Outbox.waitingMax {
                _ = try transaction.queue(letter, to: ["a@x.org"], cause: "\(number)", at: now)
            }
        }

        try await write()
        try await installation.mailDesk().queueMessages()
        #expect(try await states() == [1])
        #expect(try await queued() == 0)

        try await installation.database.write { transaction in
            try transaction.execute("DELETE FROM mail WHERE cause = '17'")
        }
        try await installation.mailDesk().queueMessages()
        #expect(try await queued() == 1)
    }

    @Test func `what an earlier version has left is mailed, unless it is older than two weeks`()
        async throws
    {
        let file = OldDatabase()
        let old = try file.open(before: "mails")
        let now = file.now
        try await old.write { transaction in
            for (id, days, state) in [(1, 15, 1), (2, 13, 1), (3, 1, 2)] as [(UInt8, Int, Int)] {
                try transaction.execute(
                    """
                    INSERT INTO contact_message (id, kind, sender, sender_key, subject, content,
                        receivers, state, created_micros)
                    VALUES (\(Array(repeating: id, count: 16)), 1, 'a@x.org', 'a@x.org', 'S', 'T',
                        'b@x.org', \(state), \(now.advanced(by: .seconds(-86_400 * days))))
                    """)
            }
        }
        old.close()

        let database = try file.open()
        defer { database.close() }
        _ = try await database.write { try $0.queueMessages(at: now) }

        let found = try await database.read { snapshot in
            (
                try snapshot.rows("SELECT state FROM contact_message ORDER BY id LIMIT 9") {
                    try $0.int(0)
                },
                try snapshot.rows("SELECT cause FROM mail LIMIT 9") { try $0.text(0) }
            )
        }
        #expect(found.0 == [3, 1, 2])
        #expect(found.1 == ["contact/" + String(repeating: "02", count: 16)])
    }

    @Test func `a verification finds what does not agree with its mails`() async throws {
        for subject in ["1", "2", "3"] {
            try await write(subject)
            installation.clock.advance(by: .seconds(1))
        }
        #expect(try await installation.findings().isEmpty)
        try await installation.database.write { transaction in
            try transaction.execute("UPDATE contact_message SET state = 2 WHERE subject = '1'")
            try transaction.execute("UPDATE mail SET state = 2 WHERE subject LIKE '%: 2'")
        }

        let found = try await installation.findings()

        #expect(found.filter { $0.hasPrefix("mailed messages") }.count == 2)
        #expect(found.filter { $0.hasPrefix("mails: ") }.count == 1)
        #expect(found.count == 3, "\(found)")
    }

    @Test func `how messages ended is verified until mails are forgotten`() async throws {
        let platform = PlatformClient(try installation.channel([Access.Grant(.platformOwner)]))
        _ = try await platform.updatePlatformSettings(
            .init(settings: PlatformSettings(contactReceivers: ["a@x.org", "b@x.org"])))
        try await write()
        _ = try await installation.sent(["a@x.org": .refused("550")])
        try await setState(3)
        #expect(try await installation.findings().count == 1)
        try await setState(2)
        #expect(try await installation.findings().isEmpty)

        installation.clock.advance(by: .seconds(31 * 86_400))
        try await installation.upkeep().round(at: installation.clock.now)

        #expect(try await installation.mails().map(\.receiver) == ["a@x.org"], "that has failed")
        #expect(try await installation.findings().isEmpty)

        installation.clock.advance(by: .seconds(60 * 86_400))
        try await installation.database.purgeMails(at: installation.clock.now)

        #expect(try await installation.mails().isEmpty)
        #expect(try await installation.findings().isEmpty)
    }

    private func setState(_ state: Int) async throws {
        try await installation.database.write { transaction in
            try transaction.execute("UPDATE contact_message SET state = \(state)")
        }
    }

    private func queued() async throws -> Int {
        try await installation.mails().count { $0.subject.hasPrefix("Support team") }
    }
}
