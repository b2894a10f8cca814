import Messages
import RPC
import Testing

@testable import Gateway

/// A `PUT` says what it is about.
struct ReplacementTests {
    private static let id = "01890a5d-ac96-774b-bcce-b302099a8057"

    private static func request(_ route: Route, _ body: String) throws -> [UInt8] {
        let path = route.template.replacing("{organization_id}", with: id)
        guard case .found(let match) = RouteTable(Routes.all).route("PUT", path[...]) else {
            throw Problem.noSuchRoute
        }
        return try Transcoder(limits: Limits()).request(
            match, query: Query("", countMax: 1), body: Array(body.utf8)
        ).message
    }

    private static let routes = Routes.all.filter { $0.verb == "PUT" && $0.content.isJSON }

    @Test(arguments: ["", "{}", "{\"organizationId\":\"\(Self.id)\"}"])
    func `without it nothing is switched off or taken away`(body: String) throws {
        for route in Self.routes {
            let field = try #require(route.replacedField, "\(route.template)").name

            let problem = try #require(throws: Problem.self) { try Self.request(route, body) }

            #expect(problem.httpStatus == 422 && problem.code == "validation")
            #expect(problem.violations.map(\.at) == [field])
            #expect(problem.violations.map(\.message) == ["This field is missing."])
        }
        #expect(Self.routes.count == 5)
    }

    @Test func `it may be said to be off, none or empty`() throws {
        func request<Request: RPC.Message>(
            _ method: MethodDescriptor, _ body: String, as type: Request.Type = Request.self
        ) throws -> Request {
            let route = try #require(Self.routes.first { $0.method == method })
            return try Request(decoding: try Self.request(route, body))
        }

        let off: SetWhiteLabelRequest = try request(
            BrandingMethods.setWhiteLabel, #"{"enabled":false}"#)
        let none: SetMemberDiscountRequest = try request(
            MemberDiscountsMethods.setMemberDiscount, #"{"basis_points":null}"#)
        let empty: SetContactReceiversRequest = try request(
            ContactsMethods.setContactReceivers, #"{"receivers":[]}"#)
        let all: SetOrganizationModulesRequest = try request(
            OrganizationModulesMethods.setOrganizationModules, #"{"own":null}"#)
        let nothing: SetOrganizationModulesRequest = try request(
            OrganizationModulesMethods.setOrganizationModules, #"{"own":{}}"#)

        #expect(all == SetOrganizationModulesRequest(organizationID: Self.id))
        #expect(nothing.own == ModuleGrants())
        #expect(off == SetWhiteLabelRequest(organizationID: Self.id))
        #expect(none == SetMemberDiscountRequest(organizationID: Self.id))
        #expect(empty == SetContactReceiversRequest(organizationID: Self.id))
    }

    @Test func `null is no answer to whether white label is on`() throws {
        let route = try #require(Self.routes.first { $0.method == BrandingMethods.setWhiteLabel })

        #expect(throws: Problem.self) { try Self.request(route, #"{"enabled":null}"#) }
    }
}
