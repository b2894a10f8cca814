import Access
import Messages
import RPC
import ServiceKit
import Storage

/// A call about hooks: who makes it, at which organization, and when.
struct HookOrder: Sendable {
    let principal: Access.Principal
    let organization: OrganizationID
    let now: WallTime

    /// - Parameters:
    ///   - organization: The identifier of the organization, as it came in.
    ///   - field: The path of its field.
    ///   - context: The call.
    /// - Throws: `INVALID_ARGUMENT` with the field; `UNAUTHENTICATED`.
    init(
        _ organization: String, field: String = "organization_id", _ context: CallContext
    ) throws {
        principal = try context.principal
        self.organization = try OrganizationID(requestText: organization, field: field)
        now = context.now
    }

    /// The organization, if the caller opens its settings.
    ///
    /// - Parameters:
    ///   - reading: What is read.
    ///   - archive: Whether it may be in the archive.
    /// - Returns: The organization.
    /// - Throws: ``OutOfScope``, `PERMISSION_DENIED`, ``Suspended``,
    ///   ``Refusal/organizationArchived``.
    func node(in reading: some Reading, archive: ArchiveAccess = .excluded) throws -> Node {
        let (node, line) = try reading.organization(
            organization, seenBy: principal, on: now.day, archive: archive)
        try principal.requireOpen(.openSettings, at: line)
        return node
    }

    /// A hook of the organization, if the caller opens its settings.
    ///
    /// - Throws: As ``node(in:archive:)``; ``Refusal/noSuchHook``.
    func hook(
        _ id: HookID, in reading: some Reading, archive: ArchiveAccess = .excluded
    ) throws -> HookRecord {
        try reading.hook(id, of: try node(in: reading, archive: archive).number)
    }
}
