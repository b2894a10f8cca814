import Foundation
import Testing

/// People who come by themselves, over HTTP with every process running: mails, links, joining.
@Suite(.serialized) struct SignUpTests {
    private static let password = "a long enough password"

    @Test func `who follows a custom URL, or has an address of a mask, is a member`() async throws {
        try await RunningInstallation.run { installation in
            let owner = try await API(installation)
            let school = try await District.create(owner, "Springfield", below: nil)
            let company = try await District.create(owner, "Company", below: nil)
            let url = try await owner.post(
                "/v1/organizations/\(school)/customUrls", ["slug": "springfield"])
            try #require(url.status == 201, "\(url.body)")
            let mask = try await owner.post(
                "/v1/organizations/\(company)/emailMasks", ["value": "*.company.example"])
            try #require(mask.status == 201, "\(mask.body)")

            let lisa = try await Visitor.join(
                "lisa@x.company.example", over: "springfield", installation)
            let carl = try await Visitor.join("carl@x.company.example", installation)

            for (visitor, organization, title) in [
                (lisa, school, "Springfield"), (carl, company, "Company"),
            ] {
                #expect(visitor.verified.organizationId.string == organization)
                #expect(visitor.verified.organizationTitle.string == title)
                let me = try await visitor.api.get("/v1/me").body
                #expect(me.user.emailVerified.boolean == true, "\(me)")
                #expect(me.prompts.items.isEmpty)
                #expect(me.memberships[0].organizationId.string == organization)
                #expect(me.memberships[0].roles.items.map(\.string) == ["ROLE_MEMBER"])
            }
            let unknown = try await owner.post(
                "/v1/signup",
                [
                    "email": "bart@example.com", "password": .text(Self.password), "name": "Bart",
                    "customUrl": "shelbyville",
                ])
            #expect(unknown.status == 404, "\(unknown.body)")
            let wrong = try await owner.post("/v1/signup:verify", ["token": "ghv_00"])
            #expect(wrong.status == 410 && wrong.body.code.string == "verification_expired")
            let told = try await owner.post(
                "/v1/explain/join", ["email": "moe@company.example"])
            #expect(told.body.organizationId.string == company, "\(told.body)")
            #expect(told.body.source.string == "JOIN_SOURCE_EMAIL_MASK")
            let forVisitor = try await carl.api.post(
                "/v1/explain/join", ["email": "moe@company.example"])
            #expect(forVisitor.status == 403)
        }
    }

    @Test func `who joins none makes one organization, and owns it`() async throws {
        try await RunningInstallation.run { installation in
            let owner = try await API(installation)
            let ada = try await Visitor.join("ada@example.com", installation)
            #expect(ada.verified.organizationId.string == "")
            let me = try await ada.api.get("/v1/me").body
            #expect(me.prompts.items.map(\.string) == ["PROMPT_CREATE_ORGANIZATION"])

            let order: [String: JSON] = [
                "title": "Analytical Engines", "description": "Machines",
                "reference": "Told by a friend",
            ]
            let made = try await ada.api.post("/v1/signup:createOrganization", order, key: "one")
            let again = try await ada.api.post("/v1/signup:createOrganization", order, key: "one")
            let second = try await ada.api.post(
                "/v1/signup:createOrganization", ["title": "Another"])

            #expect(made.status == 201, "\(made.body)")
            #expect(again.data == made.data)
            let id = try #require(made.body.organizationId.string)
            #expect(second.status == 403 && second.body.code.string == "org_creation_closed")
            #expect(
                second.body.message.string
                    == "If you require more than one Organization, contact us.")
            let answer = try await ada.api.get("/v1/organizations/\(id)")
            #expect(answer.status == 200, "the founder owns it at once: \(answer.body)")
            let organization = answer.body
            #expect(organization.origin.string == "ORGANIZATION_ORIGIN_SIGNUP")
            #expect(organization.category.string == "ORGANIZATION_CATEGORY_BUSINESS_COMPANY")
            #expect(organization[dynamicMember: "description"].string == "Machines")
            let members = try await ada.api.get("/v1/organizations/\(id)/members").body
            #expect(members.members.items.map(\.email.string) == ["ada@example.com"])
            #expect(members.members[0].roles.items.map(\.string) == ["ROLE_OWNER"])
            #expect(try await ada.api.get("/v1/me").body.prompts.items.isEmpty)
            let workspaces = try await ada.api.get("/v1/organizations/\(id)/workspaces").body
            #expect(workspaces.workspaces.items.count == 1)
            let appearance = try await ada.api.get("/v1/organizations/\(id)/appearance").body
            #expect(appearance.whiteLabel.boolean == false, "\(appearance)")
            let data = try await owner.get("/v1/organizations/\(id)/signUpData")
            #expect(data.body.reference.string == "Told by a friend", "\(data.body)")
            #expect(try await ada.api.get("/v1/organizations/\(id)/signUpData").status == 403)
            let done = try await owner.get("/v1/signUpWorkflows?state=WORKFLOW_STATE_DONE")
            #expect(done.body.workflows.items.map(\.organizationId.string) == [id])
            #expect(try await ada.api.get("/v1/signUpWorkflows").status == 403)
        }
    }

    @Test func `with the switch on, who is not covered waits until somebody approves`()
        async throws
    {
        try await RunningInstallation.run { installation in
            let owner = try await API(installation)
            let school = try await District.create(owner, "Springfield", below: nil)
            let url = try await owner.post(
                "/v1/organizations/\(school)/customUrls", ["slug": "springfield"])
            try #require(url.status == 201, "\(url.body)")
            let set = try await owner.patch(
                "/v1/platformSettings", ["signUpApproval": .flag(true)])
            try #require(set.body.signUpApproval.boolean == true, "\(set.body)")

            let lisa = try await Visitor.join("lisa@example.com", over: "springfield", installation)
            #expect(lisa.verified.organizationId.string == "")
            let waiting = try await owner.get("/v1/organizations/\(school)/pendingSignups").body
            #expect(waiting.pendingSignUps.items.map(\.email.string) == ["lisa@example.com"])
            #expect(
                waiting.pendingSignUps[0].reason.string == "PENDING_SIGN_UP_REASON_NO_MASK")
            let user = try #require(lisa.verified.userId.string)
            let path = "/v1/organizations/\(school)/pendingSignups/\(user)"
            #expect(try await lisa.api.post("\(path):approve").status == 404)
            let approved = try await owner.post("\(path):approve")
            #expect(approved.status == 200, "\(approved.body)")

            let me = try await lisa.api.get("/v1/me").body
            #expect(me.memberships[0].organizationId.string == school, "\(me)")
        }
    }

    @Test func `the death of any part ends with one organization and one owner`() async throws {
        try await RunningInstallation.run { installation in
            let owner = try await API(installation)
            for (number, part) in ["membership", "organizations"].enumerated() {
                let killed = try installation.processIdentifier(of: part)
                let holder = try installation.processIdentifier(of: "organizations")
                let ada = try await Visitor.join("ada\(number)@example.com", installation)
                let title = "Engines \(number)"
                // Held, Organizations keeps the founding in its middle.
                try installation.signal("organizations", SIGSTOP)
                // Sent to the process that was held: it may be gone by then.
                defer { _ = kill(holder, SIGCONT) }
                let call = Task {
                    try? await ada.api.post(
                        "/v1/signup:createOrganization", ["title": .text(title)], key: "one")
                }
                try await Self.isBegun(title, in: installation)
                try installation.signal(part, SIGKILL)
                _ = kill(holder, SIGCONT)
                try await installation.until("\(part) started again") {
                    try installation.processIdentifier(of: part) != killed
                }
                _ = await call.value

                try await installation.until("it is made") {
                    let answer = try? await ada.api.post(
                        "/v1/signup:createOrganization", ["title": .text(title)], key: "one")
                    return answer?.status == 201
                }
                let made = try await ada.api.post(
                    "/v1/signup:createOrganization", ["title": .text(title)], key: "one")
                let id = try #require(made.body.organizationId.string)
                let found = try await owner.get("/v1/organizations?q=engines%20\(number)").body
                #expect(found.organizations.items.map(\.id.string) == [id])
                let members = try await owner.get("/v1/organizations/\(id)/members").body
                #expect(members.members.items.count == 1)
                #expect(members.members[0].roles.items.map(\.string) == ["ROLE_OWNER"])
            }
        }
    }
}

