import Encodings
import ServiceKit

/// What the gateway says of its own routes: the OpenAPI document, and the same as a page.
///
/// Both are made once, of what was generated with the routes.
enum Documentation {
    /// Where the document is.
    static let documentPath = "/openapi.json"
    /// Where the page is.
    static let pagePath = "/docs"

    /// The document, for programs.
    static let document = LastingAnswer(
        Answer(
            status: 200,
            fields: ["Content-Type": "application/json", "Cache-Control": "no-cache"],
            body: Array(OpenAPIDocument.text.utf8)))

    /// The page, for people.
    static let page = LastingAnswer(DocsPage(parsed).frame.answer())

    private static var parsed: JSONValue {
        do throws(JSONFault) {
            return try JSONValue(
                parsing: OpenAPIDocument.text.utf8, depthMax: Limits().jsonDepthMax)
        } catch {
            preconditionFailure("the generated document is JSON: \(error.sentence)")
        }
    }
}

/// An answer that is the same as long as the program runs: whoever has it is told so.
struct LastingAnswer: Sendable {
    private let answer: Answer
    private let tag: String

    /// - Parameter answer: The answer, whose tag is made of its body.
    init(_ answer: Answer) {
        tag = Hexadecimal.text(Digest.sha256(answer.body).prefix(16))
        var answer = answer
        answer.fields["ETag"] = "\"\(tag)\""
        answer.fields["Cache-Control"] = "no-cache"
        self.answer = answer
    }

    /// The answer to a request, without the body for whoever has it.
    func answer(to request: Incoming) -> Answer {
        guard ETag.matches(request.field("if-none-match"), tag) else { return answer }
        var answer = answer
        answer.status = 304
        answer.body = []
        return answer
    }
}
