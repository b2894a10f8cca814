public import Logging
public import ServiceKit
public import Storage

/// How the mails of a service go out.
public struct MailSettings: Sendable, Hashable {
    /// `mail`: where they are handed to; by default files in the folder `mail` beside the database.
    public let destination: MailDestination
    /// `mail.from`: who sends them.
    public let from: Mailbox

    /// The settings of a service that writes mails.
    public static let keys = [
        // A secret, for it may hold a password: it is not shown when it is wrong.
        ConfigurationKey(
            "mail", .text, isSecret: true,
            "Where mails go: smtp://[user:password@]host[:port][?ca=FILE], smtps://…, or "
                + "file:FOLDER (default: the folder mail in the data folder); better a variable."),
        ConfigurationKey(
            "mail.from", .text, default: "Guildhall <no-reply@localhost>",
            "Who sends mails: an address, or a name and an address in < >."),
    ]

    /// The settings as they were given.
    ///
    /// - Parameters:
    ///   - configuration: What the service was told.
    ///   - service: Its name.
    /// - Throws: `ServiceConfiguration.Fault` when they are not to be understood.
    public init(
        _ configuration: ServiceConfiguration, of service: String
    ) throws(ServiceConfiguration.Fault) {
        let text = configuration.text("mail") ?? "file:\(configuration.dataFolder)/mail"
        do {
            destination = try MailDestination(parsing: text)
        } catch {
            throw .usage("\(service): --mail \(error)")
        }
        guard let from = configuration.text("mail.from").flatMap(Mailbox.init) else {
            throw .usage("\(service): --mail-from is an address, or a name and an address in < >")
        }
        self.from = from
    }

    /// What sends the mails of an outbox to where these settings say.
    ///
    /// - Parameters:
    ///   - database: Has the tables of ``Outbox/migrations``.
    ///   - clock: Tells the time of day.
    ///   - logger: Told of what fails; not of receivers.
    ///   - ended: Called with the cause of a mail that waits no longer, in the transaction that
    ///     notes it.
    /// - Returns: The sender, of which a program has one.
    public func sender(
        of database: Database, clock: WallClock, logger: Logger,
        ended: @escaping @Sendable (Transaction, String) throws -> Void = { _, _ in }
    ) -> MailSender {
        MailSender(
            database: database, from: from, clock: { clock.now() }, logger: logger,
            deliver: MailTransport(to: destination).deliver, ended: ended)
    }
}
