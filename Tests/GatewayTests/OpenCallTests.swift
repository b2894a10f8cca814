import Messages
import RPC
import Testing

@testable import Gateway

/// How often an address may call without a session.
struct OpenCallTests {
    private static let credentials = #"{"email": "ada@example.org", "password": "x"}"#

    private static func limits(_ count: Int) -> Limits {
        var limits = Limits()
        limits.openCallsPerMinuteMax = count
        return limits
    }

    /// Lets everybody in who signs in, and counts them.
    private static func signIn(_ asked: Counter) -> RegisteredMethod {
        serve(MembershipMethods.signIn) { (_: SignInRequest, _) -> Session in
            asked.add()
            return Session(token: Stage.token)
        }
    }

    private static func signIn(
        _ stage: Stage, forwardedFor hops: String? = nil
    ) async throws -> HTTPClient.Answer {
        try await stage.http.send(
            "POST", "/v1/sessions", hops.map { ["X-Forwarded-For": $0] } ?? [:], body: credentials)
    }

    @Test func `one call more than an address may make is 429, and reaches nobody`() async throws {
        let asked = Counter()
        try await Stage.run([Self.signIn(asked)], limits: Self.limits(3)) { stage in
            var statuses: [Int] = []
            for _ in 1...3 { statuses.append(try await Self.signIn(stage).status) }
            let refused = try await Self.signIn(stage)

            #expect(statuses == [201, 201, 201])
            #expect(refused.status == 429)
            #expect(try refused.text("code") == "busy")
            #expect(
                try refused.text("message")
                    == "Too much comes from your address at once. Please try again in 20 s.")
            #expect(try refused.text("requestId") == refused.fields["x-request-id"])
            #expect(refused.fields["retry-after"] == "20")
            #expect(asked.value == 3)

            stage.clock.advance(by: .seconds(19))
            #expect(try await Self.signIn(stage).fields["retry-after"] == "1")
            stage.clock.advance(by: .seconds(1))
            #expect(try await Self.signIn(stage).status == 201)
            #expect(try await Self.signIn(stage).status == 429)
            stage.clock.advance(by: .seconds(60))
            for _ in 1...3 { #expect(try await Self.signIn(stage).status == 201) }
            #expect(try await Self.signIn(stage).status == 429)
        }
    }

    @Test func `every route that needs no session is counted, all of them together`() async throws {
        let routes = Routes.all.filter(\.isOpen)
        #expect(routes.count >= 4)
        for route in routes {
            try await Stage.run([Self.signIn(Counter())], limits: Self.limits(1)) { stage in
                #expect(try await Self.signIn(stage).status == 201)

                let refused = try await stage.http.send(
                    route.verb, route.template, body: "{}")

                #expect(refused.status == 429, "\(route.template)")
                #expect(refused.fields["retry-after"] == "60")
            }
        }
    }

    @Test(arguments: ["/login", "/signup", "/signup/verify", "/contact"])
    func `so are the forms of strangers, which stay as they were typed`(path: String) async throws {
        let guild = Guild()
        try await Stage.run(guild.methods, limits: Self.limits(1)) { stage in
            var browser = PageClient(http: stage.http)
            browser.cookie = nil
            #expect(try await Self.signIn(stage).status == 401)

            let refused = try await browser.post(
                path, ["email": "ada@example.org", "token": "ghv_1", "password": "x", "key": "1"])
            let page = try await browser.get(path)

            #expect(refused.status == 429)
            #expect(refused.fields["retry-after"] == "60")
            #expect(refused.fields["content-type"]?.hasPrefix("text/html") == true)
            let words = path == "/contact" ? "in a moment" : "in 60 s."
            #expect(refused.text.contains("Please try again \(words)"))
            #expect(refused.text.contains(path == "/signup/verify" ? "ghv_1" : "ada@example.org"))
            #expect(page.status == 200, "looking at a form asks nobody")
            #expect(guild.changes.isEmpty)
        }
    }

