import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service {
    func createEmailMask(
        _ request: CreateEmailMaskRequest, _ context: CallContext
    ) async throws -> EmailMask {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let draft = try MaskDraft(value: request.value, mode: request.mode.rawValue)
        let challenge = MaskChallenge.drawn()
        let now = context.now
        let (masksMax, waitingMax) = (limits.emailMasksMax, limits.maskWaitingMax)
        return try await database.command(context, request) { transaction in
            let (node, line) = try transaction.organization(id, seenBy: principal, on: now.day)
            let state = try principal.stateOfNewMask(draft, at: line)
            try transaction.forgetEmailMasks(
                of: id, waitingSince: now.advanced(by: .zero - waitingMax))
            guard try transaction.emailMaskCount(of: id) < masksMax else {
                throw Refusal.tooManyEmailMasks(masksMax)
            }
            let mask = EmailMaskRecord(
                organization: id, value: draft.pattern.text, mode: draft.mode, state: state,
                challenge: state == .active ? nil : challenge, createdAt: now)
            try transaction.insert(mask, by: principal.scope)
            try transaction.touch(node, in: line, at: now)
            return EmailMask(mask, for: principal, at: line, waitingMax: waitingMax)
        }
    }

    func listEmailMasks(
        _ request: ListEmailMasksRequest, _ context: CallContext
    ) async throws -> ListEmailMasksReply {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let (masksMax, waitingMax) = (limits.emailMasksMax, limits.maskWaitingMax)
        let now = context.now
        return try await database.read { snapshot in
            let (_, line) = try snapshot.organization(
                id, seenBy: principal, on: now.day, archive: .included)
            try principal.requireOpen(.openSettings, at: line)
            let masks = try snapshot.emailMasks(
                of: id, waitingSince: now.advanced(by: .zero - waitingMax),
                // An import replaces those that count, beside those that wait.
                limit: 2 * masksMax)
            return ListEmailMasksReply(
                emailMasks: masks.map { mask in
                    EmailMask(mask, for: principal, at: line, waitingMax: waitingMax)
                })
        }
    }

    func resolveEmail(
        _ request: ResolveEmailRequest, _ context: CallContext
    ) async throws -> ResolveEmailReply {
        try context.require(.resolveEmail)
        let address = try accept(request.email, field: "email", as: EmailAddress.init)
        return try database.readInline { snapshot in
            guard let joined = try snapshot.organization(joinedFrom: address.domain) else {
                return ResolveEmailReply()
            }
            return ResolveEmailReply(
                organizationID: joined.organization.text, value: joined.mask)
        }
    }
}

extension Service: EmailMasksService {
    func confirmEmailMask(
        _ request: ConfirmEmailMaskRequest, _ context: CallContext
    ) async throws -> EmailMask {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let pattern = try accept(request.value, field: "value", as: MaskPattern.init)
        let verification = try accept(
            request.verification.rawValue, field: "verification",
            as: MaskVerification.init(_:field:))
        let now = context.now
        let waitingMax = limits.maskWaitingMax
        let proven =
            verification == .domain ? try await provenChallenge(of: pattern, at: id, context) : nil
        return try await database.command(context, request) { transaction in
            let (node, line) = try transaction.organization(id, seenBy: principal, on: now.day)
            try principal.requireConfirmation(by: verification, at: line)
            var mask = try transaction.emailMask(
                pattern, of: id, at: now, waitingMax: waitingMax)
            if mask.state == .pendingVerification {
                // Another one may have been entered since the proof.
                guard verification == .role || mask.challenge == proven else {
                    throw Refusal.emailMaskUnverified(pattern.base.text)
                }
                mask = try transaction.confirm(mask)
                try transaction.touch(node, in: line, at: now)
            }
            return EmailMask(mask, for: principal, at: line, waitingMax: waitingMax)
        }
    }

