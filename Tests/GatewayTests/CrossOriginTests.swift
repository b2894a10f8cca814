import Encodings
import Messages
import RPC
import Testing

@testable import Gateway

/// Pages of other sites call the API where they are named, and nowhere else.
struct CrossOriginTests {
    private static let portal = "https://portal.example.org"
    private static let asking = ["Access-Control-Request-Method": "PATCH"]

    private static let allowed = portal + ", http://localhost:3000"

    private static let getMe = serve(MembershipMethods.getMe) { (_: GetMeRequest, _) in Me() }

    @Test(arguments: [portal, "http://localhost:3000", "https://PORTAL.example.org"])
    func `a site that is named may ask, call and read`(origin: String) async throws {
        let fields = ["Origin": origin]
        try await Stage.run(
            [authentication, Self.getMe], allowedOrigins: Self.allowed
        ) { stage in
            let asked = try await stage.http.send(
                "OPTIONS", "/v1/organizations/7", fields.merging(Self.asking) { $1 })
            let called = try await stage.http.send("GET", "/v1/me", bearer.merging(fields) { $1 })
            let refused = try await stage.http.send("GET", "/v1/me", fields)

            #expect(asked.status == 204 && asked.body.isEmpty)
            #expect(asked.fields["access-control-allow-methods"] == "DELETE, GET, PATCH")
            #expect(
                asked.fields["access-control-allow-headers"]?.contains("authorization") == true)
            #expect(asked.fields["access-control-max-age"] == "600")
            #expect([called, refused].map(\.status) == [200, 401])
            for answer in [asked, called, refused] {
                #expect(answer.fields["access-control-allow-origin"] == origin)
                #expect(answer.fields["vary"] == "Origin")
                #expect(answer.fields["access-control-allow-credentials"] == nil)
            }
            #expect(called.fields["access-control-expose-headers"]?.contains("ETag") == true)
        }
    }

    @Test(arguments: [
        "https://other.example.org", "https://portal.example.org.evil.test",
        "http://portal.example.org", "https://portal.example.org:8443", "null", "*", nil,
    ])
    func `no other site may`(origin: String?) async throws {
        let fields = origin.map { ["Origin": $0] } ?? [:]
        try await Stage.run(
            [authentication, Self.getMe], allowedOrigins: Self.allowed
        ) { stage in
            let asked = try await stage.http.send(
                "OPTIONS", "/v1/me", fields.merging(Self.asking) { $1 })
            let called = try await stage.http.send("GET", "/v1/me", bearer.merging(fields) { $1 })

            #expect(asked.status == 405)
            #expect(called.status == 200)
            for answer in [asked, called] {
                #expect(!answer.fields.keys.contains { $0.hasPrefix("access-control-") })
                #expect(answer.fields["vary"] == "Origin")
            }
        }
    }

    @Test func `unless a site is named nothing is said, and pages are not for others`()
        async throws
    {
        let fields = ["Origin": Self.portal].merging(Self.asking) { $1 }
        try await Stage.run([]) { stage in
            let asked = try await stage.http.send("OPTIONS", "/v1/me", fields)

            #expect(asked.status == 405)
            #expect(asked.fields["vary"] == nil)
        }
        try await Stage.run([], allowedOrigins: Self.allowed) { stage in
            for path in ["/", "/contact", "/docs", "/healthz"] {
                let page = try await stage.http.send("GET", path, fields)

                #expect(page.status == 200)
                #expect(page.fields["access-control-allow-origin"] == nil, "\(path)")
            }
            let document = try await stage.http.send("GET", "/openapi.json", fields)
            #expect(document.fields["access-control-allow-origin"] == Self.portal)
        }
    }

    @Test(arguments: [
        "*", "https://*.example.org", "portal.example.org", "https://", "https://a.org/",
        "https://a.org/path", "https://a.org https://b.org", "null", "ftp://a.org",
        "https://user@a.org", "https://a.org,*", "https://http://a.org", "https://https://a.org",
        "https://a .org", "https:// a.org", "https://a..org", "https://m\u{fc}ller.example",
        "https://a.org, ,https://b.org", "https://a.org:443", "http://a.org:80", "https://a.org:",
        "https://a.org:x", "https://a.org:+8443", "https://a.org:08443", "https://a.org:65536",
        "https://a.org:1:2", "https://:8443", "https://[::1", "https://[::1]8443",
        "https://[a.org]",
    ])
    func `what is no origin is refused at the start`(text: String) {
        #expect(CrossOrigin(text) == nil)
    }

    @Test(arguments: [
        ("https://a.org , http://a.org", ["https://a.org", "http://a.org"]),
        ("\thttps://A.org\n", ["https://a.org"]),
        ("https://a.org:8443,https://a.org:80", ["https://a.org:8443", "https://a.org:80"]),
        ("http://127.0.0.1:8080,", ["http://127.0.0.1:8080"]),
        ("http://[::1]:3000", ["http://[::1]:3000"]),
        ("https://xn--mller-kva.example", ["https://xn--mller-kva.example"]),
    ])
    func `origins are taken as browsers send them`(text: String, origins: [String]) {
        #expect(CrossOrigin(text)?.origins == Set(origins))
    }

    @Test func `what a path takes is found out for who asks beforehand, and nobody else`() throws {
        let crossOrigin = try #require(CrossOrigin(Self.allowed))
        func lookUps(by verb: String) -> Int {
            var count = 0
            let request = Incoming(
                verb: verb, target: "/v1/me",
                fields: [
                    (name: "origin", value: Self.portal),
                    (name: "access-control-request-method", value: "GET"),
                ], body: { _ in [] })
            _ = crossOrigin.preflight(request) {
                count += 1
                return ["GET"]
            }
            return count
        }

        #expect(lookUps(by: "OPTIONS") == 1)
        #expect(lookUps(by: "GET") == 0)
    }

    @Test func `none are allowed unless they are set`() {
        #expect(CrossOrigin("")?.origins == [])
    }
}
