import Encodings
import Messages
import RPC
import ServiceKit
import SwiftProtobuf
import Testing

@testable import Gateway

struct RouteTableTests {
    /// A route whose method bears the template, so that a match can be told.
    private static func route(_ verb: String, _ template: String) -> Route {
        Route(
            verb: verb, template: template, body: "", bodyIsBytes: false,
            method: MethodDescriptor(service: "test", name: template),
            request: Google_Protobuf_Empty.self, reply: Google_Protobuf_Empty.self)
    }

    private static let table = RouteTable([
        route("GET", "/v1/organizations"), route("POST", "/v1/organizations"),
        route("GET", "/v1/organizations/{id}"), route("POST", "/v1/organizations/{id}:activate"),
        route("PATCH", "/v1/organizations/{organization.id}"),
        route("POST", "/v1/organizations:provision"),
        route("GET", "/v1/organizations/{organization_id}/members/{user_id}"),
        route("POST", "/v1/organizations/{organization_id}/members/{user_id}:block"),
        route("GET", "/v1/organizations/{organization_id}/appearance:effective"),
        route("GET", "/v1/sessions/{id}"), route("DELETE", "/v1/sessions/current"),
    ])

    @Test(arguments: [
        ("GET", "/v1/organizations", "/v1/organizations", []),
        ("GET", "/v1/organizations/7", "/v1/organizations/{id}", ["id=7"]),
        (
            "PATCH", "/v1/organizations/7", "/v1/organizations/{organization.id}",
            ["organization.id=7"]
        ),
        ("POST", "/v1/organizations/7:activate", "/v1/organizations/{id}:activate", ["id=7"]),
        ("POST", "/v1/organizations:provision", "/v1/organizations:provision", []),
        (
            "POST", "/v1/organizations/7/members/8:block",
            "/v1/organizations/{organization_id}/members/{user_id}:block",
            ["organization_id=7", "user_id=8"]
        ),
        (
            "GET", "/v1/organizations/7/appearance:effective",
            "/v1/organizations/{organization_id}/appearance:effective", ["organization_id=7"]
        ),
        ("GET", "/v1/organizations/a%20b%2Fc%3A", "/v1/organizations/{id}", ["id=a b/c:"]),
        // A literal wins; where it does not have the verb, the variable does.
        ("DELETE", "/v1/sessions/current", "/v1/sessions/current", []),
        ("GET", "/v1/sessions/current", "/v1/sessions/{id}", ["id=current"]),
    ])
    func `a path finds its route and the values of its variables`(
        verb: String, path: String, template: String, variables: [String]
    ) throws {
        guard case .found(let match) = Self.table.route(verb, path) else {
            Issue.record("nothing found")
            return
        }
        #expect(match.route.template == template)
        #expect(match.variables.map { "\($0.field)=\($0.value)" } == variables)
    }

    @Test(arguments: [
        "/", "", "v1/organizations", "/v1/organizations/", "/v1//organizations", "/v1/nothing",
        "/v1/organizations/7:explode", "/v1/organizations/:activate", "/v1/organizations/7/x",
        "/v1/organizations/%", "/v1/organizations/%0", "/v1/organizations/%00",
        "/v1/organizations/%ff", "/v1/organizations/7:",
    ])
    func `a path that no route has is unknown`(path: String) {
        guard case .unknown = Self.table.route("GET", path) else {
            Issue.record("something found")
            return
        }
    }

    @Test func `a path that exists for other verbs names them`() {
        guard case .otherVerbs(let verbs) = Self.table.route("PUT", "/v1/organizations/7") else {
            Issue.record("not told")
            return
        }
        #expect(verbs == ["GET", "PATCH"])
    }

    @Test func `every generated route is found by its own template and has a service`() throws {
        let table = RouteTable(Routes.all)
        #expect(!Routes.all.isEmpty)
        for route in Routes.all {
            let path = PathTemplate(route.template).segments.map { segment in
                switch segment {
                case .literal(let text): "/" + text
                case .variable(_, let verb): "/x" + (verb.map { ":" + $0 } ?? "")
                }
            }.joined()
            guard case .found(let match) = table.route(route.verb, path) else {
                Issue.record("\(route.verb) \(path) is not found")
                continue
            }
            #expect(match.route.method == route.method)
            #expect(Backend(of: route.method) != nil)
        }
    }

    @Test func `no organization can have a path that the gateway serves`() {
        let paths =
            Routes.all.map(\.template) + Front.pagePaths + Front.accountPaths + [Assets.prefix]
        let segments = Set(
            paths.compactMap { path in
                path.split(separator: "/").first?.split(separator: ":").first.map(String.init)
            })

        // A custom URL has no dot: openapi.json is none.
        let slugs = segments.filter { !$0.contains(".") }
        #expect(slugs.isSuperset(of: ["v1", "assets", "contact", "docs"]))
        #expect(slugs.isSuperset(of: ["console", "login", "logout", "signup"]))
        #expect(slugs.subtracting(ReservedPaths.segments).isEmpty)
    }
}
