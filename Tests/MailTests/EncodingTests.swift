import Foundation
import Storage
import TestSupport
import Testing

@testable import Mail

/// Mails as bytes, and what another program reads in them.
struct EncodingTests {
    /// Characters that are hard in one way or another.
    private static let alphabet: [Character] = Array(
        "abc XYZ 019 =?_\"<>(),.;:@\\~äöüßéñ€–“”„中文字日本語한국어🙂👩‍👩‍👧‍👦अआ\u{00A0}\u{0301}=?UTF-8?B?")

    /// Subjects that would be something else if they were written as they are.
    private static let subjects = [
        "=?UTF-8?B?YQ==?=", "a =?UTF-8?Q?b?= c", " a", "a ", "  ", "", "a  b",
        String(repeating: "word ", count: 30), String(repeating: "w", count: 900),
    ]
    private static let marks: [Character] = ["\n", "\r\n", "\t", " ", "."]

    private static func text(
        _ lengths: ClosedRange<Int>, lines: Bool = false, using random: inout SplitMix
    ) -> String {
        String(
            (0..<Int.random(in: lengths, using: &random)).map { _ -> Character in
                if lines, Int.random(in: 0..<20, using: &random) == 0 {
                    return Self.marks[Int.random(in: 0..<marks.count, using: &random)]
                }
                return alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            })
    }

    @Test func `Python reads random mails as they were written`() async throws {
        let folder = try Folder()
        var random = SplitMix(seed: 34)
        var written: [String: MailMessage] = [:]
        for number in 0..<400 as Range<Int64> {
            let name = Self.text(0...40, using: &random).filter { !"<>".contains($0) }
            let subject =
                number < Self.subjects.count
                ? Self.subjects[Int(number)] : Self.text(0...250, using: &random)
            let mail = try MailMessage.sample(
                subject: subject,
                text: Self.text(0...900, lines: true, using: &random),
                replyTo: number.isMultiple(of: 2) ? "answer+\(number)@example.net" : nil,
                from: "\(name) <no-reply@example.com>",
                date: WallTime(microseconds: number * 2_345_678_901_234))
            written[mail.id.description] = mail
            try Data(mail.encoded()).write(to: URL(filePath: folder.file("\(mail.id).eml")))
        }

        let read = try await Python.mails(in: folder.path)

        #expect(read.count == 400)
        for parsed in read {
            let mail = try #require(written[parsed.file])
            #expect(parsed.defects.isEmpty, "\(parsed)")
            #expect(parsed.subject.unicodeScalars.elementsEqual(mail.letter.subject.unicodeScalars))
            #expect(parsed.name.unicodeScalars.elementsEqual(mail.from.name.unicodeScalars))
            #expect(parsed.from == "no-reply@example.com" && parsed.to == ["ada@example.org"])
            #expect(parsed.replyTo == mail.letter.replyTo?.text ?? "")
            #expect(parsed.date == mail.date.microseconds / 1_000_000)
            #expect(parsed.id == "<\(mail.id)@example.com>")
            let lines = mail.letter.text.replacing("\r\n", with: "\n")
            let text = lines.unicodeScalars.last == "\n" ? lines : lines + "\n"
            #expect(
                parsed.text.unicodeScalars.elementsEqual(text.unicodeScalars),
                "\(parsed.text.debugDescription) for \(text.debugDescription)")
        }
    }

    @Test func `every line is short, plain ASCII and ends in CR LF`() throws {
        var random = SplitMix(seed: 35)
        for _ in 0..<200 {
            let bytes = try MailMessage.sample(
                subject: Self.text(0...250, using: &random),
                text: Self.text(0...900, lines: true, using: &random),
                from: "Ä Long Name With Many Words, 文字, and Some More <a@example.com>"
            ).encoded()
            let text = String(decoding: bytes, as: UTF8.self)

            #expect(bytes.allSatisfy { (0x20...0x7E).contains($0) || [9, 10, 13].contains($0) })
            let lines = text.components(separatedBy: "\r\n")
            #expect(lines.allSatisfy { $0.utf8.count <= 76 && !$0.contains(where: \.isNewline) })
            #expect(lines.last == "")
        }
    }

    @Test func `a plain mail looks plain`() throws {
        let mail = try MailMessage.sample(
            subject: "Trial ends = soon", text: "Good day,\n\n50 % = half.  \n",
            replyTo: "bob@example.net", from: "Guildhall <no-reply@example.com>",
            date: WallTime(microseconds: 951_868_799_000_000))

        #expect(
            String(decoding: mail.encoded(), as: UTF8.self).replacing("\r\n", with: "\n") == """
                Date: Tue, 29 Feb 2000 23:59:59 +0000
                From: Guildhall
                 <no-reply@example.com>
                To: ada@example.org
                Reply-To: bob@example.net
                Subject: Trial ends = soon
                Message-ID: <\(mail.id)@example.com>
                Auto-Submitted: auto-generated
                MIME-Version: 1.0
                Content-Type: text/plain; charset=utf-8
                Content-Transfer-Encoding: quoted-printable

                Good day,

                50 % =3D half. =20

                """)
    }

    @Test(arguments: ["\r\nBcc: b@example.org", "\n", "\r", "\0", "\u{7F}", "\u{85}", "\u{2028}"])
    func `what could end a line is refused where it enters`(end: String) throws {
        #expect(throws: Letter.Fault.subjectHoldsControls) {
            try Letter(subject: "Help\(end)", text: "")
        }
        #expect(MailAddress("ada@example.org\(end)") == nil)
        #expect(MailAddress("ada\(end)@example.org") == nil)
        #expect(Mailbox("Guildhall\(end) <a@example.org>") == nil)
        #expect(Mailbox("Guildhall <a@example.org>\(end)") == nil)
        let line = Letter.line("Help\(end)")
        #expect(try Letter(subject: line, text: "").subject == line && line.hasPrefix("Help "))
    }

    @Test(arguments: [
        ("ada@example.org", true), ("a.b+c@x-y.example", true), ("a!#$%&'*+/=?^_`{|}~@b", true),
        ("", false), ("ada", false), ("@b", false), ("a@", false), ("a@b@c", false),
        ("a..b@c", false), (".a@b", false), ("a@b..c", false), ("a b@c", false),
        ("\"a\"@b", false), ("a@b>", false), ("<a@b", false), ("ä@b", false), ("a@ä", false),
        ("a,b@c", false), (String(repeating: "a", count: 65) + "@b", false),
        ("a@" + String(repeating: "b", count: 253), false),
    ])
    func `which addresses can be written to`(text: String, isOne: Bool) {
        #expect((MailAddress(text) != nil) == isOne)
    }
}
