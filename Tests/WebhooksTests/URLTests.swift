import Testing

@testable import Webhooks

/// Where calls may go, judged before any is sent.
struct URLTests {
    private func fault(
        of text: String, allowsPlaintext: Bool = false, rules: AddressRules = AddressRules()
    ) -> WebhookURL.Fault? {
        do {
            _ = try WebhookURL(parsing: text, allowsPlaintext: allowsPlaintext, rules: rules)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "https://example.com", "https://example.com/", "https://example.com:8443/a/b?c=d&e=%20",
        "https://xn--bcher-kva.example/hook", "https://8.8.8.8/x", "https://[2606:4700::1111]/x",
        "HTTPS://EXAMPLE.COM/x", "https://example.com./x", "https://local.example.com/",
        "https://localhost.example.com/", "https://internal.example/", "https://arpa.example/",
    ])
    func `an address of the public Internet by https is taken as it is`(text: String) throws {
        let url = try WebhookURL(parsing: text, allowsPlaintext: false, rules: AddressRules())

        #expect(url.text == text)
    }

    @Test(
        arguments: [
            ("http://example.com/", .scheme), ("ftp://example.com/", .scheme),
            ("file:///etc/passwd", .malformed), ("gopher://example.com/", .scheme),
            ("https://ada@example.com/", .user), ("https://ada:secret@example.com/", .user),
            ("https://example.com/#part", .fragment), ("https://example.com/#", .fragment),
            ("", .malformed), ("example.com", .malformed), ("https://", .malformed),
            ("https:///path", .malformed), ("https:/path", .malformed),
            ("https://exa mple.com/", .malformed),
            ("https://example.com/\r\nX: y", .malformed), ("https://bücher.example/", .malformed),
            ("https://example.com\\@127.0.0.1/", .malformed),
            ("https://example.com:99999/", .malformed), ("https://127.0.0.1/", .address),
            ("https://[::1]/", .address), ("https://[::ffff:10.0.0.1]/", .address),
            // Other spellings of 127.0.0.1 and 169.254.169.254.
            ("https://2130706433/", .address), ("https://0x7f.1/", .address),
            ("https://017700000001/", .address), ("https://0251.0376.0251.0376/", .address),
            // Names of this machine, and of networks of one's own.
            ("https://localhost/", .address), ("https://LocalHost./x", .address),
            ("https://localhost:8080/", .address), ("https://%6cocalhost/", .address),
            ("https://a.b.localhost/", .address), ("https://printer.local/", .address),
            ("https://metadata.google.internal/", .address), ("https://internal/", .address),
            ("https://router.home.arpa/", .address), ("https://intranet/", .address),
            ("https://127.0.0.1./", .address),
        ] as [(String, WebhookURL.Fault)])
    func `what may not be called is refused with its reason`(
        text: String, expected: WebhookURL.Fault
    ) {
        #expect(fault(of: text) == expected)
    }

    @Test func `a long address is taken up to its limit`() {
        let start = "https://example.com/"
        let rest = String(repeating: "a", count: WebhookURL.charactersMax - start.count)

        #expect(fault(of: start + rest) == nil)
        #expect(fault(of: start + rest + "a") == .tooLong)
    }

    @Test func `an operator allows http, and networks of their own`() throws {
        let rules = AddressRules(allowing: [try #require(Network("127.0.0.0/8"))])

        #expect(fault(of: "http://127.0.0.1:80/", allowsPlaintext: true, rules: rules) == nil)
        #expect(fault(of: "http://127.0.0.1:80/", rules: rules) == .scheme)
        #expect(fault(of: "ftp://127.0.0.1/", allowsPlaintext: true, rules: rules) == .scheme)
    }

    @Test(
        arguments: [
            ("10.0.0.0/8", "https://crm.internal/", nil), ("10.0.0.0/8", "https://crm/", nil),
            ("10.0.0.0/8", "https://localhost/", .address),
            ("10.0.0.0/8", "https://127.0.0.1/", .address),
            ("127.0.0.0/8", "https://localhost/", nil), ("::1", "https://a.localhost/", nil),
        ] as [(String, String, WebhookURL.Fault?)])
    func `names of allowed networks are taken, this machine's where it is allowed itself`(
        network: String, url: String, expected: WebhookURL.Fault?
    ) throws {
        let rules = AddressRules(allowing: [try #require(Network(network))])

        #expect(fault(of: url, rules: rules) == expected)
    }
}
