import Foundation
import Glibc
import Synchronization
import Testing

@testable import Mail

/// Mails that are handed to a real SMTP server, and to a folder.
@Suite(.serialized, .timeLimit(.minutes(2))) struct TransportTests {
    @Test func `a mail arrives as it was written, over one connection`() async throws {
        try await RealServer.run { server in
            let transport = try server.transport()
            let mails = [
                try MailMessage.sample(text: "One.\n.\n..two\n.three\n\nFrom here\n"),
                try MailMessage.sample(subject: "Prüfung", text: "Grüße"),
                try MailMessage.sample(text: ""),
            ]
            for mail in mails { try await transport.deliver(mail) }

            let contents = try server.events("content")
            let written = mails.map { String(decoding: $0.encoded(), as: UTF8.self) }
            #expect(contents.map(\.bytes) == written)
            #expect(contents.allSatisfy { $0.receivers == ["ada@example.org"] })
            #expect(try server.events("sender").allSatisfy { $0.address == "noreply@example.com" })
            #expect(try server.events("connect").count == 1)
        }
    }

    @Test(arguments: [
        ("receiver", "450 4.2.1 full", MailFault.postponed("450 4.2.1 full")),
        ("receiver", "550 5.1.1 nobody", .refused("550 5.1.1 nobody")),
        ("receiver", "553 5.1.3 bad", .refused("553 5.1.3 bad")),
        ("content", "451 4.3.0 later", .postponed("451 4.3.0 later")),
        ("content", "554 5.7.1 unwanted", .refused("554 5.7.1 unwanted")),
        // What is wrong with this program's own name can be mended, and the mails wait for it.
        ("sender", "550 5.7.1 not you", .postponed("550 5.7.1 not you")),
        ("sender", "451 4.3.0 later", .postponed("451 4.3.0 later")),
    ])
    func `what the server says decides`(place: String, says: String, means: MailFault) async throws
    {
        try await RealServer.run { server in
            let transport = try server.transport()
            try server.answer(.init(at: place, say: says))

            #expect(await fault(of: transport, try .sample()) == means)
            #expect(await fault(of: transport, try .sample()) == nil, "the next one is taken")
        }
    }

    @Test func `a server that is closed, or gone, takes nothing and keeps nothing`() async throws {
        let folder = try Folder()
        let (port, transport) = try await RealServer.run(in: folder) { server in
            let transport = try server.transport()
            try server.answer(.init(at: "connect", say: "554 5.3.2 closed"))
            guard case .unreachable(let reason) = await fault(of: transport, try .sample()) else {
                throw RealServer.Silence()
            }
            #expect(reason.contains("554 5.3.2 closed"))
            try await transport.deliver(try .sample())
            return (server.port, transport)
        }

        guard case .unreachable = await fault(of: transport, try .sample()) else {
            Issue.record("nobody listens")
            return
        }
        try await RealServer.run(in: folder, port: port) { server in
            try await transport.deliver(try .sample(subject: "back"))
            #expect(try server.events("content").count == 2)
        }
    }

    @Test func `with a user all is encrypted and signed in`() async throws {
        try await RealServer.run("starttls") { server in
            let authorities = "?ca=\(server.folder.file("ca.pem"))"
            let transport = try server.transport(signIn: "ada:secret%3A%25@", query: authorities)
            for _ in 0..<2 { try await transport.deliver(try .sample()) }

            #expect(try server.events("content").map(\.encrypted) == [true, true])
            #expect(try server.events("content").map(\.user) == ["ada", "ada"])
            #expect(try server.events("sign-in").map(\.encrypted) == [true])

            let wrong = try server.transport(signIn: "ada:guess@", query: authorities)
            guard case .unreachable(let reason) = await fault(of: wrong, try .sample()) else {
                Issue.record("a wrong password is nobody's mail's fault")
                return
            }
            #expect(!reason.contains("guess"))
        }
    }

    @Test func `a certificate that nobody vouches for ends it, before a password is said`()
        async throws
    {
        for (mode, scheme) in [("starttls", "smtp"), ("tls", "smtps")] {
            try await RealServer.run(mode) { server in
                let transport = try server.transport(scheme, signIn: "ada:secret%3A%25@")

                guard case .unreachable = await fault(of: transport, try .sample()) else {
                    Issue.record("\(mode): taken")
                    return
                }
                #expect(try server.events("sign-in").isEmpty)
                #expect(try server.events("sender").isEmpty)
            }
        }
    }

    @Test func `a password is not said to a server that does not encrypt`() async throws {
        try await RealServer.run("clear-auth") { server in
            let transport = try server.transport(signIn: "ada:secret%3A%25@")

            guard case .unreachable = await fault(of: transport, try .sample()) else {
                Issue.record("taken in clear")
                return
            }
            #expect(try server.events("connect").count == 1)
            #expect(try server.events("sign-in").isEmpty)
            // Without a user there is no secret to keep.
            try await server.transport().deliver(try .sample())
        }
    }

    @Test func `a connection may be encrypted from its start`() async throws {
        try await RealServer.run("tls") { server in
            let transport = try server.transport(
                "smtps", query: "?ca=\(server.folder.file("ca.pem"))")

            try await transport.deliver(try .sample())

            #expect(try server.events("content").map(\.encrypted) == [true])
        }
    }

    @Test func `a slow server is left in time, and the next mail is taken`() async throws {
        try await RealServer.run { server in
            let transport = try server.transport(timeMax: .milliseconds(1_200))
            try server.answer(.init(at: "receiver", sleep: 5))
            let start = ContinuousClock.now

            let slow = await fault(of: transport, try .sample())

            #expect(start.duration(to: .now) < .seconds(4))
            guard case .unreachable = slow else {
                Issue.record("\(String(describing: slow))")
                return
            }
            #expect(await fault(of: transport, try .sample()) == nil)
        }
    }

    @Test func `whom a server names is not in what is logged`() async throws {
        try await RealServer.run { server in
            let transport = try server.transport(timeMax: .milliseconds(1_200))
            try server.answer(
                .init(at: "sender", say: "250 2.1.0 noreply@example.com is welcome"),
                .init(at: "receiver", sleep: 5))

            guard case .unreachable(let reason) = await fault(of: transport, try .sample()) else {
                Issue.record("the server says nothing of the receiver")
                return
            }

            #expect(reason.hasSuffix(": 250 2.1.0"))
        }
    }

    @Test(arguments: [
        ("550 5.1.1 <ada@example.org> is unknown", "550 5.1.1"), ("550 ada@example.org", "550"),
        ("450 4915112345 is full", "450"), ("450 4.2.1", "450 4.2.1"), ("421", "421"),
        ("ada@example.org", ""), ("5.1.1 ada", ""), ("", ""),
    ])
    func `of a line of a server the codes alone are logged`(line: String, codes: String) {
        #expect(MailFault.codes(of: line) == codes)
    }

    @Test func `who stops does not wait for a slow server`() async throws {
        try await RealServer.run { server in
            let transport = try server.transport()
            try server.answer(.init(at: "receiver", sleep: 20))
            let start = ContinuousClock.now
            let sending = Task { await fault(of: transport, try .sample()) }
            while try server.events("sender").isEmpty {
                try await Task.sleep(for: .milliseconds(10))
            }

            sending.cancel()

            #expect(try await sending.value == .cancelled)
            #expect(start.duration(to: .now) < .seconds(8))
        }
    }

    @Test func `a folder keeps a file a mail, for its owner alone`() async throws {
        let folder = try Folder()
        let path = folder.file("mail")
        let transport = MailTransport(to: .folder(path: path))
        let mails = [
            try MailMessage.sample(subject: "Prüfung", text: "Grüße\n.\nEnde"),
            try MailMessage.sample(to: "bob@example.org"),
        ]
        // What a crash has left.
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
        try Data("half".utf8).write(to: URL(filePath: "\(path)/.\(mails[0].id).part"))

        for mail in mails + [mails[0]] { try await transport.deliver(mail) }

        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        #expect(Set(names) == Set(mails.map { "\($0.id).eml" }))
        for name in names {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
        let read = try await Python.mails(in: path)
        #expect(Set(read.map(\.text)) == ["Grüße\n.\nEnde\n", "One line.\n"])
        #expect(Set(read.flatMap(\.to)) == ["ada@example.org", "bob@example.org"])
    }

    @Test func `a folder is made for its owner alone, or the mails wait`() async throws {
        let folder = try Folder()
        try await MailTransport(to: .folder(path: folder.file("made"))).deliver(try .sample())
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.file("made"))
        #expect(attributes[.posixPermissions] as? Int == 0o700)

        try Data().write(to: URL(filePath: folder.file("file")))
        for path in ["file", "no/such"] {
            let transport = MailTransport(to: .folder(path: folder.file(path)))
            guard case .unreachable(let reason) = await fault(of: transport, try .sample()) else {
                Issue.record("\(path) is no folder")
                continue
            }
            #expect(reason.contains("cannot"))
        }
    }
}
