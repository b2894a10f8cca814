import Encodings
import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// The contact form as a page.
struct ContactPageTests {
    private static let typed =
        "name=Ada+L.&email=ada%40example.org&kind=3&subject=Our+school"
        + "&text=Line+one%0D%0Aline+two&organization=springfield"
    private static let form = ["Content-Type": "application/x-www-form-urlencoded"]

    private let seen: Last<SubmitContactRequest>
    private let count: Counter
    private let submit: RegisteredMethod

    init() {
        let (seen, count) = (Last<SubmitContactRequest>(), Counter())
        (self.seen, self.count) = (seen, count)
        submit = Self.submit(seen, count)
    }

    /// Takes what is complete, as Organizations does.
    private static func submit(
        _ seen: Last<SubmitContactRequest>, _ count: Counter
    ) -> RegisteredMethod {
        serve(ContactsMethods.submitContact) {
            (request: SubmitContactRequest, _) throws -> SubmitContactReply in
            var faults: [StatusDetail.FieldViolation] = []
            if request.kind == .unspecified {
                faults.append(
                    .init(field: "kind", description: "Please choose what it is about."))
            }
            for (field, value) in [("subject", request.subject), ("text", request.text)]
            where value.isEmpty {
                faults.append(.init(field: field, description: "Please type something."))
            }
            guard faults.isEmpty else {
                throw Status.refusal(.validation, "Some fields are wrong.", fields: faults)
            }
            guard !request.email.hasPrefix("busy") else {
                var status = Status.refusal(.busy, "Too much.")
                status.details.append(.retryInfo(delay: .seconds(3_600)))
                throw status
            }
            guard !request.email.hasPrefix("down") else {
                throw Status(.unavailable, "connect to 10.0.0.7 refused")
            }
            seen.keep(request)
            count.add()
            return SubmitContactReply()
        }
    }

