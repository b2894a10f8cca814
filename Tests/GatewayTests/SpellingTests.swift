import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// Names of fields as clients and services spell them, and what of a request is not for services.
struct SpellingTests {
    private static let path = "/v1/organizations/01890a5d-ac96-774b-bcce-b302099a8057"

    @Test func `what is wrong is named as JSON names it`() async throws {
        let update = serve(OrganizationsMethods.updateOrganization) {
            (_: UpdateOrganizationRequest, context) -> Organization in
            throw Status.refusal(
                .validation, "Wrong.",
                fields: [
                    .init(field: "organization.trial.valid_until", description: "a"),
                    .init(field: "update_mask", description: "b"),
                ])
        }
        let move = serve(OrganizationsMethods.moveOrganization) {
            (_: MoveOrganizationRequest, _) -> MoveOrganizationReply in
            throw Status.invalid("new_parent_id", "Please name one.")
        }
        let createSale = serve(PartnersMethods.createSale) { (_: CreateSaleRequest, _) -> Sale in
            throw Status.invalid("lines[1].product_id", "There is none.")
        }
        try await Stage.run([authentication, update, move, createSale]) { stage in
            let changed = try await stage.http.send("PATCH", Self.path, bearer, body: "{}")
            let moved = try await stage.http.send("POST", Self.path + ":move", bearer, body: "{}")
            let sold = try await stage.http.send("POST", "/v1/sales", bearer, body: "{}")

            #expect(changed.status == 422)
            #expect(changed.text.contains(#""at":"trial.validUntil","message":"a""#))
            #expect(changed.text.contains(#""at":"updateMask","message":"b""#))
            #expect(moved.text.contains(#""at":"newParentId""#))
            #expect(sold.text.contains(#""at":"lines[1].productId""#))
        }
    }

    @Test(arguments: [
        (#"{"title":5}"#, "title", "A text is expected."),
        (#"{"trial":{"valid_until":5}}"#, "trial.validUntil", "A text is expected."),
        (#"{"id":"another"}"#, "id", "The body says otherwise than the path."),
        (#"{"titel":"x"}"#, "titel", "There is no such field."),
        (#"{"trial":{"valid_for":5}}"#, "trial.valid_for", "There is no such field."),
    ])
    func `what the gateway finds wrong is named as it stands in the body`(
        body: String, place: String, sentence: String
    ) async throws {
        try await Stage.run([authentication]) { stage in
            let answer = try await stage.http.send("PATCH", Self.path, bearer, body: body)

            #expect(answer.status == 422)
            #expect(
                answer.text.contains(#""at":"\#(place)","message":"\#(sentence)""#),
                "\(answer.text)")
            #expect(try answer.text("message") == "\(place): \(sentence)")
        }
    }

    @Test(arguments: [
        ("page_size=many", "pageSize"), ("page_token=a&page_token=b", "pageToken"),
        ("updated_after=today", "updatedAfter"),
    ])
    func `a parameter is named as JSON names it`(query: String, place: String) async throws {
        try await Stage.run([authentication]) { stage in
            let answer = try await stage.http.send("GET", "/v1/organizations?\(query)", bearer)

            #expect(answer.status == 422)
            #expect(answer.text.contains(#""at":"\#(place)""#), "\(answer.text)")
        }
    }

    @Test func `names of fields in answers are spelled as JSON spells them`() async throws {
        let get = serve(OrganizationsMethods.getOrganization) {
            (request: GetOrganizationRequest, _) in
            Organization(
                id: request.id, title: "expires_at",
                normalized: ["expires_at", "trial.valid_until"])
        }
        let rows = serve(ImportsMethods.listImportRows) { (_: ListImportRowsRequest, _) in
            ListImportRowsReply(rows: [
                ImportRow(
                    path: ["email_masks"],
                    differences: [ImportDifference(field: "email_masks", oldValue: "a_b")])
            ])
        }
        try await Stage.run([authentication, get, rows]) { stage in
            let organization = try await stage.http.send("GET", Self.path, bearer)
            let row = try await stage.http.send("GET", "/v1/imports/7/rows", bearer)

            #expect(organization.text.contains(#""normalized":["expiresAt","trial.validUntil"]"#))
            #expect(organization.text.contains(#""title":"expires_at""#))
            #expect(row.text.contains(#""field":"emailMasks","oldValue":"a_b""#), "\(row.text)")
            #expect(row.text.contains(#""path":["email_masks"]"#))
        }
    }

    @Test func `a mask that nobody wrote is told from one that somebody did`() async throws {
        let implied = Last<Bool>()
        let update = serve(OrganizationsMethods.updateOrganization) {
            (request: UpdateOrganizationRequest, context) in
            implied.keep(context.isMaskImplied)
            return request.organization ?? Organization()
        }
        try await Stage.run([authentication, update]) { stage in
            let body = #"{"title":"North","memberCount":"7"}"#
            _ = try await stage.http.send("PATCH", Self.path, bearer, body: body)
            #expect(implied.value == true)

            _ = try await stage.http.send(
                "PATCH", Self.path + "?updateMask=memberCount", bearer, body: body)
            #expect(implied.value == false)
        }
    }

    @Test func `a key or tag in the header that is none is refused as such`() async throws {
        try await Stage.run([authentication]) { stage in
            let key = try await stage.http.send(
                "POST", "/v1/organizations", bearer.with("Idempotency-Key", "a b"), body: "{}")
            let tag = try await stage.http.send(
                "PATCH", Self.path, bearer.with("If-Match", "\"\""), body: "{}")

            #expect(key.status == 400)
            #expect(try key.text("code") == "idempotency_key_invalid")
            #expect(tag.status == 400)
            #expect(try tag.text("code") == "malformed_message")
        }
    }
}
