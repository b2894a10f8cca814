import RPC
import Testing

@Suite struct `Identities of peers` {
    @Test func `an identity has an installation and a name`() throws {
        let identity = try PeerIdentity(parsing: "spiffe://guildhall.example/svc/organizations")

        #expect(identity.installation == "guildhall.example")
        #expect(identity.name == "organizations")
        #expect(
            try identity == PeerIdentity(installation: "guildhall.example", name: "organizations"))
    }

    @Test(arguments: [
        "", "spiffe://", "spiffe:///svc/a", "spiffe://a/svc/", "spiffe://a/svc", "spiffe://a/b/c",
        "spiffe://a/svc/b/c", "spiffe://a/svc/b/", "spiffe://a//svc/b", "https://a/svc/b",
        "spiffe://A/svc/b", "spiffe://a/svc/B", "spiffe://a/svc/..", "spiffe://a/svc/b\u{0}",
        "spiffe://a/svc/b\u{301}", "spiffe://a@b/svc/c", "spiffe://a/svc/b?c", " spiffe://a/svc/b",
        "spiffe://a/svc/\(String(repeating: "b", count: 256))",
    ])
    func `what is no identity is refused`(uri: String) {
        #expect(throws: PeerIdentityFault.self) { try PeerIdentity(parsing: uri) }
    }
}
