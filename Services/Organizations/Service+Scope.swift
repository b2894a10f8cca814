import Access
import Messages
import ServiceKit
import Storage

/// An organization with its ancestors, as a list has it.
struct Entry: Sendable {
    let node: Node
    let line: Line
}

/// Whether a call is about organizations in the archive as well.
enum ArchiveAccess: Sendable {
    case excluded
    case included
}

extension Reading {
    /// An organization with its line, if the principal may know of it.
    ///
    /// - Throws: ``OutOfScope``, the same for unknown and for unseen;
    ///   ``Refusal/organizationArchived`` to those who may see the archive.
    func organization(
        _ id: OrganizationID, seenBy principal: Access.Principal, on day: CalendarDay,
        archive: ArchiveAccess = .excluded
    ) throws -> (node: Node, line: Line) {
        guard let node = try node(id) else { throw OutOfScope() }
        let line = try line(of: node, on: day)
        guard principal.sees(line) else { throw OutOfScope() }
        guard archive == .included || !line.isArchived else {
            // Whoever reads it in the archive is told why it cannot be changed. Of a service it is
            // no concern any more.
            guard principal.serviceName == nil else { throw OutOfScope() }
            throw Refusal.organizationArchived
        }
        return (node, line)
    }

    /// The line to an organization, if the principal may know of it and it is in no archive, unless
    /// whoever sees the archive only reads what is there.
    ///
    /// - Throws: ``OutOfScope``, the same for unknown and for unseen; ``Refusal/parentArchived``
    ///   to those who may see the archive.
    func line(
        to id: OrganizationID, seenBy principal: Access.Principal, on day: CalendarDay,
        archive: ArchiveAccess = .excluded
    ) throws -> Line {
        let levels = try levels(to: id)
        guard !levels.isEmpty else { throw OutOfScope() }
        let line = Line(levels, on: day)
        guard principal.sees(line) else { throw OutOfScope() }
        guard !line.isArchived else {
            guard principal.serviceName == nil else { throw OutOfScope() }
            guard archive == .included else { throw Refusal.parentArchived }
            return line
        }
        return line
    }

    /// What the caller should know of an organization just named.
    func warnings(
        about node: Node, for principal: Access.Principal, on day: CalendarDay
    ) throws -> [Warning] {
        let isKnown = try namesakes(of: node, limit: Service.namesakesMax).contains { id in
            principal.sees(Line(try levels(to: id), on: day))
        }
        guard isKnown else { return [] }
        return [
            Warning(
                code: "name_exists_elsewhere",
                message: "Another organization that you can see has this name.")
        ]
    }
}

extension Access.Principal {
    /// Whether the principal may know of the organization at the end of a line.
    func sees(_ line: Line) -> Bool {
        guard decide(.viewOrganization, at: line.ids) == .allowed else { return false }
        guard serviceName == nil else { return true }
        // What is being prepared is the business of the service that prepares it.
        guard line.levels.allSatisfy({ $0.standing != .provisioning }) else { return false }
        // To its people the archive is not there.
        return !line.isArchived || decide(.restoreOrganization, at: line.ids) == .allowed
    }

    /// Whether the principal may know of everything below a line, or of every root.
    func seesAll(below line: Line?) -> Bool {
        guard serviceName == nil else { return true }
        return grants.contains { grant in
            switch grant.role.reach {
            case .platform: true
            case .subtreeOrPlatform: grant.node == nil || line.map { grant.covers($0.ids) } == true
            case .subtree: line.map { grant.covers($0.ids) } == true
            case .node: false
            }
        }
    }

    /// Requires the right to create an organization below a line, or at the root.
    func requireCreation(below line: Line?) throws {
        guard let line else { return try require(.createRootOrganization, at: []) }
        try require(.createSuborganization, at: line.ids)
    }

    /// How an organization comes to be that this principal creates: whoever could only create it
    /// as a seller brings it as a partner, and a program by the API.
    func originOfCreation(below line: Line?) -> Origin {
        if case .apiKey = subject { return .api }
        let others = grants.filter { $0.role != .partner && $0.role != .reseller }
        let principal = Access.Principal(subject: subject, grants: others)
        let action: Action = line == nil ? .createRootOrganization : .createSuborganization
        return principal.decide(action, at: line?.ids ?? []) == .allowed ? .manual : .partner
    }

    /// Requires a right that is closed to the people of an organization while it is paused.
    func requireOpen(
        _ action: Action, at line: Line, meeting conditions: Set<Condition> = []
    ) throws {
        try require(action, at: line.ids, meeting: conditions, pausedAt: line.obstacle?.id)
    }
}