extension SignUpTests {
    /// Waits until the workflow that makes an organization is under way.
    fileprivate static func isBegun(
        _ title: String, in installation: RunningInstallation
    ) async throws {
        let underWay =
            "SELECT count(*) FROM own_organization WHERE state = 1 AND title = '\(title)'"
        try await installation.until("\(title) is being made") {
            let count = try await Shell.run(
                "sqlite3 'file:\(installation.data.path)/membership.db?mode=ro' \"\(underWay)\"")
            return count.hasPrefix("1")
        }
    }
}

/// Somebody who signed up, followed the link in the mail, and signed in.
struct Visitor: Sendable {
    private static let password = "a long enough password"

    let api: API
    /// What following the link was answered.
    let verified: JSON

    static func join(
        _ email: String, over customURL: String = "", _ installation: RunningInstallation
    ) async throws -> Visitor {
        var api = try await API(installation)
        api.token = nil
        let signedUp = try await api.post(
            "/v1/signup",
            [
                "email": .text(email), "password": .text(password), "name": "Visitor",
                "customUrl": .text(customURL),
            ])
        try #require(signedUp.status == 201, "\(signedUp.body)")
        let credentials: [String: JSON] = ["email": .text(email), "password": .text(password)]
        let early = try await api.post("/v1/sessions", credentials)
        #expect(early.status == 401, "nobody signs in before the address is verified")
        try await installation.until("the mail is there") {
            try Self.token(for: email, installation) != nil
        }
        let token: String = try #require(try Self.token(for: email, installation))
        let withoutPassword = try await api.post("/v1/signup:verify", ["token": .text(token)])
        #expect(withoutPassword.status == 401, "the link alone opens nothing")
        let verified = try await api.post(
            "/v1/signup:verify", ["token": .text(token), "password": .text(password)])
        try #require(verified.status == 200, "\(verified.body)")
        let session = try await api.post("/v1/sessions", credentials)
        let opened: String = try #require(session.body.token.string, "\(session.body)")
        api.token = opened
        return Visitor(api: api, verified: verified.body)
    }

    /// The token in the mail to an address; nil before it was sent.
    private static func token(
        for email: String, _ installation: RunningInstallation
    ) throws -> String? {
        let folder = installation.data.appending(path: "mail").path
        // Before the first mail there is no folder.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasSuffix(".eml") {
            let mail = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            guard mail.contains("To: \(email)\r\n") else { continue }
            // Lines that were broken for the way are whole again.
            let text = mail.replacingOccurrences(of: "=\r\n", with: "")
                .replacingOccurrences(of: "=3D", with: "=")
            let address = try #require(installation.url).absoluteString
            let start = try #require(text.firstRange(of: "/signup/verify?token="), "\(text)")
            #expect(text[..<start.lowerBound].hasSuffix(address.trimmingSuffix("/")))
            return String(text[start.upperBound...].prefix { !$0.isWhitespace })
        }
        return nil
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}
