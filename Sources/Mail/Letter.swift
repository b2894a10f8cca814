internal import Encodings
public import Storage

/// What is written, whoever receives it: plain text.
public struct Letter: Sendable, Hashable {
    /// Why a text is not mailed.
    public enum Fault: Error, Sendable, Hashable {
        /// The subject holds a control character, such as the end of a line.
        case subjectHoldsControls
        /// Subject or text are longer than they may be.
        case tooLong
    }

    /// The most bytes of a subject, in UTF-8.
    public static let subjectBytesMax = 2_000
    /// The most bytes of a text, in UTF-8.
    public static let textBytesMax = 100_000

    /// What it is about, in one line.
    public let subject: String
    /// The text; lines end in LF, CR LF or CR.
    public let text: String
    /// Where answers go; nil: to whoever sends it.
    public let replyTo: MailAddress?

    /// A letter.
    ///
    /// - Throws: ``Fault``.
    public init(subject: String, text: String, replyTo: MailAddress? = nil) throws(Fault) {
        guard subject.utf8.count <= Self.subjectBytesMax, text.utf8.count <= Self.textBytesMax
        else { throw .tooLong }
        guard !Self.hasControls(subject) else { throw .subjectHoldsControls }
        (self.subject, self.text, self.replyTo) = (subject, text, replyTo)
    }

    /// A text on one line: each control character is a space.
    public static func line(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: text.unicodeScalars.map { isControl($0) ? " " : $0 })
        return String(scalars)
    }

    /// Whether a text could be more than one line for anybody.
    static func hasControls(_ text: String) -> Bool {
        text.unicodeScalars.contains(where: isControl)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}

/// A letter to one receiver, with all that its headers say.
public struct MailMessage: Sendable, Hashable {
    /// Tells it from every other mail; the same whenever it is sent again.
    public let id: MailID
    /// Who sends it.
    public let from: Mailbox
    /// Who receives it.
    public let to: MailAddress
    /// What is written.
    public let letter: Letter
    /// When it was written.
    public let date: WallTime

    /// A message.
    public init(id: MailID, from: Mailbox, to: MailAddress, letter: Letter, date: WallTime) {
        (self.id, self.from, self.to, self.letter, self.date) = (id, from, to, letter, date)
    }
}

/// The identifier of a mail, drawn when it is queued.
public struct MailID: Sendable, Hashable, CustomStringConvertible {
    /// How many bytes it has.
    public static let byteCount = 16

    /// The bytes.
    public let bytes: [UInt8]

    /// A new one.
    public init() {
        var generator = SystemRandomNumberGenerator()
        bytes = (0..<Self.byteCount).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    /// One that is stored; nil when it has another length.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// As 32 hexadecimal digits.
    public var description: String { Hexadecimal.text(bytes) }
}
