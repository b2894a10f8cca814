import Testing

@testable import Membership

private let second: Int64 = 1_000_000

@Suite struct `failed attempts to sign in` {
    @Test func `the first five are free, then the wait doubles up to a quarter of an hour`() {
        var failures = SignInFailures()
        var waits: [Int64] = []

        for attempt in 0..<18 {
            failures.begin("ada", at: 0)
            waits.append(failures.wait("ada", at: 0) / second)
            if attempt == 3 { #expect(waits.allSatisfy { $0 == 0 }) }
        }

        #expect(waits[4...].prefix(4) == [1, 2, 4, 8])
        #expect(waits.last == 900)
    }

    @Test func `a wait ends by itself and success forgets`() {
        var failures = SignInFailures()
        for _ in 0..<6 { failures.begin("ada", at: 0) }

        #expect(failures.wait("ada", at: second) == second)
        #expect(failures.wait("ada", at: 2 * second) == 0)
        #expect(failures.wait("grace", at: 0) == 0)
        failures.succeed("ada")
        #expect(failures.wait("ada", at: 0) == 0)
    }

    @Test func `a table full of accounts forgets the one that failed longest ago`() {
        var failures = SignInFailures()
        for _ in 0..<5 { failures.begin("first", at: 0) }
        for number in 1..<SignInFailures.accountsMax {
            failures.begin("\(number)", at: Int64(number))
        }
        #expect(failures.wait("first", at: 0) > 0)

        failures.begin("one more", at: Int64(SignInFailures.accountsMax))

        #expect(failures.wait("first", at: 0) == 0)
    }
}

@Suite struct `what text is accepted` {
    @Test(arguments: [
        ("Ada@Example.COM", "ada@example.com"), ("  ada@example.com ", "ada@example.com"),
        ("a.b+c@sub.example.org", "a.b+c@sub.example.org"), ("é@example.com", "é@example.com"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada@почта.рф", "ada@xn--80a1acny.xn--p1ai"),
        ("ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah"),
    ])
    func `an email address is kept in lower case`(text: String, kept: String) {
        #expect(TextRules.email(text) == kept)
    }

    @Test(arguments: [
        "", "@", "ada", "ada@", "@example.com", "ada@example", "a b@example.com",
        "ada@@example.com", "ada@exa mple.com", "ada@-example.com", "ada@example-.com",
        "ada@example..com", "ada@bücher", "ada@bü cher.example", "ada@bü/cher.example",
        "ada@bü:1.example", "ada@" + String(repeating: "ü", count: 600) + ".example",
        ".ada@example.com", "ada.@example.com", "a..b@example.com",
        "ada\u{7}@example.com", "ada\u{202E}@example.com", "\"ada\"@example.com",
        String(repeating: "a", count: 65) + "@example.com",
        "a@" + String(repeating: "a.", count: 140) + "com",
    ])
    func `what is no email address is refused`(text: String) {
        #expect(TextRules.email(text) == nil)
    }

    @Test func `an address at an international domain is covered by masks as they are kept`()
        throws
    {
        let kept = try #require(TextRules.email("ada@post.bücher.example"))

        #expect(
            DomainPatterns.covering(email: kept) == [
                "post.xn--bcher-kva.example", "*.post.xn--bcher-kva.example",
                "*.xn--bcher-kva.example",
            ])
    }

    @Test func `a name has one to 120 printable characters`() throws {
        #expect(try Parse.name(" Ada Lovelace ") == "Ada Lovelace")
        #expect(try Parse.name(String(repeating: "\u{E9}", count: 120)).count == 120)
        for bad in ["  ", "a\nb", "a\u{202E}b", String(repeating: "a", count: 121)] {
            #expect(throws: (any Error).self) { try Parse.name(bad) }
        }
    }

    @Test func `a password has at least eight characters and at most 256 bytes`() {
        #expect(!TextRules.isAcceptable(password: "1234567"))
        #expect(TextRules.isAcceptable(password: "12345678"))
        #expect(!TextRules.isAcceptable(password: String(repeating: "a", count: 257)))
    }
}
