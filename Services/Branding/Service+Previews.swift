import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

// What an organization would look like elsewhere: a part of the dry run of a move.

extension Service {
    func previewAppearance(
        _ request: PreviewAppearanceRequest, _ context: CallContext
    ) async throws -> PreviewAppearanceReply {
        try context.require(.previewMove)
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let parent = try OrganizationID.optional(
            requestText: request.newParentID, field: "new_parent_id")
        let day = context.now.day
        // An old tree would answer for another place, and nobody could tell.
        try await treeCatchesUp()
        return try await database.read { [platform = platform.values] snapshot in
            let path = try snapshot.knownPath(to: id, on: day)
            let above = try parent.map { try snapshot.knownPath(to: $0, on: day).nodes } ?? []
            guard above.allSatisfy({ $0.id != id }) else {
                throw Status.invalid(
                    "new_parent_id", "This is the organization itself, or below it.")
            }
            let before = try snapshot.effectiveValues(along: path.nodes, platform: platform)
            let after = try snapshot.effectiveValues(
                along: above + [path.node], platform: platform)
            return PreviewAppearanceReply(
                changes: changes(from: before, to: after).map(Messages.AppearanceChange.init))
        }
    }
}

extension Reading {
    /// The values that hold for the last of some organizations that hang below one another, the
    /// root first.
    func effectiveValues(
        along nodes: [TreeNode], platform: [Field: String]
    ) throws -> [Field: SourcedText] {
        let own = try appearances(of: nodes.map(\.id))
        return Branding.effectiveValues(
            of: nodes.map { Layer($0, own[$0.id]) }, platform: platform)
    }

    /// The path to an organization, for a service, to which nothing is hidden.
    ///
    /// - Throws: ``Refusal/noSuchOrganization``.
    fileprivate func knownPath(to id: OrganizationID, on day: CalendarDay) throws -> TreePath {
        guard let path = try TreeCopy.path(of: id, in: self, on: day) else {
            throw Refusal.noSuchOrganization
        }
        return path
    }
}

extension Messages.AppearanceChange {
    fileprivate init(_ change: ValueChange) {
        self.init(
            field: change.field.name, from: change.from.map { SourcedValue($0) },
            to: change.to.map { SourcedValue($0) })
    }
}
