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
