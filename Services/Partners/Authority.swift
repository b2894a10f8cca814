import Access
import RPC
import ServiceKit

/// Who calls, and what they may see and do here.
struct Caller: Sendable {
    let principal: Access.Principal

    init(_ principal: Access.Principal) {
        self.principal = principal
    }

    /// The person, unless a program or a process of the installation calls.
    var user: UserID? { principal.userID }

    /// Whether the whole platform is in the caller's care.
    var isStaff: Bool {
        principal.decide(.changePlatformSettings, at: []) == .allowed
    }

    func expectStaff() throws(Denial) {
        guard isStaff else { throw .notPermitted }
    }

    /// Whether the caller owns the platform.
    func expectOwner() throws(Denial) {
        guard principal.decide(.createPartner, at: []) == .allowed else { throw .notPermitted }
    }

    /// Whether the caller acts for a partner, or for the whole platform.
    func sees(_ partner: Partner) -> Bool {
        isStaff || actsFor(partner)
    }

    func actsFor(_ partner: Partner) -> Bool {
        guard let user else { return false }
        return partner.user == user
    }

    /// Refuses a sale to an organization, or below a parent, that is not in the caller's scope.
    ///
    /// The path leads from the root down to the organization, and is empty for a new root; home
    /// is the organization on it that is assigned to the partner, if one is.
    func expectSale(
        by partner: Partner, at path: [OrganizationID], home: OrganizationID?
    ) throws(Denial) {
        var grants = principal.grants
        if actsFor(partner) {
            // The person who acts for a partner holds the role wherever the partner is at home.
            grants.append(Grant(.partner, at: home))
        }
        let seller = Access.Principal(subject: principal.subject, grants: grants)
        switch seller.decide(.registerSale, at: path) {
        case .allowed: return
        case .forbidden, .suspended: throw .notPermitted
        case .notFound: throw .noSuch(.organization)
        }
    }
}

extension Caller {
    /// Which sales the caller sees.
    func salesView() throws(Denial) -> SalesView {
        if isStaff { return .all }
        guard let user else { throw .notPermitted }
        return .ofPerson(user)
    }
}
