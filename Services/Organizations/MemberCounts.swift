import Access
import Logging
import Messages
import RPC
import ServiceKit
import Storage

/// Keeps how many people are counted where, as Membership says: lists are ordered by it.
struct MemberCounts: Sendable {
    /// The pause between two looks when nothing more is there.
    static let period: Duration = .milliseconds(500)
    /// The pause after a failure.
    static let failurePause: Duration = .seconds(2)

    let database: Database
    /// Asks Membership.
    let ask: @Sendable (ListMemberCountsRequest) async throws -> ListMemberCountsReply
    let logger: Logger

    /// Follows until the task is cancelled.
    func run() async throws {
        while !Task.isCancelled {
            do {
                if try await !follow() { try await Task.sleep(for: Self.period) }
            } catch is CancellationError {
                return
            } catch {
                logger.debug("member counts not read", metadata: ["error": "\(error)"])
                try await Task.sleep(for: Self.failurePause)
            }
        }
    }

    /// Takes over one part.
    ///
    /// - Returns: Whether there is more to ask for at once.
    func follow() async throws -> Bool {
        let position = try await database.read { try $0.memberCountPosition() }
        let reply = try await ask(
            ListMemberCountsRequest(
                afterSequence: position?.sequence ?? 0,
                incarnation: position?.incarnation ?? []))
        let known = MemberCountPosition(
            sequence: reply.sequence, incarnation: reply.incarnation)
        guard known != position || !reply.counts.isEmpty else { return reply.more }
        try await database.write { transaction in
            if reply.anew { try transaction.forgetMemberCounts() }
            for count in reply.counts {
                guard let id = OrganizationID(text: count.organizationID) else { continue }
                try transaction.setMembers(count.members, of: id)
            }
            try transaction.setMemberCountPosition(known)
        }
        return reply.more
    }
}
