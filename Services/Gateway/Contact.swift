import Messages
import RPC

/// The contact form: a page, and what becomes of what is sent by it.
struct Contact: Sendable {
    /// Where the form is, and goes to.
    static let path = "/contact"
    /// Where whoever sent it is led.
    static let sentPath = "/contact/sent"
    /// The fields of a form, and a few that programs add.
    private static let fieldCountMax = 16

    let organizations: any Channel
    let address: HTTPAddress
    let limits: Limits

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
            form = try await read(request)
            guard isFromHere(request) else { throw .formFromElsewhere }
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

    private func read(_ request: Incoming) async throws(Problem) -> ContactForm {
        let body = try await request.body(limits.formBytesMax)
        guard request.mediaType == "application/x-www-form-urlencoded" else {
            throw .unsupportedType("application/x-www-form-urlencoded")
        }
        return ContactForm(
            try Query(String(decoding: body, as: UTF8.self), countMax: Self.fieldCountMax))
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

    /// Whether a form comes from a page of the gateway.
    ///
    /// There is no session that another site could use; but no other site shall have its visitors
    /// write here without their knowing. Browsers say where a form comes from; programs, which say
    /// nothing, may write as by the API.
    private func isFromHere(_ request: Incoming) -> Bool {
        if let site = request.field("sec-fetch-site") {
            return site == "same-origin" || site == "none"
        }
        guard let origin = request.field("origin") else { return true }
        guard let authority = Self.authority(of: origin) else { return false }
        let here = [request.field("host"), Self.authority(of: address.publicURL)]
        return here.contains { $0?.lowercased() == authority.lowercased() }
    }

    /// The host and port in an address; nil when it has none, as `null`.
    private static func authority(of address: String) -> String? {
        guard let start = address.firstRange(of: "://")?.upperBound else { return nil }
        return String(address[start...].prefix { $0 != "/" })
    }
}

extension Problem {
    /// A form that another site has sent.
    fileprivate static let formFromElsewhere = Problem(
        httpStatus: 403, code: "forbidden",
        message: "The form was sent by another site. Please send it from this page.")
}
