import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

// Which organizations a caller may know of, and what they may do there.

/// An organization of which somebody may know.
struct Place: Sendable {
    let path: TreePath
    /// Who asks, with the role of a partner where one for which they act is at home.
    private let principal: Access.Principal

    /// - Throws: ``OutOfScope`` when the principal may not know of it.
    fileprivate init(_ path: TreePath, seenBy principal: Access.Principal) throws {
        self.path = path
        self.principal = principal
        // What is archived or being prepared is the business of services.
        guard principal.decide(.viewOrganization, at: path.ids) == .allowed,
            principal.serviceName != nil || path.isThereForPeople
        else { throw OutOfScope() }
    }

    /// The organizations of the path of which whoever asks may know.
    var seen: Set<OrganizationID> {
        let ids = path.ids
        return Set(
            ids.indices.filter { index in
                principal.decide(.viewOrganization, at: Array(ids[...index])) == .allowed
            }.map { ids[$0] })
    }

    /// Requires a right that is closed to the people of an organization while it is paused.
    func require(_ action: Action, meeting conditions: Set<Condition> = []) throws {
        try principal.require(
            action, at: path.ids, meeting: conditions, pausedAt: path.pause)
    }

    /// Requires the right to read or manage the subscription, which the roles that pay keep while
    /// the organization is paused.
    func requireSubscriptionRight(meeting conditions: Set<Condition> = []) throws {
        let payer = Access.Principal(
            subject: principal.subject,
            grants: principal.grants.filter { $0.role == .billingAdmin })
        if payer.decide(.manageSubscription, at: path.ids) == .allowed { return }
        try require(.manageSubscription, meeting: conditions)
    }

    /// Requires that the platform is in the caller's care here, or that they sell here: what is
    /// added to a subscription that was paid can be opened without a payment.
    func requireGift() throws(Denial) {
        let giver = Access.Principal(
            subject: principal.subject,
            grants: principal.grants.filter { !$0.role.isMembershipRole })
        guard giver.decide(.manageSubscription, at: path.ids) == .allowed else {
            throw .coursesUnpaid
        }
    }
}

extension Service {
    /// Waits for news of an organization that is not known here, or archived or being prepared for
    /// all that is known: it may have been made, or restored, just now.
    func learn(of id: OrganizationID, on day: CalendarDay) async throws {
        let isThere = try database.readInline { snapshot in
            try TreeCopy.path(of: id, in: snapshot, on: day)?.isThereForPeople ?? false
        }
        if !isThere { try await organizations.catchUp() }
    }

    /// The same before a change; one that came before is answered without.
    func learn(
        of id: OrganizationID, on day: CalendarDay, for request: some Message,
        _ context: CallContext
    ) async throws {
        guard try !database.isRepeated(context, request) else { return }
        try await learn(of: id, on: day)
    }
}

extension Reading {
    /// An organization, if a principal may know of it.
    ///
    /// - Throws: ``OutOfScope``, the same for unknown, unseen and archived.
    func place(
        of id: OrganizationID, for principal: Access.Principal, on day: CalendarDay
    ) throws -> Place {
        guard let path = try TreeCopy.path(of: id, in: self, on: day) else { throw OutOfScope() }
        var grants = principal.grants
        if let user = principal.userID, let home = try nearestAssignment(on: path.ids),
            try partner(home.partner)?.user == user
        {
            grants.append(Access.Grant(.partner, at: home.organization))
        }
        return try Place(
            path, seenBy: Access.Principal(subject: principal.subject, grants: grants))
    }
}
