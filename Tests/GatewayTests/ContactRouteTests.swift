import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

struct ContactRouteTests {
    @Test func `the contact form is open to everybody, and calls for no session`() async throws {
        let seen = Last<CallContext>()
        let submit = serve(ContactsMethods.submitContact) {
            (request: SubmitContactRequest, context) throws -> SubmitContactReply in
            seen.keep(context)
            guard request.customURL == "school" else {
                throw Status.refusal(.busy, "Later.")
            }
            return SubmitContactReply()
        }
        try await Stage.run([submit]) { stage in
            let taken = try await stage.http.send(
                "POST", "/v1/contact",
                body: #"{"kind":"CONTACT_KIND_PRODUCT","email":"a@b.org","customUrl":"school"}"#)
            let later = try await stage.http.send("POST", "/v1/contact", body: "{}")

            #expect(taken.status == 200 && taken.text == "{}")
            #expect(later.status == 429)
        }
        #expect(seen.value?.metadata[bytes: MetadataKey.principal] == nil)
    }
}
