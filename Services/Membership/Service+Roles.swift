import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

extension Service {
    func updateMember(
        _ request: UpdateMemberRequest, _ context: CallContext
    ) async throws -> Member {
        let caller = try context.principal
        let roles = try Parse.newRoles(request.roles)
        return try await change(
            request, context, request.organizationID, request.userID,
            // What somebody was and stays asks for no right.
            touching: { $0.symmetricDifference(roles) }
        ) { transaction, member, path, now in
            try transaction.reassign(member, to: roles, at: path, for: caller, now: now)
        }
    }

    func explainAdmission(
        _ request: ExplainAdmissionRequest, _ context: CallContext
    ) async throws -> ExplainAdmissionReply {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let user = try UserID.optional(requestText: request.userID, field: "user_id")
        let roles = try Parse.roles(request.roles)
        return try await whenKnown {
            try database.readInline { snapshot in
                let path = try path(to: organization, context, in: snapshot)
                try check(caller.decide(.manageMembers, at: path.ids))
                let previous = try user.flatMap {
                    try snapshot.membership(of: $0, in: organization)
                }
                let facts = try snapshot.admissionFacts(
                    of: user, in: request.roles.isEmpty ? previous?.presentRoles ?? roles : roles,
                    at: path, membership: previous?.state, record: previous)
                let gates = Admission.allGates(facts)
                return ExplainAdmissionReply(
                    admitted: gates.isEmpty, gates: gates.map { AdmissionGate($0) })
            }
        }
    }
}

extension MembershipRecord {
    /// The roles in which somebody is asked about of whom no others are named; nil: they are none
    /// that the membership still has.
    fileprivate var presentRoles: RoleSet? { state == .removed ? nil : roles }
}

extension Parse {
    /// All the roles that a member is to have.
    fileprivate static func newRoles(_ roles: [Messages.Role]) throws(Denial) -> RoleSet {
        guard !roles.isEmpty else {
            throw .invalid(field: "roles", "A member has at least one role.")
        }
        return try Self.roles(roles)
    }
}
