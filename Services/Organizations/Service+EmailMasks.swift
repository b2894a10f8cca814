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
        let now = context.now
        let masksMax = limits.emailMasksMax
        return try await database.command(context, request) { transaction in
            let (_, line) = try transaction.organization(id, seenBy: principal)
            let state = try principal.stateOfNewMask(draft, at: line)
            guard try transaction.emailMaskCount(of: id) < masksMax else {
                throw Refusal.tooManyEmailMasks(masksMax)
            }
            let mask = EmailMaskRecord(
                organization: id, value: draft.pattern.text, mode: draft.mode, state: state)
            try transaction.insert(mask, by: principal.scope, at: now)
            return EmailMask(mask)
        }
    }

    func listEmailMasks(
        _ request: ListEmailMasksRequest, _ context: CallContext
    ) async throws -> ListEmailMasksReply {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let masksMax = limits.emailMasksMax
        return try await database.read { snapshot in
            let (_, line) = try snapshot.organization(id, seenBy: principal)
            try principal.requireOpen(.openSettings, at: line)
            let masks = try snapshot.emailMasks(of: id, limit: masksMax)
            return ListEmailMasksReply(emailMasks: masks.map(EmailMask.init))
        }
    }

    func resolveEmail(
        _ request: ResolveEmailRequest, _ context: CallContext
    ) async throws -> ResolveEmailReply {
        try context.require(.resolveEmail)
        let address = try accept(request.email, field: "email", as: EmailAddress.init)
        return try database.readInline { snapshot in
            for mask in address.candidates {
                if let id = try snapshot.organization(joinedBy: mask) {
                    return ResolveEmailReply(organizationID: id.text, value: mask)
                }
            }
            return ResolveEmailReply()
        }
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
}

extension EmailMask {
    fileprivate init(_ mask: EmailMaskRecord) {
        self.init(
            organizationID: mask.organization.text, value: mask.value,
            mode: EmailMaskMode(rawValue: Int32(mask.mode.rawValue)),
            state: EmailMaskState(rawValue: Int32(mask.state.rawValue)))
    }
}
