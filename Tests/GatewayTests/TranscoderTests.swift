import Messages
import RPC
import Testing

@testable import Gateway

struct TranscoderTests {
    private static let table = RouteTable(Routes.all)
    private static let id = "01890a5d-ac96-774b-bcce-b302099a8057"

    /// The request of the call that an HTTP request stands for.
    private static func request<Request: RPC.Message>(
        _ verb: String, _ path: String, query: String = "", body: String = "",
        as type: Request.Type = Request.self
    ) throws -> Request {
        guard case .found(let match) = table.route(verb, path) else { throw Problem.noSuchRoute }
        return try Request(
            decoding: call(match, query: query, body: body).message)
    }

    private static func call(
        _ match: RouteTable.Match, query: String = "", body: String
    ) throws -> TranscodedRequest {
        try Transcoder(limits: Limits()).request(
            match, query: Query(query, countMax: 100), body: Array(body.utf8))
    }

    /// The problem that an HTTP request ends in.
    private static func problem(
        _ verb: String, _ path: String, query: String = "", body: String = ""
    ) -> Problem? {
        do {
            _ = try request(
                verb, path, query: query, body: body, as: GetOrganizationRequest.self)
            return nil
        } catch {
            return error as? Problem
        }
    }

    @Test func `a body becomes the request and the path fills its fields`() throws {
        let request: AddMemberRequest = try Self.request(
            "POST", "/v1/organizations/\(Self.id)/members",
            body: #"{"email":"ada@example.org","name":"Ada","roles":["ROLE_TEACHER","ROLE_OWNER"]}"#
        )

        #expect(
            request
                == AddMemberRequest(
                    organizationID: Self.id, email: "ada@example.org", name: "Ada",
                    roles: [.teacher, .owner]))
    }

    @Test func `an empty body is an empty request`() throws {
        let request: ActivateOrganizationRequest = try Self.request(
            "POST", "/v1/organizations/\(Self.id):activate")

        #expect(request == ActivateOrganizationRequest(id: Self.id))
    }

    @Test func `query parameters become fields of their types`() throws {
        let request: ListMembersRequest = try Self.request(
            "GET", "/v1/organizations/\(Self.id)/members",
            query: "pageSize=25&state=MEMBER_STATE_BLOCKED&pageToken=a%2Bb+c")

        #expect(
            request
                == ListMembersRequest(
                    organizationID: Self.id, state: .blocked, pageSize: 25, pageToken: "a+b c"))
    }

    @Test func `whole numbers of 64 bits are taken as text and as numbers`() throws {
        for number in ["9007199254740993", "\"9007199254740993\""] {
            let request: UpdateSeatsRequest = try Self.request(
                "PATCH", "/v1/organizations/\(Self.id)/seats", body: "{\"seatCount\":\(number)}")
            #expect(request.seatCount == 9_007_199_254_740_993)
        }
    }

    @Test func `a patch without a mask changes what its body names`() throws {
        let request: UpdateOrganizationRequest = try Self.request(
            "PATCH", "/v1/organizations/\(Self.id)", body: #"{"title":"North","country":""}"#)

        #expect(request.organization == Organization(id: Self.id, title: "North"))
        #expect(request.updateMask?.paths == ["title", "country"])
    }

    @Test func `a patch names neither the resource nor its version among what it changes`()
        throws
    {
        let path = "/v1/organizations/\(Self.id)"
        let body = "{\"id\":\"\(Self.id)\",\"title\":\"North\",\"etag\":\"v3\"}"
        guard case .found(let match) = Self.table.route("PATCH", path) else {
            throw Problem.noSuchRoute
        }

        let call = try Self.call(match, body: body)
        let request = try UpdateOrganizationRequest(decoding: call.message)

        #expect(request.updateMask?.paths == ["title"])
        #expect(call.entityTag == "v3")
    }

    @Test func `a patch takes back what was read, and leaves out what it cannot change`() throws {
        let path = "/v1/organizations/\(Self.id)/caps"
        let body = """
            {"organizationId":"\(Self.id)","members":"5","students":null,"version":"3",
             "etag":"v3","warnings":[]}
            """
        guard case .found(let match) = Self.table.route("PATCH", path) else {
            throw Problem.noSuchRoute
        }

        let call = try Self.call(match, body: body)

        #expect(
            try UpdateCapsRequest(decoding: call.message)
                == UpdateCapsRequest(organizationID: Self.id, members: 5))
        #expect(call.entityTag == "v3")
        #expect(Self.problem("PATCH", path, body: #"{"membrs":5}"#)?.violations[0].at == "membrs")
        #expect(Self.problem("PATCH", path, body: #"{"etag":5}"#)?.violations[0].at == "etag")
    }

    @Test func `a parameter whose name has more parts than a document has levels is refused`() {
        let query = String(repeating: "a.", count: 4_000) + "a=1"

        let problem = Self.problem("GET", "/v1/organizations", query: query)

        #expect(problem?.httpStatus == 422)
    }

    @Test(arguments: [
        #"{"newOrganization":{"parentId":"a","parent_id":"b"}}"#,
        #"{"lines":[{"productId":"a","product_id":"b"}]}"#,
    ])
    func `one field in two spellings is refused, however deep it stands`(body: String) {
        let problem = Self.problem("POST", "/v1/sales", body: body)

        #expect(problem?.httpStatus == 400)
        #expect(problem?.violations.map(\.message) == ["The name stands twice."])
    }

    @Test func `a patch with a mask changes what the mask names`() throws {
        let request: UpdateOrganizationRequest = try Self.request(
            "PATCH", "/v1/organizations/\(Self.id)", query: "updateMask=description",
            body: #"{"title":"North"}"#)

        #expect(request.updateMask?.paths == ["description"])
    }

    @Test(arguments: [
        "expiresAt,trial.validUntil", "expires_at,trial.valid_until",
        "expires_at,%20trial.validUntil",
    ])
    func `a mask is taken in either spelling`(mask: String) throws {
        let path = "/v1/organizations/\(Self.id)"
        guard case .found(let match) = Self.table.route("PATCH", path) else {
            throw Problem.noSuchRoute
        }
        let plain = mask.replacing("%20", with: " ")

        let inQuery = try Self.call(match, query: "updateMask=\(mask)", body: "{}")
        let snake = try Self.call(match, query: "update_mask=\(mask)", body: "{}")
        let inBody = try Self.call(
            match, body: "{\"title\":\"North\",\"updateMask\":\"\(plain)\"}")
        let none = try Self.call(match, body: #"{"title":"North"}"#)

        for call in [inQuery, snake, inBody] {
            let request = try UpdateOrganizationRequest(decoding: call.message)
            #expect(request.updateMask?.paths == ["expires_at", "trial.valid_until"])
            #expect(!call.isMaskImplied)
        }
        #expect(none.isMaskImplied)
    }

    @Test func `two masks that differ are refused`() {
        let path = "/v1/organizations/\(Self.id)"

        let problem = Self.problem(
            "PATCH", path, query: "updateMask=title", body: #"{"updateMask":"country"}"#)

        #expect(problem?.httpStatus == 422)
        #expect(problem?.violations.map(\.at) == ["updateMask"])
    }

    @Test func `a field of bytes takes the body as it is`() throws {
        let request: SetLogoRequest = try Self.request(
            "PUT", "/v1/organizations/\(Self.id)/images/logo", body: "\u{1}PNG")

        #expect(request == SetLogoRequest(organizationID: Self.id, image: Array("\u{1}PNG".utf8)))
    }

    @Test(arguments: [
        ("nothing=1", "nothing"), ("pageSize=many", "pageSize"), ("pageSize=1.5", "pageSize"),
        ("pageSize=99999999999", "pageSize"), ("state=asleep", "state"),
        ("pageToken=a&pageToken=b", "pageToken"),
        ("organizationId=1", "organizationId"), ("=1", ""),
    ])
    func `a query parameter that does not fit is named`(query: String, place: String) throws {
        let problem = try #require(
            Self.problem("GET", "/v1/organizations/\(Self.id)/members", query: query))

        #expect(problem.httpStatus == 422)
        #expect(problem.code == "validation")
        #expect(problem.violations.map(\.at) == [place])
    }

    @Test func `a query that cannot be decoded is no value that does not fit`() throws {
        let problem = try #require(
            Self.problem("GET", "/v1/organizations", query: "pageToken=%zz"))

        #expect(problem.httpStatus == 400)
        #expect(problem.code == "malformed_message")
        #expect(problem.violations.map(\.at) == ["pageToken"])
    }

    @Test(arguments: [
        (
            "GET", "members", "state=asleep", "",
            "One of MEMBER_STATE_ACTIVE, MEMBER_STATE_BLOCKED, MEMBER_STATE_REMOVED is expected."
        ),
        ("GET", "members", "pageSize=many", "", "A number is expected."),
        (
            "POST", "members", "", #"{"roles":["ROLE_TEACHER","ROLE_KING"]}"#,
            "One of ROLE_PLATFORM_OWNER, ROLE_GLOBAL_ADMIN, ROLE_PLATFORM_ADMIN, ROLE_PARTNER, "
                + "ROLE_RESELLER, ROLE_OWNER, ROLE_ORG_ADMIN, ROLE_MANAGER, ROLE_BILLING_ADMIN, "
                + "ROLE_USER_ADMIN, ROLE_TEACHER, ROLE_STUDENT, ROLE_MEMBER is expected."
        ),
        (
            "POST", "emailMasks", "", #"{"mode":true}"#,
            "One of EMAIL_MASK_MODE_JOIN, EMAIL_MASK_MODE_ALLOW is expected."
        ),
        ("POST", "members", "", #"{"email":5}"#, "A text is expected."),
    ])
    func `what would be right is told`(
        verb: String, list: String, query: String, body: String, sentence: String
    ) throws {
        let problem = try #require(
            Self.problem(
                verb, "/v1/organizations/\(Self.id)/\(list)", query: query, body: body))

        #expect(problem.violations.map(\.message) == [sentence])
        #expect(problem.message.hasSuffix(sentence))
    }

    @Test(arguments: [
        ("subtree=yes", "true or false is expected."),
        ("updatedAfter=today", "An instant such as 2030-01-31T08:00:00Z is expected."),
    ])
    func `what a parameter takes is told`(query: String, sentence: String) throws {
        let problem = try #require(Self.problem("GET", "/v1/organizations", query: query))

        #expect(problem.violations.map(\.message) == [sentence])
    }

    @Test(arguments: [
        (#"{"titel":"x"}"#, "titel"), (#"{"title":5}"#, "title"), (#"{"title":["x"]}"#, "title"),
        (#"{"category":"SHOP"}"#, "category"),
        (#"{"title":{}}"#, "title"),
    ])
    func `a body that does not fit is refused at its place`(body: String, place: String) throws {
        let problem = try #require(Self.problem("POST", "/v1/organizations", body: body))

        #expect(problem.httpStatus == 422)
        #expect(problem.code == "validation")
        #expect(problem.violations.map(\.at) == [place])
    }

    @Test(arguments: [
        ("[]", "body"), ("5", "body"), ("{", "byte 1"), (#"{"title":"x","title":"y"}"#, "title"),
        (#"{"parent_id":"x","parentId":"y"}"#, "parentId"),
    ])
    func `a body that cannot be read is refused at its place`(body: String, place: String) throws {
        let problem = try #require(Self.problem("POST", "/v1/organizations", body: body))

        #expect(problem.httpStatus == 400)
        #expect(problem.code == "malformed_message")
        #expect(problem.violations.map(\.at) == [place])
    }

    @Test(arguments: [
        (#"{"lines":[{"quantity":1},{"quantity":"many"}]}"#, "lines[1].quantity"),
        (#"{"newOrganization":{"colors":{"primary":7}}}"#, "newOrganization.colors.primary"),
        (#"{"lines":{}}"#, "lines"), (#"{"lines":[null]}"#, "lines[0]"),
    ])
    func `a wrong value deep inside is named by its path`(body: String, place: String) throws {
        let problem = try #require(Self.problem("POST", "/v1/sales", body: body))

        #expect(problem.violations.map(\.at) == [place])
    }

    @Test func `a body may not say otherwise than the path`() throws {
        let path = "/v1/organizations/\(Self.id)/members"

        #expect(Self.problem("POST", path, body: #"{"organizationId":"other"}"#)?.httpStatus == 422)
        #expect(Self.problem("POST", path, body: "{\"organizationId\":\"\(Self.id)\"}") == nil)
    }

    @Test func `a body is JSON or is not there`() throws {
        #expect(Self.problem("GET", "/v1/organizations", body: "{}")?.httpStatus == 400)
        #expect(Self.problem("POST", "/v1/organizations", query: "title=x")?.httpStatus == 422)
    }
}
