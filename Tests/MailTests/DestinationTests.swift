import Testing

@testable import Mail

/// What the setting for mails may say.
struct DestinationTests {
    @Test(
        arguments: [
            ("smtp://mail.example", "smtp://mail.example:25", nil, nil, nil),
            ("smtp://127.0.0.1:2525/", "smtp://127.0.0.1:2525", nil, nil, nil),
            ("smtp://[::1]:2525", "smtp://[::1]:2525", nil, nil, nil),
            ("smtp://[::1]", "smtp://[::1]:25", nil, nil, nil),
            ("smtp://ada:s%3Ae%40c%25@m.example", "smtp://m.example:587", "ada", "s:e@c%", nil),
            ("smtps://ada%40x.org:p:q@m.example", "smtps://m.example:465", "ada@x.org", "p:q", nil),
            ("smtp://ada@mail.example:26", "smtp://mail.example:26", "ada", "", nil),
            ("smtp://ada:%C3%A4@m?ca=/etc/a%20b.pem", "smtp://m:587", "ada", "ä", "/etc/a b.pem"),
        ] as [(String, String, String?, String?, String?)])
    func `a server is named with what it needs`(
        text: String, url: String, user: String?, password: String?, authorities: String?
    ) throws {
        guard case .server(let server) = try MailDestination(parsing: text) else {
            Issue.record("no server")
            return
        }

        #expect(server.url == url)
        #expect(server.signIn?.user == user && server.signIn?.password == password)
        #expect(server.authorities == authorities)
    }

    @Test func `a folder is named by its path`() throws {
        #expect(try MailDestination(parsing: "file:/a b/c") == .folder(path: "/a b/c"))
        #expect(try MailDestination(parsing: "file:mail") == .folder(path: "mail"))
    }

    @Test(arguments: [
        "", "mail", "file:", "http://mail.example", "smtp:mail.example", "smtp://", "smtp://:25",
        "smtp://mail.example:", "smtp://mail.example:0", "smtp://mail.example:65536",
        "smtp://mail.example:a", "smtp://mail.example/path", "smtp://ma il.example",
        "smtp://:secret@mail.example", "smtp://a:secret%@mail.example", "smtp://a:%zz@mail.example",
        "smtp://a:secret%0d%0aX@mail.example", "smtp://a:%ff@mail.example",
        "smtp://a:secret@mail.example?ca=", "smtp://a:secret@mail.example?cert=x",
        "smtp://a:secret@mail\r\n.example", "smtp://[::1", "smtp://[x]", "smtp://a@b:secret@c/d",
    ])
    func `anything else is refused, and a password is not repeated`(text: String) {
        #expect {
            try MailDestination(parsing: text)
        } throws: { error in
            let line = "\(error)"
            return error is MailDestination.Fault && !line.contains("secret")
                && !line.contains("\n")
        }
    }
}