    @Test func `who is signed in is not counted, nor is what no service is asked for`()
        async throws
    {
        let guild = Guild()
        try await Stage.run(guild.methods, limits: Self.limits(1)) { stage in
            let browser = PageClient(http: stage.http)
            _ = try await Self.signIn(stage)
            #expect(try await Self.signIn(stage).status == 429)

            for _ in 1...3 {
                let page = try await browser.get(Guild.schoolPath)
                let call = try await stage.http.send(
                    "GET", "/v1/organizations", ["Authorization": "Bearer \(Stage.token)"])
                #expect(page.status == 200 && call.status == 200)
                for path in ["/", "/healthz", "/login", "/signup", "/contact"] {
                    #expect(try await browser.get(path).status == 200)
                }
            }
        }
    }

    @Test func `by RPC it is the same`() async throws {
        let asked = Counter()
        try await Stage.run([Self.signIn(asked)], limits: Self.limits(2)) { stage in
            let client = MembershipClient(stage.rpc)
            for _ in 1...2 { _ = try await client.signIn(SignInRequest()) }
            var refused: Status?
            do {
                _ = try await client.signIn(SignInRequest())
            } catch {
                refused = error as? Status
            }

            #expect(refused?.code == .resourceExhausted && refused?.reason == "busy")
            #expect(refused?.details.contains(.retryInfo(delay: .seconds(30))) == true)
            #expect(asked.value == 2)
            // Over HTTP it is another address.
            #expect(try await Self.signIn(stage).status == 201)
        }
    }

    @Test func `behind a proxy of ours each client is counted by itself`() async throws {
        try await Stage.run(
            [Self.signIn(Counter())], limits: Self.limits(1), trustedProxies: "127.0.0.0/8"
        ) { stage in
            let one = try await Self.signIn(stage, forwardedFor: "192.0.2.1")
            let other = try await Self.signIn(stage, forwardedFor: "192.0.2.2")
            let again = try await Self.signIn(stage, forwardedFor: "192.0.2.1")
            // What a client writes stands before what the proxy adds.
            let claimed = try await Self.signIn(stage, forwardedFor: "198.51.100.7, 192.0.2.1")

            #expect([one, other].map(\.status) == [201, 201])
            #expect([again, claimed].map(\.status) == [429, 429])
        }
    }

    @Test func `what somebody says of their address counts only if they are a proxy of ours`()
        async throws
    {
        try await Stage.run(
            [Self.signIn(Counter())], limits: Self.limits(2), trustedProxies: "10.0.0.0/8"
        ) { stage in
            var statuses: [Int] = []
            for number in 1...4 {
                let answer = try await Self.signIn(stage, forwardedFor: "192.0.2.\(number)")
                statuses.append(answer.status)
            }

            #expect(statuses == [201, 201, 429, 429])
        }
    }
}

/// Who is counted as one, and for how long.
struct OpenCallCountTests {
    private func request(_ peer: String?, _ hops: [String] = []) -> Incoming {
        Incoming(
            verb: "POST", target: "/v1/sessions",
            fields: hops.map { (name: "x-forwarded-for", value: $0) }, peer: peer
        ) { _ throws(Problem) in [] }
    }

    private func isAdmitted(_ calls: OpenCalls, _ peer: String?) -> Bool {
        do {
            try calls.admit(request(peer))
            return true
        } catch {
            return false
        }
    }

    private func calls(
        _ count: Int, addressesMax: Int = 1_000, at clock: ManualInstant = ManualInstant()
    ) -> OpenCalls {
        var limits = Limits()
        limits.openCallsPerMinuteMax = count
        return OpenCalls(limits: limits, addressesMax: addressesMax, now: { clock.now })
    }

