import Messages
import RPC

/// The contact form: a page, and what becomes of what is sent by it.
struct Contact: Sendable {
    /// Where the form is, and goes to.
    static let path = "/contact"
    /// Where whoever sent it is led.
    static let sentPath = "/contact/sent"

    let organizations: any Channel
    let openCalls: OpenCalls
    let address: HTTPAddress
    let limits: Limits

    private var forms: Forms { Forms(address: address, limits: limits) }

    /// Answers a request for one of the paths.
    func answer(_ request: Incoming, requestID: String) async throws(Problem) -> Answer {
        if request.verb == "POST", request.path == Self.path {
            return await submit(request, requestID: requestID)
        }
        guard request.verb == "GET" || request.verb == "HEAD" else {
            throw .otherVerbs(["GET", "HEAD"] + (request.path == Self.path ? ["POST"] : []))
        }
        let form = ContactForm(try Query(request.query, countMax: limits.parameterCountMax))
        let page = ContactPage(form: form)
        return request.path == Self.path ? page.frame.answer() : page.thanks.answer()
    }

    /// Hands on what somebody wrote, and leads them away from the form: who loads the page again
    /// sends nothing again.
    private func submit(_ request: Incoming, requestID: String) async -> Answer {
        var form = ContactForm(Query())
        do throws(Problem) {
            form = ContactForm(try await forms.query(of: request))
            // There is no session that another site could use; but no other site shall have its
            // visitors write here without their knowing.
            try forms.requireFromHere(request, silence: .isTaken)
            try openCalls.admit(request)
            try await handOn(form, requestID: requestID)
            let place = form.organization.isEmpty ? "" : "?organization=\(form.organization)"
            return Answer(
                status: 303,
                fields: ["Location": Self.sentPath + place, "Cache-Control": "no-store"])
        } catch {
            let page = ContactPage(form: form, problem: error)
            var answer = page.frame.answer(error.httpStatus)
            answer.fields.merge(error.fields) { $1 }
            if error.closesConnection { answer.fields["Connection"] = "close" }
            return answer
        }
    }

    private func handOn(_ form: ContactForm, requestID: String) async throws(Problem) {
        var metadata = Metadata()
        metadata[text: MetadataKey.requestID] = requestID
        do {
            _ = try await ContactsClient(organizations).submitContact(
                form.request, options: CallOptions(timeout: limits.callTimeout, metadata: metadata))
        } catch {
            throw Problem(Status(thrown: error), from: .organizations)
        }
    }
}
