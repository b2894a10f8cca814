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
    private static let other = "01890a5d-ac96-774b-bcce-b302099a8099"

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
            let other = "/v1/organizations/\(Self.other)"
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

    /// A method that is refused, whatever is asked of it.
    private static func refusing<Request: RPC.Message, Reply: RPC.Message>(
        _ method: MethodDescriptor, _ request: Request.Type, _ reply: Reply.Type
    ) -> RegisteredMethod {
        serve(method) { (_: Request, _) -> Reply in throw Self.refusal(.orgNotActive) }
    }

    @Test(
        arguments: [
            ("PATCH", "/\(Self.asked)", #"{"title":"New"}"#),
            ("POST", "/\(Self.asked):activate", "{}"),
            ("POST", "/\(Self.asked):deactivate", "{}"),
            ("DELETE", "/\(Self.asked)", nil), ("GET", "?parent=\(Self.asked)", nil),
        ] as [(String, String, String?)])
    func `what is asked of an organization is explained there, not where it is refused`(
        verb: String, place: String, body: String?
    ) async throws {
        let methods = [
            Self.refusing(
                OrganizationsMethods.updateOrganization, UpdateOrganizationRequest.self,
                Organization.self),
            Self.refusing(
                OrganizationsMethods.activateOrganization, ActivateOrganizationRequest.self,
                Organization.self),
            Self.refusing(
                OrganizationsMethods.deactivateOrganization, DeactivateOrganizationRequest.self,
                Organization.self),
            Self.refusing(
                OrganizationsMethods.deleteOrganization, DeleteOrganizationRequest.self,
                Organization.self),
            Self.refusing(
                OrganizationsMethods.listOrganizations, ListOrganizationsRequest.self,
                ListOrganizationsReply.self),
        ]
        try await Stage.run([authentication] + methods) { stage in
            let answer = try await stage.http.send(
                verb, "/v1/organizations\(place)", bearer, body: body)

            #expect(answer.status == 409)
            #expect(
                try answer.text("explainUrl") == "/v1/organizations/\(Self.asked):explainState")
        }
    }

    @Test func `a file that is refused before it is sent, after it, or on its way is explained`()
        async throws
    {
        let check = serve(ImportsMethods.checkImport) {
            (request: CheckImportRequest, _) -> CheckImportReply in
            guard request.parent != Self.asked else { throw Self.refusal(.orgNotActive) }
            return CheckImportReply()
        }
        let plan = RegisteredMethod(
            ImportsMethods.planImport,
            .clientStreaming { requests, _ in
                while try await requests.next() != nil {}
                throw Self.refusal(.orgNotActive)
            })
        let export = RegisteredMethod(
            ImportsMethods.exportOrganizations,
            .serverStreaming { _, _, _ in throw Self.refusal(.orgNotActive) })
        try await Stage.run([authentication, check, plan, export]) { stage in
            let imports = "/v1/imports?parent="
            let exports = "/v1/organizations:export?parent="
            let answers = [
                try await stage.http.send("POST", imports + Self.asked, bearer, body: "Title"),
                try await stage.http.send("POST", imports + Self.other, bearer, body: "Title"),
                try await stage.http.send("GET", exports + Self.asked, bearer),
            ]
            let paths = try answers.map { try $0.text("explainUrl") ?? "" }

            #expect(answers.map(\.status) == [409, 409, 409])
            #expect(
                paths
                    == [Self.asked, Self.other, Self.asked].map { place in
                        "/v1/organizations/\(place):explainState"
                    })
        }
    }
}
