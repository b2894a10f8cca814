import Access
import Encodings
import Mail
import ServiceKit
import Storage

// What people wrote, on its way to whoever receives it: queued in the transaction in which it
// arrives, or, while too many mails wait, as soon as there is room.

extension ContactMessage {
    /// What has waited longer for room in the outbox is not mailed any more.
    static let waitingMax: Duration = .seconds(14 * 86_400)
    /// So many are queued in one transaction.
    static let queuedAtOnce = 100

    /// What its mails are written for.
    var cause: String { Self.causePrefix + Hexadecimal.text(id.bytes) }

    static let causePrefix = "contact/"

    /// The bytes of the identifier of the message that a mail was written for.
    static func idBytes(ofCause cause: String) -> [UInt8]? {
        guard cause.hasPrefix(causePrefix) else { return nil }
        return Hexadecimal.bytes(cause.utf8.dropFirst(causePrefix.utf8.count))
    }
}

extension Statements {
    /// Messages without mails, the oldest first.
    static func unqueuedMessages(limit: Int) -> SQL {
        """
        SELECT id, kind, sender, subject, content, organization_id, receivers, created_micros
        FROM contact_message WHERE state = 1 AND queued = 0 AND created_micros > 0
        ORDER BY created_micros LIMIT \(limit)
        """
    }
}

extension Transaction {
    /// Queues the mails of a message, if there is room.
    ///
    /// - Returns: Whether there was.
    @discardableResult
    func queueMails(of message: ContactMessage, at now: WallTime) throws -> Bool {
        let title = try message.organization.flatMap { try node($0) }?.details.title.text
        let words = ContactMailText(draft: message.draft, organization: title)
        // What came in holds no control characters; what is stored might, and is mailed without.
        let letter: Letter
        do {
            letter = try Letter(
                subject: Letter.line(words.subject), text: words.text, replyTo: words.replyTo)
        } catch {
            try setState(3, of: message.id.bytes)
            return true
        }
        guard try queue(letter, to: message.receivers, cause: message.cause, at: now) else {
            return false
        }
        try execute("UPDATE contact_message SET queued = 1 WHERE id = \(message.id)")
        return true
    }

    /// Queues what there was no room for, and what an earlier version has left.
    ///
    /// - Returns: Whether there is more to queue, and room for it.
    func queueMessages(at now: WallTime) throws -> Bool {
        let waiting = try rows(
            Statements.unqueuedMessages(limit: ContactMessage.queuedAtOnce),
            ContactMessage.init(row:))
        for message in waiting {
            if message.createdAt.duration(to: now) > ContactMessage.waitingMax {
                try setState(3, of: message.id.bytes)
            } else if try !queueMails(of: message, at: now) {
                return false
            }
        }
        return waiting.count == ContactMessage.queuedAtOnce
    }

    /// Notes what has become of a message once none of its mails waits.
    func noteEnd(ofMailsFor cause: String) throws {
        guard let id = ContactMessage.idBytes(ofCause: cause) else { return }
        switch try outboxState(of: cause) {
        case .unknown, .waiting: break
        case .sent: try setState(2, of: id)
        case .failed: try setState(3, of: id)
        }
    }

    /// Notes that one of the mails of a message waits again.
    func noteReopening(ofMailsFor cause: String) throws {
        guard let id = ContactMessage.idBytes(ofCause: cause) else { return }
        try setState(1, of: id)
    }

    private func setState(_ state: Int, of message: [UInt8]) throws {
        try execute("UPDATE contact_message SET state = \(state) WHERE id = \(message)")
    }
}

extension ContactMessage {
    fileprivate init(row: Row) throws {
        self.init(
            id: try row.identifier(0),
            draft: ContactDraft(
                storedKind: try QueryKind(stored: row.int(1)), sender: try row.text(2),
                subject: try row.text(3), text: try row.text(4)),
            organization: try row.identifierOrNil(5),
            receivers: try row.text(6).split(separator: "\n").map(String.init),
            createdAt: try row.time(7))
    }
}
