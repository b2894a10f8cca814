import Access
import Mail
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// What operators see of mails that were not sent, and do about them.
struct MailOperatorTests {
    private let installation: Installation
    private let mails: MailsClient

    init() throws {
        installation = try Installation()
        mails = MailsClient(try Self.channel(installation, Access.Grant(.platformOwner)))
    }

    private static func channel(
        _ installation: Installation, _ grant: Access.Grant
    ) throws -> any Channel {
        let service = MailService(
            installation.database, pages: installation.pageTokens,
            reopened: { try $0.noteReopening(ofMailsFor: $1) })
        return try installation.channel(
            installation.router(for: service.registeredMethods), [grant])
    }

    /// Writes messages by the contact form, each mailed to the owner of the platform.
    private func write(_ numbers: Range<Int> = 0..<1) async throws {
        let contacts = ContactsClient(installation.strangeChannel())
        for number in numbers {
            _ = try await contacts.submitContact(
                SubmitContactRequest(
                    kind: .booking, email: "ada\(number)@example.org", subject: "Number \(number)",
                    text: "Is there a room left?"))
            installation.clock.advance(by: .seconds(1))
        }
    }

    private func list(_ state: MailState = .unspecified) async throws -> [Mail] {
        var found: [Mail] = []
        var token = ""
        repeat {
            let page = try await mails.listMails(
                ListMailsRequest(state: state, pageSize: 2, pageToken: token))
            #expect(page.mails.count <= 2)
            found += page.mails
            token = page.nextPageToken
        } while !token.isEmpty
        return found
    }

    @Test func `what waits or was given up is listed, the newest first`() async throws {
        try await write(0..<3)
        _ = try await installation.sent(["owner@guildhall.example": .refused("550 Nobody.")])
        try await write(3..<5)

        let all = try await list()
        #expect(all.map(\.state) == [.waiting, .waiting, .failed, .failed, .failed])
        #expect(
            all.map(\.createdAt?.seconds)
                == all.map(\.createdAt?.seconds).sorted {
                    ($0 ?? 0) > ($1 ?? 0)
                })
        #expect(try await list(.waiting) == Array(all.prefix(2)))
        #expect(try await list(.failed) == Array(all.suffix(3)))
        let failed = try #require(all.last)
        #expect(failed.receivers == ["owner@guildhall.example"])
        #expect(failed.subject.contains("Number 0") && failed.attempts == 1)
        #expect(failed.lastError == "550 Nobody." && failed.nextAttemptAt == nil)
        let waiting = try #require(all.first)
        #expect(waiting.attempts == 0 && waiting.lastError.isEmpty)
        #expect(waiting.nextAttemptAt == waiting.createdAt)
    }

    @Test func `a mail that was given up is sent when an operator wants it`() async throws {
        try await write()
        _ = try await installation.sent(["owner@guildhall.example": .refused("550 Nobody.")])
        let failed = try #require(try await list().first)
        #expect(try await messageState() == 3)

        let asked = try await mails.retryMail(RetryMailRequest(id: failed.id))
        #expect(asked.state == .waiting && asked.id == failed.id && asked.nextAttemptAt != nil)
        #expect(try await messageState() == 1)
        #expect(try await installation.findings().isEmpty)

        let sent = try await installation.sent()
        #expect(sent.map(\.id.description) == [failed.id], "the same mail")
        #expect(try await list().isEmpty)
        #expect(try await messageState() == 2)
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `a mail that was sent, or never was, is not sent again`() async throws {
        try await write()
        let sent = try #require(try await list().first)
        #expect(try await installation.sent().count == 1)

        let again = try await refusal {
            try await mails.retryMail(RetryMailRequest(id: sent.id))
        }
        let unknown = try await refusal {
            try await mails.retryMail(
                RetryMailRequest(id: String(repeating: "0", count: 32)))
        }
        let strange = try await refusal {
            try await mails.retryMail(RetryMailRequest(id: "nonsense"))
        }

        #expect(again.code == .notFound && unknown.code == .notFound)
        #expect(strange.invalidFields == ["id"])
        #expect(try await installation.sent().isEmpty)
    }

    @Test(arguments: [Access.Role.globalAdmin, .owner, .member])
    func `nobody but who owns the platform sees mails`(role: Access.Role) async throws {
        try await write()
        let mail = try #require(try await list().first)
        let others = MailsClient(try Self.channel(installation, Access.Grant(role)))

        let refusals = [
            try await refusal { try await others.listMails(ListMailsRequest()) },
            try await refusal { try await others.retryMail(RetryMailRequest(id: mail.id)) },
        ]

        #expect(refusals.map(\.reason) == ["forbidden", "forbidden"])
    }

    private func messageState() async throws -> Int? {
        try await installation.database.read { snapshot in
            try snapshot.row("SELECT state FROM contact_message LIMIT 1") { try $0.int(0) }
        }
    }
}