    func deleteEmailMask(
        _ request: DeleteEmailMaskRequest, _ context: CallContext
    ) async throws -> DeleteEmailMaskReply {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let pattern = try accept(request.value, field: "value", as: MaskPattern.init)
        let now = context.now
        let waitingMax = limits.maskWaitingMax
        return try await database.command(context, request) { transaction in
            let (node, line) = try transaction.organization(id, seenBy: principal, on: now.day)
            try principal.requireOpen(.manageEmailMasks, at: line, meeting: [.joinPending])
            let mask = try transaction.emailMask(
                pattern, of: id, at: now, waitingMax: waitingMax)
            // Whoever may enter a mask may take it away.
            try principal.requireOpen(
                .manageEmailMasks, at: line, meeting: mask.mode == .join ? [.joinPending] : [])
            try transaction.delete(mask)
            try transaction.touch(node, in: line, at: now)
            return DeleteEmailMaskReply()
        }
    }

    /// The challenge of a mask that waits, once its domain answers it; nil when it does not wait.
    ///
    /// Nothing that is thrown here is kept under the call's key: the record may come.
    private func provenChallenge(
        of pattern: MaskPattern, at id: OrganizationID, _ context: CallContext
    ) async throws -> MaskChallenge? {
        let principal = try context.principal
        let now = context.now
        let waitingMax = limits.maskWaitingMax
        let challenge = try database.readInline { snapshot in
            let (_, line) = try snapshot.organization(id, seenBy: principal, on: now.day)
            try principal.requireConfirmation(by: .domain, at: line)
            return try snapshot.emailMask(pattern, of: id, at: now, waitingMax: waitingMax)
                .challenge
        }
        guard let challenge else { return nil }
        let texts = try await textRecords.texts(
            at: MaskChallenge.name(forDomain: pattern.base.text))
        guard challenge.isAnswered(by: texts) else {
            throw Refusal.emailMaskUnverified(pattern.base.text)
        }
        return challenge
    }
}

extension Reading {
    /// An email mask of an organization that counts or waits.
    ///
    /// - Throws: ``Refusal/noSuchEmailMask``.
    func emailMask(
        _ pattern: MaskPattern, of organization: OrganizationID, at now: WallTime,
        waitingMax: Duration
    ) throws -> EmailMaskRecord {
        let start = now.advanced(by: .zero - waitingMax)
        guard let mask = try emailMask(pattern.text, of: organization, waitingSince: start)
        else { throw Refusal.noSuchEmailMask }
        return mask
    }
}

extension Access.Principal {
    /// Whether a mask that this principal enters counts at once.
    ///
    /// Owners and administrators may claim a domain to join by; the claim waits until it is
    /// verified.
    fileprivate func stateOfNewMask(_ draft: MaskDraft, at line: Line) throws -> MaskState {
        let conditions: Set<Condition> = draft.mode == .join ? [.joinPending] : []
        try requireOpen(.manageEmailMasks, at: line, meeting: conditions)
        return decide(.manageEmailMasks, at: line.ids) == .allowed
            ? .active : .pendingVerification
    }

    /// Requires the right to make a mask count that waits: by a role that enters masks without
    /// waiting, or by the proof of whoever may enter one.
    fileprivate func requireConfirmation(by verification: MaskVerification, at line: Line) throws {
        try requireOpen(
            .manageEmailMasks, at: line, meeting: verification == .domain ? [.joinPending] : [])
    }
}

extension MaskChallenge {
    /// A new challenge that nobody guesses.
    fileprivate static func drawn() -> MaskChallenge {
        MaskChallenge(bytes: (0..<byteCount).map { _ in UInt8.random(in: 0 ... .max) })
    }
}

extension EmailMask {
    /// A mask as it is answered; its challenge only to those who may enter masks.
    fileprivate init(
        _ mask: EmailMaskRecord, for principal: Access.Principal, at line: Line,
        waitingMax: Duration
    ) {
        let mayEnter =
            principal.decide(.manageEmailMasks, at: line.ids, meeting: [.joinPending]) == .allowed
        let challenge = mayEnter ? mask.challenge : nil
        let domain = MaskPattern.domain(of: mask.value)
        let isWaiting = mask.state == .pendingVerification
        self.init(
            organizationID: mask.organization.text, value: mask.value,
            mode: EmailMaskMode(rawValue: Int32(mask.mode.rawValue)),
            state: EmailMaskState(rawValue: Int32(mask.state.rawValue)),
            challenge: challenge?.text ?? "",
            challengeName: challenge == nil ? "" : MaskChallenge.name(forDomain: domain),
            expiresAt: isWaiting ? Timestamp(mask.createdAt.advanced(by: waitingMax)) : nil)
    }
}