    @Test func `what was written is handed on, signed with the name`() async throws {
        try await Stage.run([submit]) { stage in
            let answer = try await stage.http.send(
                "POST", "/contact", Self.form, body: Self.typed)
            let sent = try await stage.http.send("GET", answer.fields["location"] ?? "")

            #expect(answer.status == 303)
            #expect(answer.fields["location"] == "/contact/sent?organization=springfield")
            #expect(sent.status == 200)
            #expect(sent.text.contains("Thank you"))
        }
        #expect(
            seen.value
                == SubmitContactRequest(
                    kind: .booking, email: "ada@example.org", subject: "Our school",
                    text: "Line one\r\nline two\n\nAda L.", customURL: "springfield"))
    }

    @Test func `a name alone is no message`() async throws {
        try await Stage.run([submit]) { stage in
            let answer = try await stage.http.send(
                "POST", "/contact", Self.form, body: "name=Ada&kind=1&email=a%40b.org&subject=s")

            #expect(answer.status == 422)
            #expect(answer.text.contains(#"<p class="fault" id="text-fault">"#))
        }
    }

    @Test func `faults stand beside their fields, and what was typed stays`() async throws {
        try await Stage.run([submit]) { stage in
            let answer = try await stage.http.send(
                "POST", "/contact", Self.form,
                body: "name=%22%3E%3Cscript%3E&email=ada%40example.org&text=%3C/textarea%3E&kind=9")

            #expect(answer.status == 422)
            #expect(answer.fields["content-type"] == "text/html; charset=utf-8")
            #expect(answer.text.contains(#"value="&quot;&gt;&lt;script&gt;""#))
            #expect(answer.text.contains("&lt;/textarea&gt;</textarea>"))
            #expect(answer.text.contains(#"value="ada@example.org""#))
            #expect(
                answer.text.contains(
                    #"<p class="fault" id="kind-fault">Please choose what it is about.</p>"#))
            #expect(answer.text.contains(#"aria-describedby="subject-fault""#))
            #expect(!answer.text.contains(#"id="text-fault""#))
            #expect(!answer.text.contains("<script"))
        }
    }

    @Test(arguments: [
        ("busy%40example.org", 429, "Please try again in an hour", "3600"),
        ("down%40example.org", 503, "We cannot take it at the moment", "1"),
    ])
    func `what passes is said in words, and what was typed stays`(
        email: String, status: Int, sentence: String, retryAfter: String
    ) async throws {
        try await Stage.run([submit]) { stage in
            let answer = try await stage.http.send(
                "POST", "/contact", Self.form,
                body: Self.typed.replacing("ada%40example.org", with: email))

            #expect(answer.status == status)
            #expect(answer.text.contains(sentence))
            #expect(answer.text.contains("Line one\r\nline two</textarea>"))
            #expect(answer.text.contains(#"<option value="3" selected>"#))
            #expect(answer.text.contains(#"name="organization" value="springfield""#))
            #expect(answer.fields["retry-after"] == retryAfter)
            #expect(!answer.text.contains("10.0.0.7"))
        }
    }

    @Test(arguments: [
        (["Sec-Fetch-Site": "cross-site", "Origin": "http://gateway.test"], 403),
        (["Sec-Fetch-Site": "same-site"], 403),
        (["Origin": "https://other.test"], 403),
        (["Origin": "http://gateway.test.other.test"], 403),
        (["Origin": "null"], 403),
        (["Sec-Fetch-Site": "same-origin", "Origin": "http://gateway.test"], 303),
        (["Origin": "http://gateway.test"], 303), (["Origin": "https://GATEWAY.test"], 303),
        ([:], 303),
    ])
    func `a form of another site is not taken`(
        fields: [String: String], status: Int
    ) async throws {
        try await Stage.run([submit]) { stage in
            let answer = try await stage.http.send(
                "POST", "/contact", Self.form.merging(fields) { $1 }, body: Self.typed)

            #expect(answer.status == status)
        }
        #expect(count.value == (status == 303 ? 1 : 0))
    }

    @Test func `what is no form, or too long, is refused with the page`() async throws {
        try await Stage.run([submit]) { stage in
            let json = try await stage.http.send(
                "POST", "/contact", ["Content-Type": "application/json"], body: "{}")
            let long = try await stage.http.send(
                "POST", "/contact", Self.form,
                body: "text=" + String(repeating: "x", count: Limits().formBytesMax))
            let broken = try await stage.http.send("POST", "/contact", Self.form, body: "text=%f")
            let other = try await stage.http.send("PUT", "/contact")

            #expect([json, long, broken].map(\.status) == [415, 413, 400])
            #expect(long.text.contains("It is too long."))
            for answer in [json, long, broken] { #expect(answer.text.contains("<form ")) }
            #expect(other.status == 405 && other.fields["allow"] == "GET, HEAD, POST")
        }
        #expect(count.value == 0)
    }

    @Test func `the longest message that is taken fits into the form`() async throws {
        try await Stage.run([submit]) { stage in
            let text = String(repeating: "%F0%9F%8F%AB", count: 10_000)
            let answer = try await stage.http.send(
                "POST", "/contact", Self.form,
                body: "email=a%40b.org&kind=1&subject=s&text=" + text)

            #expect(answer.status == 303)
        }
        #expect(seen.value?.text.unicodeScalars.count == 10_000)
    }

    @Test(arguments: [
        ("organization=springfield", "springfield"), ("organization=a%22b", nil), ("", nil),
        ("organization=" + String(repeating: "a", count: 41), nil),
    ])
    func `the form is that of an organization, if its name can be one`(
        query: String, organization: String?
    ) async throws {
        try await Stage.run([]) { stage in
            let page = try await stage.http.send("GET", "/contact?\(query)")
            let hidden = organization.map { #"name="organization" value="\#($0)""# }

            #expect(page.status == 200)
            #expect(page.text.contains(#"name="organization""#) == (organization != nil))
            if let hidden { #expect(page.text.contains(hidden)) }
        }
    }

    @Test func `every kind is offered`() async throws {
        let kinds = Guildhall_Organizations_V1_ContactKind.allCases.map { Int32($0.rawValue) }

        #expect(kinds.filter { $0 != 0 } == ContactForm.kinds.map(\.kind.rawValue))
        #expect(Set(ContactForm.kinds.map(\.label)).count == 7)
    }

    @Test(arguments: ["/", "/docs", "/contact", "/contact/sent"])
    func `every page leads to the form`(path: String) async throws {
        try await Stage.run([]) { stage in
            let page = try await stage.http.send("GET", path)
            let footer = try #require(page.text.split(separator: "<footer>").last)

            #expect(footer.contains(#"<a href="/contact">Contact</a>"#))
            let policy = try #require(page.fields["content-security-policy"])
            #expect(policy.contains("form-action 'self'") == (path == "/contact"))
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `in a browser the form works without scripts, on a narrow screen, for everybody`()
        async throws
    {
        try await Stage.run([submit]) { stage in
            let said = try await Python.run(
                "use_contact_page.py", "http://127.0.0.1:\(stage.http.port)")

            #expect(said == "the pages can be used\n")
        }
        let request = try #require(seen.value)
        #expect(request.text.hasSuffix("third\n\nAda <Lovelace> & “co”"))
        #expect(request.customURL == "springfield" && request.kind == .booking)
        #expect(count.value == 1)
    }
}
