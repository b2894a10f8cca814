import ServiceKit
import Testing

/// Where links may lead.
@Suite struct PublicAddressTests {
    @Test(arguments: [
        ("https://example.org", "https://example.org"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"), ("http://[::1]", "http://[::1]"),
        ("https://example.org/guildhall/", "https://example.org/guildhall"),
    ])
    func `an address has a scheme and a host, and keeps no slash at its end`(
        given: String, kept: String
    ) {
        #expect(PublicAddress(given)?.text == kept)
    }

    @Test(arguments: [
        "", "example.org", "ftp://example.org", "https://", "https:///path", "https://:443",
        "https://example.org:", "https://example.org:65536", "https://example.org:+80",
        "https://example.org?a=b", "https://example.org/#part", "https://user@example.org",
        "https://exa mple.org", "https://bücher.example", "https://[]", "https://[example]",
        "https://::1",
        "https://example.org/" + String(repeating: "a", count: PublicAddress.bytesMax),
    ])
    func `what no link can begin with is no address`(given: String) {
        #expect(PublicAddress(given) == nil)
    }
}
