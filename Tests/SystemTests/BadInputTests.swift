import Foundation
import Testing

/// Bad input through the whole path: a clear error with its code, and nothing changed.
@Suite(.serialized) struct BadInputTests {
    private struct Case {
        let verb: String
        let path: String
        var body: String?
        let status: Int
        let code: String
    }

    private static let unknownID = "01890a5d-ac96-774b-bcce-b302099a8057"

    private static func cases(_ organization: String) -> [Case] {
        let organizations = "/v1/organizations"
        let members = "\(organizations)/\(organization)/members"
        let longTitle = String(repeating: "a", count: 121)
        return [
            Case(verb: "GET", path: "/v1/nothing", status: 404, code: "not_found"),
            Case(
                verb: "GET", path: "\(organizations)/\(unknownID)", status: 404,
                code: "not_found"),
            Case(verb: "GET", path: "\(organizations)/not-an-id", status: 422, code: "validation"),
            Case(verb: "DELETE", path: organizations, status: 405, code: "method_not_allowed"),
            Case(
                verb: "POST", path: organizations, body: "{", status: 400,
                code: "malformed_message"),
            Case(
                verb: "POST", path: organizations, body: "[]", status: 400,
                code: "malformed_message"),
            Case(
                verb: "POST", path: organizations, body: #"{"title": 7}"#, status: 422,
                code: "validation"),
            Case(
                verb: "POST", path: organizations, body: #"{"title": "A", "title": "B"}"#,
                status: 400, code: "malformed_message"),
            Case(
                verb: "POST", path: organizations, body: #"{"titel": "A"}"#, status: 422,
                code: "validation"),
            Case(
                verb: "POST", path: organizations, body: #"{"title": ""}"#, status: 422,
                code: "validation"),
            Case(
                verb: "POST", path: organizations, body: #"{"title": "\#(longTitle)"}"#,
                status: 422, code: "validation"),
            Case(
                verb: "POST", path: members, body: #"{"email": "nobody"}"#, status: 422,
                code: "validation"),
            Case(
                verb: "POST", path: members, body: #"{"userId": "\#(unknownID)"}"#, status: 404,
                code: "not_found"),
            Case(
                verb: "PATCH", path: "\(organizations)/\(organization)/caps",
                body: #"{"members": "-1"}"#, status: 422, code: "validation"),
            Case(
                verb: "GET", path: "\(organizations)?pageToken=forged", status: 422,
                code: "page_token_invalid"),
            Case(
                verb: "POST", path: "/v1/sales", body: #"{"lines": []}"#, status: 422,
                code: "validation"),
            Case(
                verb: "PATCH", path: "\(organizations)/\(organization)/appearance",
                body: #"{"colors": {"primary": "red"}}"#, status: 422, code: "validation"),
            Case(
                verb: "PUT", path: "\(organizations)/\(organization)/images/logo",
                body: "<svg xmlns='http://www.w3.org/2000/svg'/>", status: 422, code: "validation"),
        ]
    }

    @Test func `every bad request has its status and code, and changes nothing`() async throws {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let organization = try await District.create(api, "Riverside", below: nil)
            let before = try await api.get("/v1/organizations/\(organization)").body

            for bad in Self.cases(organization) {
                let answer = try await api.call(
                    bad.verb, bad.path, body: bad.body.map { Data($0.utf8) })
                #expect(answer.status == bad.status, "\(bad) answered \(answer.body)")
                #expect(answer.body.code.string == bad.code, "\(bad) answered \(answer.body)")
                #expect(answer.body.message.string?.isEmpty == false)
                #expect(answer.body.requestId.string?.isEmpty == false)
            }

            let oversized = try await api.call(
                "POST", "/v1/organizations", body: Data(repeating: 0x20, count: 2 << 20))
            #expect(oversized.status == 413)
            var stranger = api
            stranger.token = "not-a-token"
            #expect(try await stranger.get("/v1/organizations").status == 401)

            let after = try await api.get("/v1/organizations/\(organization)").body
            #expect(after.version.string == before.version.string)
            let roots = try await api.get("/v1/organizations").body.organizations.items
            #expect(roots.count == 1)
        }
    }

    @Test func `a key that comes again with another body is refused`() async throws {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let body: [String: JSON] = [
                "title": "Riverside", "category": "ORGANIZATION_CATEGORY_ACADEMIC_K12",
                "country": "US",
            ]

            let first = try await api.post("/v1/organizations", body, key: "one")
            let again = try await api.post("/v1/organizations", body, key: "one")
            var other = body
            other["title"] = "Lakeside"
            let mismatch = try await api.post("/v1/organizations", other, key: "one")

            #expect(first.status == 201)
            #expect(again.data == first.data)
            #expect(mismatch.status == 422)
            #expect(mismatch.body.code.string == "idempotency_mismatch")
        }
    }
}
