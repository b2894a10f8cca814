import Encodings
import Messages
import RPC
import Testing

@testable import Gateway

/// The OpenAPI document and its page.
struct DocumentationTests {
    /// A path without the names of its variables.
    private static func shape(_ path: String) -> String {
        path.split(separator: "/").map { segment -> String in
            guard segment.hasPrefix("{"), let end = segment.firstIndex(of: "}") else {
                return String(segment)
            }
            return "{" + segment[end...]
        }.joined(separator: "/")
    }

    @Test func `every route is in the document, and nothing else`() async throws {
        try await Stage.run([]) { stage in
            let answer = try await stage.http.send("GET", "/openapi.json")
            let described = (try answer.json["paths"]?.members ?? []).flatMap { path in
                path.value.members.map { "\($0.name.uppercased()) \(Self.shape(path.name))" }
            }

            #expect(answer.status == 200)
            #expect(answer.fields["content-type"] == "application/json")
            #expect(described.count == Routes.all.count)
            #expect(
                Set(described) == Set(Routes.all.map { "\($0.verb) \(Self.shape($0.template))" }))
        }
    }

    @Test func `the document is OpenAPI 3 point 1 to others, too`() async throws {
        try await Stage.run([]) { stage in
            let said = try await Python.run(
                "check_openapi.py", "http://127.0.0.1:\(stage.http.port)/openapi.json")

            #expect(said == "valid: \(Routes.all.count) operations\n")
        }
    }

    @Test func `what needs no session says so, and nothing else does`() async throws {
        try await Stage.run([]) { stage in
            let document = try await stage.http.send("GET", "/openapi.json").json
            let open = (document["paths"]?.members ?? []).flatMap { path in
                path.value.members.filter { $0.value["security"] == .array([]) }
                    .map { "\($0.name.uppercased()) \(path.name)" }
            }

            #expect(
                open.sorted() == [
                    "POST /v1/contact", "POST /v1/sessions", "POST /v1/signup",
                    "POST /v1/signup:verify",
                ])
            #expect(
                document["security"]
                    == .array([.object([.init(name: "session", value: .array([]))])]))
        }
    }

    @Test(arguments: ["/openapi.json", "/docs"])
    func `who has it already is told so`(path: String) async throws {
        try await Stage.run([]) { stage in
            let first = try await stage.http.send("GET", path)
            let tag = try #require(first.fields["etag"])
            let again = try await stage.http.send("GET", path, ["If-None-Match": tag])
            let other = try await stage.http.send("GET", path, ["If-None-Match": "\"x\""])

            #expect(first.status == 200 && !first.body.isEmpty)
            #expect(again.status == 304 && again.body.isEmpty)
            #expect(again.fields["etag"] == tag)
            #expect(other.status == 200)
            #expect(try await stage.http.send("POST", path).status == 405)
        }
    }

    @Test func `the page lists every route below its service, and runs nothing`() async throws {
        try await Stage.run([]) { stage in
            let page = try await stage.http.send("GET", "/docs")
            let policy = try #require(page.fields["content-security-policy"])

            #expect(page.fields["content-type"] == "text/html; charset=utf-8")
            #expect(policy.hasPrefix("default-src 'none'; style-src 'sha256-"))
            #expect(!page.text.contains("<script") && !policy.contains("script-src"))
            for route in Routes.all {
                let name = "\(route.method.service.split(separator: ".").last ?? "")"
                #expect(page.text.contains(#"<article id="\#(name)_\#(route.method.name)">"#))
                #expect(page.text.contains(#"<h2 id="\#(name)">\#(name)</h2>"#))
            }
            #expect(
                page.text.contains("/<wbr>v1/<wbr>organizations/<wbr>{id}<wbr>:activate</code>"))
            #expect(page.text.contains("Makes an inactive organization active again."))
            #expect(page.text.contains(##"<a href="#type-Organization">Organization</a>"##))
            #expect(page.text.contains(#"<article id="type-Organization">"#))
        }
    }

    @Test func `links of the page lead somewhere on it`() async throws {
        try await Stage.run([]) { stage in
            let page = try await stage.http.send("GET", "/docs").text
            func values(after start: String) -> Set<Substring> {
                Set(page.split(separator: start).dropFirst().map { $0.prefix { $0 != "\"" } })
            }
            let places = values(after: " id=\"")
            let links = values(after: "href=\"#")

            #expect(links.count > 50)
            #expect(links.subtracting(places).isEmpty)
        }
    }
}
