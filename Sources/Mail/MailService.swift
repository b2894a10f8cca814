internal import Encodings
public import Messages
public import RPC
public import ServiceKit
public import Storage

/// What operators see of an outbox and do about it: `MailService(…).registeredMethods` serves it.
///
/// Only those who own the platform may.
public struct MailService: MailsService {
    private let database: Database
    private let pages: PageTokens
    private let reopened: @Sendable (Transaction, String) throws -> Void

    /// The mails of an outbox.
    ///
    /// - Parameters:
    ///   - database: Has the tables of ``Outbox/migrations``.
    ///   - pages: Makes and reads page tokens.
    ///   - reopened: Called with the cause of a mail that waits again after it was given up, in the
    ///     transaction that notes it: what the `ended` of ``MailSender`` has noted, it takes back.
    public init(
        _ database: Database, pages: PageTokens,
        reopened: @escaping @Sendable (Transaction, String) throws -> Void = { _, _ in }
    ) {
        self.database = database
        self.pages = pages
        self.reopened = reopened
    }

    /// Answers mails that wait or have failed, the newest first.
    public func listMails(
        _ request: ListMailsRequest, _ context: CallContext
    ) async throws -> ListMailsReply {
        try context.requirePlatformOwner()
        let state = try request.state.filter
        let page = try pages.page(
            context, size: request.pageSize, token: request.pageToken,
            arguments: ListMailsRequest(state: request.state))
        let place: Int64
        switch page.after {
        case nil: place = .max
        case .some(let keys):
            guard keys.count == 1, case .integer(let number) = keys[0] else {
                throw Status.pageTokenInvalid
            }
            place = number
        }
        return try await database.read { snapshot in
            let found = try snapshot.unsentMails(state, before: place, limit: page.limit)
            let (mails, next) = page.cut(found) { [$0.number] }
            return ListMailsReply(mails: mails.map(Mail.init), nextPageToken: next)
        }
    }

    /// Has a mail sent at once that waits, or was given up.
    public func retryMail(
        _ request: RetryMailRequest, _ context: CallContext
    ) async throws -> Mail {
        try context.requirePlatformOwner()
        guard let id = Hexadecimal.bytes(request.id.utf8).flatMap(MailID.init) else {
            throw Status.invalid("id", "This is not the identifier of a mail.")
        }
        let (now, reopened) = (context.now, reopened)
        return try await database.command(context, request) { transaction in
            // One that was sent is known for a while, without its text, and is not sent again.
            guard let mail = try transaction.unsentMail(id) else {
                throw NoSuchMail()
            }
            try transaction.retry(mail, at: now)
            if mail.isFailed { try reopened(transaction, mail.cause) }
            guard let next = try transaction.unsentMail(id) else { throw NoSuchMail() }
            return Mail(next)
        }
    }
}

/// A mail that never was, or is no longer there to be sent.
private struct NoSuchMail: StatusConvertible {
    var status: Status { .notFound("No such mail waits or has failed.") }
}

extension MailState {
    /// What a list is limited to, as it is stored; nil: both.
    fileprivate var filter: Int? {
        get throws(Status) {
            switch self {
            case .unspecified: nil
            case .waiting: 1
            case .failed: 3
            case .unrecognized: throw .invalid("state", "There is no such state of a mail.")
            }
        }
    }
}

extension Mail {
    fileprivate init(_ mail: UnsentMail) {
        self.init(
            id: mail.id.description, state: mail.isFailed ? .failed : .waiting,
            receivers: [mail.receiver], subject: mail.subject,
            attempts: Int32(clamping: mail.attempts), lastError: mail.reason ?? "",
            createdAt: Timestamp(mail.createdAt),
            nextAttemptAt: mail.isFailed ? nil : Timestamp(mail.dueAt))
    }
}
