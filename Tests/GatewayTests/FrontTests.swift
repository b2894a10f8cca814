import Messages
import RPC
import Testing

@testable import Gateway

struct FrontTests {
    private static let long = String(repeating: "x", count: 9_000)

    @Test func `what is not there is 404 and other verbs are 405, in JSON`() async throws {
        try await Stage.run([]) { stage in
            let unknown = try await stage.http.send("GET", "/v1/nothing")
            #expect(unknown.status == 404)
            #expect(try unknown.text("code") == "not_found")
            #expect(try unknown.text("requestId") == unknown.fields["x-request-id"])

            let other = try await stage.http.send("PUT", "/v1/organizations")
            #expect(other.status == 405)
            #expect(other.fields["allow"] == "GET, POST")
            #expect(try await stage.http.send("POST", "/healthz").status == 405)
        }
    }

    @Test func `each limit has its own answer`() async throws {
        try await Stage.run([authentication]) { stage in
            let target = try await stage.http.send("GET", "/v1/me?x=" + Self.long)
            #expect(target.status == 414)
            let field = try await stage.http.send("GET", "/v1/me", ["X-Long": Self.long])
            #expect(field.status == 431)
            let type = try await stage.http.send(
                "POST", "/v1/sessions", ["Content-Type": "text/plain"], body: "{}")
            #expect(type.status == 415)
            let body = try await stage.http.send(
                "POST", "/v1/sessions", body: String(repeating: " ", count: 1 << 20 + 1))
            #expect(body.status == 413)
            for answer in [target, field, type, body] {
                #expect(try answer.text("code") != nil)
            }
        }
    }

    @Test(arguments: [
        "GARBAGE\r\n\r\n", "GET /healthz HTTP/9.9\r\n\r\n",
        "GET http://other.test/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /healthz HTTP/1.1\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nbad_name: x\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET /healthz HTTP/1.1\nHost: a\n\n",
        "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ])
    func `what is not well-formed HTTP is 400 and the connection ends`(raw: String) async throws {
        try await Stage.run([]) { stage in
            let answer = try await stage.http.send(raw: Array(raw.utf8))

            #expect(answer.status == 400)
            #expect(try answer.text("code") == "malformed_message")
            #expect(answer.fields["connection"] == "close")
        }
    }

    @Test func `a header that never ends is cut off`() async throws {
        var limits = Limits()
        limits.headTimeout = .milliseconds(50)
        try await Stage.run([], limits: limits) { stage in
            let answer = try await stage.http.exchange(Array("GET /healthz HTTP/1.1\r\nHo".utf8))
            #expect(answer.isEmpty)
        }
    }

    @Test func `a body that never ends is cut off`() async throws {
        var limits = Limits()
        limits.bodyTimeout = .milliseconds(50)
        try await Stage.run([], limits: limits) { stage in
            _ = try await stage.http.exchange(
                Array("POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{".utf8))
        }
    }

    @Test func `a connection takes its last request and closes`() async throws {
        var limits = Limits()
        limits.requestsPerConnectionMax = 2
        try await Stage.run([], limits: limits) { stage in
            let request = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
            let answers = try await stage.http.exchange(
                Array(String(repeating: request, count: 3).utf8))
            let count = String(decoding: answers, as: UTF8.self).split(separator: "HTTP/1.1 200")
                .count
            #expect(count == 2)
        }
    }

    @Test func `health, readiness and the first page answer without a token`() async throws {
        try await Stage.run([]) { stage in
            #expect(try await stage.http.send("GET", "/healthz").status == 200)
            let ready = try await stage.http.send("GET", "/readyz")
            #expect(ready.status == 200)
            #expect(ready.text.contains(#""partners":"ready""#))

            let page = try await stage.http.send("GET", "/")
            #expect(page.status == 200)
            #expect(page.text.contains("curl -s http://gateway.test/v1/sessions"))
            #expect(!page.text.contains("<script"))
            #expect(page.fields["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
            let head = try await stage.http.send("HEAD", "/")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
        }
    }
}
