import Testing

@testable import Gateway

/// Forms of other sites, which a browser sends with the session of its owner.
struct FormOriginTests {
    private static let paths = [
        "/login", "/logout", "/console/organizations/new", Guild.schoolPath,
        Guild.schoolPath + "/users", Guild.schoolPath + "/services",
        Guild.schoolPath + "/contacts", Guild.schoolPath + "/domains",
        Guild.schoolPath + "/modules", Guild.schoolPath + "/subscription",
        Guild.schoolPath + "/look", "/console/imports/new", "/console/imports/\(Guild.importID)",
        "/console/types/new", "/console/types/\(Guild.type)", "/console/catalog/new",
        "/console/catalog/\(Guild.algebra)", "/console/seatTypes/new",
        Guild.schoolPath + "/urls", Guild.schoolPath + "/limits", Guild.schoolPath + "/delete",
        "/signup", "/signup/verify", "/signup/organization",
    ]

    @Test(arguments: paths)
    func `no form is taken that another site has sent, or that does not say who did`(
        path: String
    ) async throws {
        try await Stage.visit { browser, guild in
            for origin in [
                ["Sec-Fetch-Site": "cross-site", "Origin": "http://gateway.test"],
                ["Sec-Fetch-Site": "same-site"], ["Origin": "https://other.test"],
                ["Origin": "http://gateway.test.other.test"], ["Origin": "null"], [:],
            ] {
                var browser = browser
                browser.origin = origin
                let answer = try await browser.post(
                    path,
                    [
                        "do": "add", "title": "New", "category": "3", "email": "a@b.org",
                        "password": Guild.password, "token": "good", "slug": "new-one",
                        "value": "b.org", "members": "1",
                    ])

                #expect(answer.status == 403, "\(origin)")
                #expect(answer.text.contains("sent by another site"))
                #expect(answer.fields["set-cookie"] == nil)
            }
            #expect(guild.changes.isEmpty)
            #expect(guild.with { $0.signedOut.isEmpty })
        }
    }

    @Test(arguments: [
        ["Sec-Fetch-Site": "same-origin"], ["Origin": "http://gateway.test"],
        ["Origin": "https://guildhall.example"],
    ])
    func `a form of the gateway's own page is taken`(origin: [String: String]) async throws {
        try await Stage.visit(publicURL: "https://guildhall.example") { browser, guild in
            var browser = browser
            browser.cookie = "__Host-guildhall-session=\(Stage.token)"
            browser.origin = origin
            let answer = try await browser.post(Guild.schoolPath + "/delete", ["key": "k"])

            #expect(answer.status == 303)
            #expect(guild.changes == ["delete"])
        }
    }
}
