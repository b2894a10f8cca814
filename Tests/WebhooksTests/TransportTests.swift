import Foundation
import TestSupport
import Testing

@testable import Webhooks

/// Calls of a real receiver over real sockets.
struct TransportTests {
    private let loopback = AddressRules(allowing: ["127.0.0.0/8"].compactMap(Network.init))
    private let secret = WebhookSecret()

    private func call(_ url: String, id: String = "one") -> WebhookCall {
        WebhookCall(
            id: id, url: url, body: Array(#"{"type":"hook.test","title":"Grüße"}"#.utf8),
            seconds: Int64(Date.now.timeIntervalSince1970), secret: secret)
    }

    @Test func `the signature is that of Standard Webhooks`() throws {
        // The example of their specification.
        let text = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        let secret = try #require(Data(base64Encoded: text).flatMap { WebhookSecret(Array($0)) })
        let call = WebhookCall(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", url: "https://example.com",
            body: Array(#"{"test": 2432232314}"#.utf8), seconds: 1_614_265_330, secret: secret)

        #expect(secret.text == "whsec_\(text)")
        #expect(call.signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func `a receiver verifies what it is sent by an implementation of its own`()
        async throws
    {
        try await HookReceiver.run { [secret, loopback] receiver in
            try receiver.know(secret.text)
            let transport = WebhookTransport(rules: loopback, allowsPlaintext: true)

            let first = await transport.send(call(receiver.url("/a?b=c")))
            let second = await transport.send(call(receiver.url("/a?b=c"), id: "two"))

            #expect(first == .answered(200) && second == .answered(200))
            let calls = try receiver.calls
            #expect(calls.map(\.id) == ["one", "two"])
            #expect(calls.map(\.isVerified) == [true, true])
            #expect(Set(calls.map(\.body)) == [#"{"type":"hook.test","title":"Grüße"}"#])
            #expect(calls[0].headers["content-type"] == "application/json")
            #expect(calls[0].headers["user-agent"] == "Guildhall-Hooks/1")
            #expect(calls[0].path == "/a?b=c")
            #expect(calls[0].connection == calls[1].connection, "one connection for both")
            try receiver.know(WebhookSecret().text)
            _ = await transport.send(call(receiver.url("/a")))
            let last = try receiver.calls.last
            #expect(last?.isVerified == false)
        }
    }

    @Test func `without leave nothing is connected to on this machine, by any name`()
        async throws
    {
        try await HookReceiver.run { receiver in
            let transport = WebhookTransport(rules: AddressRules(), allowsPlaintext: true)
            let hosts = [
                "127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0",
            ]

            for host in hosts {
                let outcome = await transport.send(call("http://\(host):\(receiver.port)/"))

                #expect(
                    outcome == .unanswered("The address is not of the public Internet."),
                    "\(host)")
            }
            let calls = try receiver.calls
            #expect(calls.isEmpty)
        }
    }

    @Test func `no redirect is followed`() async throws {
        try await HookReceiver.run { [loopback] receiver in
            try receiver.answer(
                .init(path: "/a", status: 302, location: receiver.url("/elsewhere")))

            let outcome = await WebhookTransport(rules: loopback, allowsPlaintext: true).send(
                call(receiver.url("/a")))

            #expect(outcome == .answered(302))
            let paths = try receiver.calls.map(\.path)
            #expect(paths == ["/a"])
        }
    }

    @Test(
        arguments: [
            ("120", 120), ("0", nil), ("soon", nil), ("-5", nil),
            ("Fri, 31 Dec 1999 23:59:59 GMT", nil),
        ] as [(String, Int?)])
    func `how long an answer asks to wait is told`(
        text: String, seconds: Int?
    ) async throws {
        try await HookReceiver.run { [loopback] receiver in
            try receiver.answer(.init(status: 429, retryAfter: text))
            let transport = WebhookTransport(rules: loopback, allowsPlaintext: true)

            let outcome = await transport.send(call(receiver.url("/a")))
            let next = await transport.send(call(receiver.url("/a")))

            #expect(outcome == .answered(429, retryAfter: seconds.map { .seconds($0) }))
            #expect(next == .answered(200), "it is not taken over to the next answer")
        }
    }

    @Test func `an answer that names a date asks to wait until then`() async throws {
        try await HookReceiver.run { [loopback] receiver in
            let format = DateFormatter()
            format.locale = Locale(identifier: "en_US_POSIX")
            format.timeZone = TimeZone(identifier: "UTC")
            format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
            let date = format.string(from: Date.now.addingTimeInterval(600))
            try receiver.answer(.init(status: 503, retryAfter: date))

            let outcome = await WebhookTransport(rules: loopback, allowsPlaintext: true).send(
                call(receiver.url("/a")))

            guard case .answered(503, let retryAfter?) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect((.seconds(570)...(.seconds(600))).contains(retryAfter), "\(retryAfter)")
        }
    }

    @Test func `of an answer 64 KiB are read, and its status counts`() async throws {
        try await HookReceiver.run { [loopback] receiver in
            try receiver.answer(.init(status: 201, bytes: 50_000_000))
            let transport = WebhookTransport(rules: loopback, allowsPlaintext: true)

            let outcome = await transport.send(call(receiver.url("/a")))

            #expect(outcome == .answered(201))
            try await Task.sleep(for: .seconds(1))
            let isTaken = FileManager.default.fileExists(atPath: receiver.file("written").path)
            #expect(!isTaken)
        }
    }

    @Test func `who answers late has not answered`() async throws {
        try await HookReceiver.run { [loopback] receiver in
            try receiver.answer(.init(sleep: 5))
            let transport = WebhookTransport(
                rules: loopback, allowsPlaintext: true, timeMax: .milliseconds(700))
            let start = ContinuousClock.now

            let outcome = await transport.send(call(receiver.url("/a")))

            #expect(outcome == .unanswered("Timeout was reached."))
            #expect(start.duration(to: .now) < .seconds(4))
        }
    }

    @Test func `while eight receivers are slow other tasks go on`() async throws {
        try await HookReceiver.run { [loopback] receiver in
            try receiver.answer(.init(sleep: 6, stays: true))
            let transport = WebhookTransport(rules: loopback, allowsPlaintext: true)
            let calls = (0..<8).map { call(receiver.url("/\($0)"), id: "\($0)") }
            let start = ContinuousClock.now

            let sends = calls.map { call in Task { await transport.send(call) } }
            while try receiver.calls.count < 8 {
                try #require(start.duration(to: .now) < .seconds(5))
                try await Task.sleep(for: .milliseconds(10))
            }
            var longest: Duration = .zero
            for _ in 0..<20 {
                let before = ContinuousClock.now
                try await Task.sleep(for: .milliseconds(10))
                longest = max(longest, before.duration(to: .now))
            }
            let time = start.duration(to: .now)
            var outcomes: Set<WebhookOutcome> = []
            for send in sends { outcomes.insert(await send.value) }

            #expect(time < .seconds(6), "all eight were under way")
            #expect(longest < .seconds(1), "\(longest)")
            #expect(outcomes == [.answered(200)])
        }
    }

    @Test func `who is cancelled is let go of soon`() async throws {
        try await HookReceiver.run { [loopback] receiver in
            try receiver.answer(.init(sleep: 30))
            let transport = WebhookTransport(rules: loopback, allowsPlaintext: true)
            let start = ContinuousClock.now

            let task = Task { await transport.send(call(receiver.url("/a"))) }
            while try receiver.calls.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
            task.cancel()

            let outcome = await task.value
            #expect(outcome == .cancelled)
            #expect(start.duration(to: .now) < .seconds(10))
        }
    }

    @Test func `certificates are verified`() async throws {
        try await HookReceiver.run("tls") { [loopback] receiver in
            let url = receiver.url("/a", scheme: "https")

            let unknown = await WebhookTransport(rules: loopback).send(call(url))
            let known = await WebhookTransport(
                rules: loopback, authorities: receiver.file("authority.pem").path
            ).send(call(url))
            let other = await WebhookTransport(
                rules: AddressRules(allowing: ["::1", "127.0.0.0/8"].compactMap(Network.init)),
                authorities: receiver.file("authority.pem").path
            ).send(call("https://localhost:\(receiver.port)/a"))

            #expect(known == .answered(200))
            for outcome in [unknown, other] {
                guard case .unanswered(let reason) = outcome else {
                    Issue.record("\(outcome)")
                    continue
                }
                #expect(reason.contains("SSL"), "\(reason)")
            }
            let calls = try receiver.calls
            #expect(calls.count == 1)
        }
    }

    @Test func `without leave nothing goes in clear`() async throws {
        try await HookReceiver.run { [loopback] receiver in
            let outcome = await WebhookTransport(rules: loopback).send(call(receiver.url("/a")))

            #expect(outcome == .unanswered("Calls by http are not allowed."))
            let calls = try receiver.calls
            #expect(calls.isEmpty)
        }
    }

    @Test func `nobody who listens is an outage`() async throws {
        let outcome = await WebhookTransport(rules: loopback, allowsPlaintext: true).send(
            call("http://127.0.0.1:1/"))

        #expect(outcome == .unanswered("Couldn't connect to server."))
    }
}
