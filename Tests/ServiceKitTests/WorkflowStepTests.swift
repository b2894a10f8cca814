import Encodings
import Messages
import RPC
import Storage
import Testing

@testable import ServiceKit

/// What the workflows of all services have in common.
@Suite struct WorkflowStepTests {
    private static func refusal(_ reason: ErrorReason) -> Status { .refusal(reason, "No.") }

    @Test(arguments: [
        Status(.invalidArgument, "No."), refusal(.notFound), refusal(.nameTaken),
        refusal(.membersLimitReached), Status(.outOfRange, "No."), refusal(.commandCancelled),
        Status(
            .resourceExhausted, "A request has 9 bytes.",
            details: [RPCReason.requestTooLarge.detail()]),
    ])
    func `what is refused for good is not asked again`(status: Status) async throws {
        let outcome = await StepOutcome.of { throw status }

        guard case .refused(let bytes, let words) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(try Status(decoding: bytes) == status)
        #expect(words == "\(status.code): \(status.message)")
    }

    @Test(arguments: [
        Status(.unavailable, "Later."), Status(.deadlineExceeded, "Late."),
        Status(.internal, "Broken."), Status(.unknown, "Perhaps."), refusal(.orgMoving),
        // What passes: a queue, a full disk, a server that takes no more calls for now.
        refusal(.busy), Status(.resourceExhausted, "Full."),
        Status(.resourceExhausted, "Full.", details: [RPCReason.serverBusy.detail()]),
        // The installation is at fault, and may be mended.
        refusal(.forbidden), refusal(.unauthenticated), Status(.unimplemented, "What?"),
    ])
    func `what may pass is asked again`(status: Status) async {
        #expect(
            await StepOutcome.of { throw status }
                == .unknown("\(status.code): \(status.message)"))
    }

    @Test func `the key of a step is the same for ever`() {
        let key = WorkflowRunner.stepKey(
            of: [UInt8](repeating: 1, count: 16), step: "count_people")

        // Changed, it would have steps under way done twice.
        #expect(Hexadecimal.text(key) == "76055060ceaf91b355014f4b46b43e76")
    }
}