    private static let pairs: [(first: String?, second: String?, isOther: Bool)] = [
        ("192.0.2.1", "192.0.2.1", false), ("192.0.2.1", "192.0.2.2", true),
        ("192.0.2.1", "::ffff:192.0.2.1", false),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", false),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", true),
        ("fe80::1%eth0", "fe80::2%eth1", false),
        // A number of IPv4 is none of IPv6.
        ("0.0.0.1", "::1", true), (nil, nil, false), (nil, "what", false), (nil, "::", true),
    ]

    @Test(arguments: pairs.indices)
    func `an address of IPv4 is one, and of IPv6 the first half of one`(number: Int) {
        let (first, second, isOther) = Self.pairs[number]
        let calls = calls(1)

        #expect(isAdmitted(calls, first))
        #expect(isAdmitted(calls, second) == isOther)
    }

    @Test func `in the long run it is so many a minute, however they are spread`() {
        let clock = ManualInstant()
        let calls = calls(10, at: clock)

        var admitted = 0
        for _ in 0..<600 {
            if isAdmitted(calls, "192.0.2.1") { admitted += 1 }
            clock.advance(by: .seconds(1))
        }

        #expect(admitted == 10 + 99, "ten at once, then one in six seconds of ten minutes")
    }

    @Test func `as many addresses as there are take no more memory, nor free anybody who calls`() {
        let calls = calls(2, addressesMax: 100)
        #expect(isAdmitted(calls, "192.0.2.1") && isAdmitted(calls, "192.0.2.1"))

        var refused = 0
        for number in 0..<10_000 {
            #expect(isAdmitted(calls, "10.0.\(number / 256).\(number % 256)"))
            if number % 50 == 0, !isAdmitted(calls, "192.0.2.1") { refused += 1 }
        }

        #expect(calls.addressCount <= 200)
        #expect(refused == 200)
    }

    @Test func `who was quiet for a minute is forgotten`() {
        let clock = ManualInstant()
        let calls = calls(2, at: clock)
        for number in 1...50 { #expect(isAdmitted(calls, "192.0.2.\(number)")) }

        clock.advance(by: .seconds(60))
        #expect(isAdmitted(calls, "198.51.100.1"))
        #expect(calls.addressCount == 51)
        clock.advance(by: .seconds(60))
        #expect(isAdmitted(calls, "198.51.100.1"))

        #expect(calls.addressCount == 2, "it stands in both generations")
    }

    private static let hops: [(peer: String, hops: [String], client: String)] = [
        // Who is connected is no proxy of ours.
        ("192.0.2.9", ["203.0.113.1"], "192.0.2.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("::ffff:10.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("fd00::1", ["2001:db8::1"], "2001:db8::1"),
        ("fd01::1", ["2001:db8::1"], "fd01::1"),
        // The last that is none of ours, over several proxies and fields.
        ("10.0.0.1", ["1.1.1.1, 203.0.113.1, 10.0.0.2"], "203.0.113.1"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.1", "10.0.0.2,10.1.2.3"], "203.0.113.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        // With a port, as some write it.
        ("10.0.0.1", ["203.0.113.1:4711"], "203.0.113.1"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("10.0.0.1", ["::ffff:203.0.113.1"], "203.0.113.1"),
        // What is no address says nothing, and nothing before it counts.
        ("10.0.0.1", ["203.0.113.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.1, unknown, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["203.0.113.1,"], "10.0.0.1"), ("10.0.0.1", [""], "10.0.0.1"),
    ]

    @Test(arguments: hops.indices)
    func `the client is the last hop that no proxy of ours is`(number: Int) throws {
        let (peer, hops, client) = Self.hops[number]
        let proxies = try #require(TrustedProxies("10.0.0.0/8, fd00::/16"))

        #expect(proxies.client(of: request(peer, hops)) == NetworkAddress(client))
        #expect(NetworkAddress(client) != nil)
    }

    @Test func `what is no network is no proxy`() {
        for text in ["10.0.0.0/33", "10.0.0", "proxy.example", "10.0.0.1,", "fd00::/129", "/8"] {
            #expect(TrustedProxies(text) == nil, "\(text)")
        }
        #expect(TrustedProxies("") == TrustedProxies.none)
        #expect(TrustedProxies("10.0.0.1") != nil && TrustedProxies("0.0.0.0/0, ::/0") != nil)
        #expect(TrustedProxies.none.client(of: request("10.0.0.1", ["1.1.1.1"])) != nil)
    }
}
