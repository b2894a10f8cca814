import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// What passes by itself says when to try again.
struct RetryAfterTests {
    private static func passing(_ reason: ErrorReason, after delay: Duration) -> Status {
        var status = Status.refusal(reason, "Wait.")
        status.details.append(.retryInfo(delay: delay))
        return status
    }

    @Test(arguments: [
        (Status.refusal(.busy, "Wait."), 429, "1"),
        (Status.refusal(.unavailable, "Wait."), 503, "1"),
        (Status.refusal(.notAcknowledged, "Wait."), 503, "1"),
        (Status(.resourceExhausted, "Wait."), 429, "1"),
        (Status(.unavailable, "Wait."), 503, "1"),
        (Self.passing(.notAcknowledged, after: .milliseconds(500)), 503, "1"),
        (Self.passing(.busy, after: .seconds(3_600)), 429, "3600"),
        (Self.passing(.orgMoving, after: .milliseconds(1_001)), 409, "2"),
    ])
    func `every answer that passes says when`(status: Status, http: Int, seconds: String) {
        let problem = Problem(status, from: .organizations)

        #expect(problem.httpStatus == http)
        #expect(problem.fields["Retry-After"] == seconds)
    }

    @Test(arguments: [
        (Status.refusal(.nameTaken, "No."), 409),
        (Status(.deadlineExceeded, "Late."), 504),
        (Status(.unavailable, "Never.", details: [.retryNever]), 503),
    ])
    func `where waiting does not help nothing is said`(status: Status, http: Int) {
        let problem = Problem(status, from: .organizations)

        #expect(problem.httpStatus == http)
        #expect(problem.fields["Retry-After"] == nil)
    }

    @Test(arguments: [
        Problem.tooManyFiles, .tooManyFilesOfOne(4),
    ])
    func `the gateway's own refusals say when, too`(problem: Problem) {
        #expect(problem.httpStatus == 429)
        #expect(problem.fields["Retry-After"] == "2")
    }

    @Test func `what is not acknowledged is nothing that a client tries again by itself`() {
        let status = Status.refusal(.notAcknowledged, "It is stored.")

        #expect(status.code == .aborted)
        #expect(!status.isTransient && !status.isForGood)
    }

    @Test func `a gateway that is not ready says when to look again`() async throws {
        try await Stage.run([], serving: [.organizations, .membership, .partners]) { stage in
            let answer = try await stage.http.send("GET", "/readyz")

            #expect(answer.status == 503)
            #expect(answer.fields["retry-after"] == "1")
        }
    }
}
