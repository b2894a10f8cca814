import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

extension SignUpService {
    func listPendingSignUps(
        _ request: ListPendingSignUpsRequest, _ context: CallContext
    ) async throws -> ListPendingSignUpsReply {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let state = try PendingState(request.state)
        var arguments = request
        arguments.pageSize = 0
        arguments.pageToken = ""
        let page = try service.pageTokens.page(
            context, size: request.pageSize, token: request.pageToken, arguments: arguments)
        let cursor = try PendingCursor(page)
        return try await service.whenKnown {
            try await service.database.read { snapshot in
                let path = try service.path(to: organization, context, in: snapshot)
                try service.check(
                    caller.decide(.approveSignups, at: path.ids, pausedAt: path.pause))
                let found = try snapshot.pendingSignUps(
                    at: organization, state, after: cursor, limit: page.limit)
                let (pending, next) = page.cut(found) { [$0.created, $0.user.id] }
                return ListPendingSignUpsReply(
                    pendingSignUps: pending.map { PendingSignUp($0) }, nextPageToken: next,
                    totalSize: try snapshot.pendingSignUpCount(at: organization, state))
            }
        }
    }

    func approvePendingSignUp(
        _ request: ApprovePendingSignUpRequest, _ context: CallContext
    ) async throws -> PendingSignUp {
        let caller = try context.principal
        let newID: MembershipID = service.identifiers.next()
        return try await decide(request, context, request.organizationID, request.userID) {
            transaction, pending, path, now in
            let organization = pending.organization
            let previous = try transaction.membership(of: pending.user.id, in: organization)
            _ = try transaction.admit(
                pending.user, in: .member, by: .joining, at: path, for: caller,
                previous: previous, newID: newID, now: now)
            // The door has written it.
            return pending.decided(.approved, at: now)
        }
    }

    func rejectPendingSignUp(
        _ request: RejectPendingSignUpRequest, _ context: CallContext
    ) async throws -> PendingSignUp {
        try await decide(request, context, request.organizationID, request.userID) {
            transaction, pending, _, now in
            try transaction.decide(pending, .rejected, at: now)
        }
    }

    /// Decides about somebody who waits; a refusal leaves them waiting.
    private func decide(
        _ request: some Message, _ context: CallContext, _ organizationText: String,
        _ userText: String,
        _ body:
            @escaping @Sendable (
                Transaction, PendingSignUpRecord, TreePath, WallTime
            ) throws -> PendingSignUpRecord
    ) async throws -> PendingSignUp {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: organizationText, field: "organization_id")
        let user = try UserID(requestText: userText, field: "user_id")
        let now = context.now
        return try await service.whenKnown {
            try await service.database.command(context, request) { [service] transaction in
                let path = try service.path(to: organization, context, in: transaction)
                try service.check(
                    caller.decide(.approveSignups, at: path.ids, pausedAt: path.pause))
                guard let pending = try transaction.pendingSignUp(of: user, at: organization)
                else { throw Refusal.noSuchPendingSignUp }
                guard pending.state == .pending else { throw Refusal.signUpDecided }
                return PendingSignUp(try body(transaction, pending, path, now))
            }
        }
    }
}

extension PendingState {
    /// The state that a list is limited to: those who wait when none is named.
    fileprivate init(_ state: PendingSignUpState) throws(Denial) {
        switch state {
        case .unspecified, .pending: self = .pending
        case .approved: self = .approved
        case .rejected: self = .rejected
        case .unrecognized: throw .invalid(field: "state", "There is no such state.")
        }
    }
}

extension PendingCursor {
    /// Where a page begins; nil: at the first.
    fileprivate init?(_ page: Page) throws(Denial) {
        guard let after = page.after else { return nil }
        guard case .integer(let created) = after.first, case .blob(let bytes) = after.last,
            after.count == 2, let user = UserID(bytes: bytes)
        else { throw .invalid(field: "page_token", "This token is not valid here.") }
        self.init(created: WallTime(microseconds: created), user: user)
    }
}

extension PendingSignUp {
    fileprivate init(_ pending: PendingSignUpRecord) {
        let state: PendingSignUpState =
            switch pending.state {
            case .pending: .pending
            case .approved: .approved
            case .rejected: .rejected
            }
        self.init(
            organizationID: pending.organization.text, userID: pending.user.id.text,
            email: pending.user.email, name: pending.user.name,
            reason: PendingSignUpReason(pending.reason), state: state,
            createdAt: Timestamp(pending.created), decidedAt: pending.decided.map(Timestamp.init))
    }
}

extension PendingSignUpReason {
    init(_ reason: WaitReason) {
        self =
            switch reason {
            case .noMask: .noMask
            case .limitReached: .limitReached
            case .typeRequires: .typeRequires
            }
    }
}
