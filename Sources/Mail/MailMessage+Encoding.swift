internal import Access
internal import Encodings
internal import Storage

// The form in which mails travel: RFC 5322 with MIME (RFC 2045, RFC 2047), in ASCII alone, so that
// every server takes it.

extension MailMessage {
    /// The bytes to send; each line ends in CR LF and has at most 76 characters, an address aside.
    public func encoded() -> [UInt8] {
        var headers = [
            "Date: \(MailDate.text(of: date))",
            "From: \(HeaderText.mailbox(from))",
            "To: \(HeaderText.address(to))",
        ]
        if let replyTo = letter.replyTo {
            headers.append("Reply-To: \(HeaderText.address(replyTo))")
        }
        headers += [
            "Subject: \(HeaderText.unstructured(letter.subject, after: "Subject: ".count))",
            "Message-ID: <\(id)@\(from.address.domain)>",
            // Programs that answer by themselves do not answer this (RFC 3834).
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
        ]
        let head = headers.joined(separator: "\r\n") + "\r\n\r\n"
        return Array(head.utf8) + QuotedPrintable.encode(letter.text)
    }
}

/// What stands in headers.
enum HeaderText {
    /// The most characters of an encoded word (RFC 2047).
    private static let wordCharactersMax = 75
    private static let prefix = "=?UTF-8?B?"
    private static let suffix = "?="
    /// A longer text is encoded, so that its lines can be folded anywhere.
    private static let plainCharactersMax = 60
    private static let lineCharactersMax = 76

    /// A text for people, encoded unless it is short and plain.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - column: How many characters stand before it on its line.
    /// - Returns: What stands in the header.
    static func unstructured(_ text: String, after column: Int) -> String {
        let isPlain =
            text.utf8.count <= plainCharactersMax
            && text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !text.contains("=?")
            && text.utf8.first != space && text.utf8.last != space
        return isPlain || text.isEmpty ? text : words(of: text, after: column)
    }

    static func mailbox(_ mailbox: Mailbox) -> String {
        guard !mailbox.name.isEmpty else { return address(mailbox.address) }
        // Letters, digits and spaces need no quotation.
        let isPlain = mailbox.name.utf8.allSatisfy { byte in
            switch byte {
            case space, UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
                true
            default: false
            }
        }
        let name =
            isPlain && mailbox.name.utf8.count <= plainCharactersMax
            ? mailbox.name : words(of: mailbox.name, after: "From: ".count)
        return "\(name)\r\n <\(mailbox.address.text)>"
    }

    static func address(_ address: MailAddress) -> String { address.text }

    private static let space = UInt8(ascii: " ")

    /// Encoded words of whole characters, each on a line of its own.
    private static func words(of text: String, after column: Int) -> String {
        var words: [String] = []
        var part: [UInt8] = []
        var room = bytesMax(after: column)
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if part.count + bytes.count > room {
                words.append(word(of: part))
                part = []
                room = bytesMax(after: 1)
            }
            part += bytes
        }
        words.append(word(of: part))
        return words.joined(separator: "\r\n ")
    }

    private static func word(of bytes: [UInt8]) -> String { prefix + Base64.encode(bytes) + suffix }

    /// The most bytes of an encoded word that begins at a column.
    private static func bytesMax(after column: Int) -> Int {
        let characters = min(wordCharactersMax, lineCharactersMax - column)
        return (characters - prefix.count - suffix.count) / 4 * 3
    }
}

/// Text as ASCII of which most can be read as it is (RFC 2045).
enum QuotedPrintable {
    /// The most characters of a line, without its end.
    private static let lineCharactersMax = 76
    private static let hexadecimal = Array("0123456789ABCDEF".utf8)

    /// A text; its lines end in CR LF, the last one too.
    static func encode(_ text: String) -> [UInt8] {
        var encoded: [UInt8] = []
        for line in lines(of: text) { append(line, to: &encoded) }
        return encoded
    }

    /// The lines of a text, whichever way they end.
    private static func lines(of text: String) -> [[UInt8]] {
        var lines: [[UInt8]] = [[]]
        var wasReturn = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\n") where wasReturn: break
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): lines.append([])
            default: lines[lines.count - 1].append(byte)
            }
            wasReturn = byte == UInt8(ascii: "\r")
        }
        // The end of the last line is no line more.
        if lines.count > 1, lines[lines.count - 1].isEmpty { lines.removeLast() }
        return lines
    }

    private static func append(_ line: [UInt8], to encoded: inout [UInt8]) {
        var column = 0
        for (position, byte) in line.enumerated() {
            let isLast = position == line.count - 1
            let unit = unit(byte, endsLine: isLast)
            // One place is kept for the mark of a line that goes on.
            if column + unit.count > lineCharactersMax - (isLast ? 0 : 1) {
                encoded += Array("=\r\n".utf8)
                column = 0
            }
            encoded += unit
            column += unit.count
        }
        encoded += Array("\r\n".utf8)
    }

    private static func unit(_ byte: UInt8, endsLine: Bool) -> [UInt8] {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"): if !endsLine { return [byte] }
        case UInt8(ascii: "="): break
        case 0x21...0x7E: return [byte]
        default: break
        }
        return [UInt8(ascii: "="), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
    }
}

/// Dates of headers, in UTC.
enum MailDate {
    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// As `Thu, 01 Jan 2026 00:00:00 +0000`.
    static func text(of time: WallTime) -> String {
        let seconds = Int(max(time.microseconds, 0) / 1_000_000)
        let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let (year, month, day) = CalendarDay(daysSince1970: days).parts
        let clock = [rest / 3_600, rest / 60 % 60, rest % 60].map(padded).joined(separator: ":")
        return "\(weekdays[days % 7]), \(padded(day)) \(months[month - 1]) \(year) \(clock) +0000"
    }

    private static func padded(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
