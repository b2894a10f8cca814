import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

// To whom an organization would belong elsewhere: a part of the dry run of a move.

extension Service {
    func previewAssignment(
        _ request: PreviewAssignmentRequest, _ context: CallContext
    ) async throws -> PreviewAssignmentReply {
        try context.require(.previewMove)
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let parent = try OrganizationID.optional(
            requestText: request.newParentID, field: "new_parent_id")
        let day = context.now.day
        // An old tree would answer for another place, and nobody could tell.
        try await organizations.catchUp()
        return try await database.read { snapshot in
            let path = try snapshot.knownPath(to: id, on: day).ids
            let above = try parent.map { try snapshot.knownPath(to: $0, on: day).ids } ?? []
            guard !above.contains(id) else {
                throw Status.invalid(
                    "new_parent_id", "This is the organization itself, or below it.")
            }
            return PreviewAssignmentReply(
                from: try snapshot.partnerPlace(on: path),
                to: try snapshot.partnerPlace(on: above + [id]))
        }
    }
}

extension Reading {
    /// The path to an organization, for a service, to which nothing is hidden.
    func knownPath(to id: OrganizationID, on day: CalendarDay) throws -> TreePath {
        guard let path = try TreeCopy.path(of: id, in: self, on: day) else {
            throw Denial.noSuch(.organization)
        }
        return path
    }

    /// To whom the end of a path belongs, as it is answered.
    fileprivate func partnerPlace(on path: [OrganizationID]) throws -> PartnerPlace {
        guard let nearest = try nearestAssignment(on: path),
            let partner = try partner(nearest.partner)
        else { return PartnerPlace() }
        return PartnerPlace(
            partnerID: partner.id.text, partnerName: partner.name.text,
            organizationID: nearest.organization.text)
    }
}
