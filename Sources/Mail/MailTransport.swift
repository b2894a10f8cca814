internal import Dispatch
internal import Synchronization

/// Why a mail was not handed over.
public enum MailFault: Error, Sendable, Hashable {
    /// This mail is refused for good: nobody there has the address, or the content is not wanted.
    case refused(String)
    /// This mail is not taken now.
    case postponed(String)
    /// No mail is taken now: the server does not answer, or does not let this program in.
    ///
    /// The reason is logged, and names no receiver.
    case unreachable(String)
    /// The program ends.
    case cancelled

    /// What went wrong, for operators.
    var reason: String {
        switch self {
        case .refused(let reason), .postponed(let reason), .unreachable(let reason): reason
        case .cancelled: "the program ended"
        }
    }

    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

    /// The codes with which a line of a server begins, such as `550 5.1.1`: what follows them may
    /// name a receiver.
    static func codes(of line: String) -> String {
        // The reply has one number, the code that enhances it has three (RFC 3463).
        zip(line.split(separator: " "), [1, 3]).prefix { word, count in
            let numbers = word.utf8.split(
                separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            return numbers.count == count
                && numbers.allSatisfy { number in
                    (1...3).contains(number.count) && number.allSatisfy { digits.contains($0) }
                }
        }.map { word, _ in String(word) }.joined(separator: " ")
    }
}

/// Hands mails over one after the other, on a thread of its own.
///
/// What was handed over once is there for good: a file is on the disk, a server has said that it
/// takes care of the mail.
public final class MailTransport: Sendable {
    /// How long a connection may take to be made, with encryption and sign-in.
    public static let connectTimeMax: Duration = .seconds(10)
    /// How long handing over one mail may take in all.
    public static let timeMax: Duration = .seconds(60)

    private let queue = DispatchQueue(label: "guildhall.mail")
    private let door: Mutex<any MailDoor>
    private let cancellation = MailCancellation()

    /// The way to a destination; nothing is opened before the first mail.
    ///
    /// - Parameters:
    ///   - destination: Where mails go.
    ///   - connectTimeMax: How long a connection may take to be made.
    ///   - timeMax: How long one mail may take.
    public init(
        to destination: MailDestination, connectTimeMax: Duration = connectTimeMax,
        timeMax: Duration = timeMax
    ) {
        switch destination {
        case .server(let server):
            door = Mutex(
                ServerDoor(
                    server, connectTimeMax: connectTimeMax, timeMax: timeMax,
                    cancellation: cancellation))
        case .folder(let path): door = Mutex(FolderDoor(path: path))
        }
    }

    /// Hands a mail over.
    ///
    /// A task that is cancelled is let go of soon: at once before the content is sent, and a moment
    /// later when the server's last word is missing.
    /// - Throws: ``MailFault``.
    public func deliver(_ message: MailMessage) async throws(MailFault) {
        if Task.isCancelled { throw .cancelled }
        let outcome: Result<Void, MailFault> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.async {
                    continuation.resume(
                        returning: self.door.withLock { door in
                            Result { () throws(MailFault) in try door.deliver(message) }
                        })
                }
            }
        } onCancel: {
            cancellation.request()
        }
        try outcome.get()
    }
}

/// What stands behind a transport; blocks.
protocol MailDoor {
    func deliver(_ message: MailMessage) throws(MailFault)
}

/// Whether the program ends.
final class MailCancellation: Sendable {
    /// How long the server's last word is waited for: a mail whose end is not known is sent again.
    private static let lastWordTimeMax: Duration = .seconds(3)

    private let requested = Mutex<ContinuousClock.Instant?>(nil)

    func request() {
        requested.withLock { $0 = $0 ?? .now }
    }

    /// Whether to break off now.
    func isDue(isContentSent: Bool) -> Bool {
        guard let requested = requested.withLock({ $0 }) else { return false }
        return !isContentSent || requested.duration(to: .now) > Self.lastWordTimeMax
    }
}
