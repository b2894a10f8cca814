import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// What an error names in `explainUrl`.
struct ExplanationTests {
    private static let asked = "01890a5d-ac96-774b-bcce-b302099a8057"
    private static let above = "01890a5d-ac96-774b-bcce-b302099a8001"

    /// A refusal as services word it: at an organization above the one in question.
    private static func refusal(_ reason: ErrorReason) -> Status {
        Status.refusal(
            reason, "No.", metadata: ["at": above],
            violations: [.init(type: reason.rawValue, subject: above, description: "No.")])
    }

    private static func path(_ reason: ErrorReason, _ route: Route, at place: String?) -> String? {
        Explanation.path(
            of: Problem(refusal(reason), from: .organizations), calling: route, at: place)
    }

    private static func route(_ method: MethodDescriptor) throws -> Route {
        try #require(Routes.all.first { $0.method == method })
    }

    @Test(arguments: [Self.asked, "", nil] as [String?], ErrorReason.allCases)
    func `whatever is explained is explained at a route that answers`(
        place: String?, reason: ErrorReason
    ) throws {
        let table = RouteTable(Routes.all)
        for route in Routes.all {
            guard let path = Self.path(reason, route, at: place) else { continue }
            let matches = ["GET", "POST"].compactMap { verb -> RouteTable.Match? in
                guard case .found(let match) = table.route(verb, path) else { return nil }
                return match
            }

            #expect(matches.count == 1, "\(path)")
            let explanation = matches.first.flatMap { match in
                Routes.explanations.first { $0.template == match.route.template }
            }
            #expect(explanation?.codes.contains(reason.rawValue) == true, "\(path)")
            let organization = matches.first?.variables.first?.value
            let expected = place.flatMap { $0.isEmpty ? nil : $0 } ?? Self.above
            #expect(organization == nil || organization == expected)
        }
    }

    @Test func `every code that is explained is one of ours`() {
        let codes = Routes.explanations.flatMap(\.codes)

        #expect(codes.count == 6)
        #expect(codes.allSatisfy { ErrorReason(rawValue: $0) != nil })
    }

    @Test(arguments: [
        (OrganizationsMethods.moveOrganization, ErrorReason.membersLimitReached),
        (OrganizationsMethods.restoreOrganization, .membersLimitReached),
        (OrganizationsMethods.restoreOrganization, .seatsExhausted),
        (OrganizationsMethods.createOrganization, .nameTaken),
        (MembershipMethods.addMember, .forbidden),
    ])
    func `a refusal that no route explains names none`(
        method: MethodDescriptor, reason: ErrorReason
    ) throws {
        #expect(Self.path(reason, try Self.route(method), at: Self.asked) == nil)
    }

    @Test(arguments: ["", "not-an-identifier", "../x", nil] as [String?])
    func `without an organization that can be named there is no path`(place: String?) throws {
        let route = try Self.route(OrganizationsMethods.createOrganization)
        let problem = Problem(httpStatus: 409, code: "org_not_active", message: "")

        #expect(Explanation.path(of: problem, calling: route, at: place) == nil)
    }

    @Test func `a child and a move are explained where they would go`() async throws {
        let create = serve(OrganizationsMethods.createOrganization) {
            (_: CreateOrganizationRequest, _) -> Organization in
            throw Self.refusal(.orgNotActive)
        }
        let move = serve(OrganizationsMethods.moveOrganization) {
            (_: MoveOrganizationRequest, _) -> MoveOrganizationReply in
            throw Self.refusal(.orgNotActive)
        }
        let add = serve(MembershipMethods.addMember) { (_: AddMemberRequest, _) -> Member in
            throw Self.refusal(.orgNotActive)
        }
        let explain = serve(OrganizationsMethods.explainState) {
            (request: ExplainStateRequest, _) in
            ExplainStateReply(levels: [LevelState(organizationID: request.id)])
        }
        try await Stage.run([authentication, create, move, add, explain]) { stage in
            let other = "/v1/organizations/01890a5d-ac96-774b-bcce-b302099a8099"
            let answers = [
                try await stage.http.send(
                    "POST", "/v1/organizations", bearer, body: #"{"parent_id":"\#(Self.asked)"}"#),
                try await stage.http.send(
                    "POST", other + ":move", bearer, body: #"{"newParentId":"\#(Self.asked)"}"#),
                try await stage.http.send(
                    "POST", "/v1/organizations/\(Self.asked)/members", bearer, body: "{}"),
            ]
            for answer in answers {
                let path = try #require(try answer.text("explainUrl"), "\(answer.text)")
                let explained = try await stage.http.send("GET", path, bearer)

                #expect(answer.status == 409)
                #expect(path == "/v1/organizations/\(Self.asked):explainState")
                #expect(explained.status == 200)
                #expect(explained.text.contains(Self.asked))
            }
            let root = try await stage.http.send("POST", "/v1/organizations", bearer, body: "{}")
            #expect(
                try root.text("explainUrl") == "/v1/organizations/\(Self.above):explainState")
        }
    }
}
