import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

extension Service: OrganizationModulesService {
    func getOrganizationModules(
        _ request: GetOrganizationModulesRequest, _ context: CallContext
    ) async throws -> OrganizationModuleSet {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let day = context.now.day
        try await learn(of: id, on: day)
        return try await database.read { snapshot in
            let place = try snapshot.place(of: id, for: principal, on: day)
            return try snapshot.moduleSet(at: place, own: try snapshot.ownModules(of: id))
        }
    }

    func setOrganizationModules(
        _ request: SetOrganizationModulesRequest, _ context: CallContext
    ) async throws -> OrganizationModuleSet {
        let principal = try context.principal
        let order = try ModuleSetOrder(request)
        let now = context.now
        try await learn(of: order.organization, on: now.day, for: request, context)
        return try await database.command(context, request) { transaction in
            let place = try transaction.place(
                of: order.organization, for: principal, on: now.day)
            try place.require(.setRoleQuotasAndModules)
            var own = try transaction.ownModules(of: order.organization)
            try context.requireMatch(version: own.version)
            if own.grants != order.grants {
                try transaction.expectKnown(order.grants ?? [])
                own = OwnModules(
                    organization: own.organization, grants: order.grants,
                    version: own.version + 1)
                try transaction.keep(own, at: now)
                try transaction.publish(own, at: now)
            }
            return try transaction.moduleSet(at: place, own: own)
        }
    }

    func previewModules(
        _ request: PreviewModulesRequest, _ context: CallContext
    ) async throws -> PreviewModulesReply {
        try context.require(.previewMove)
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let parent = try OrganizationID.optional(
            requestText: request.newParentID, field: "new_parent_id")
        let day = context.now.day
        // An old tree would answer for another place, and nobody could tell.
        try await organizations.catchUp()
        return try await database.read { snapshot in
            let path = try snapshot.knownPath(to: id, on: day)
            let above = try parent.map { try snapshot.knownPath(to: $0, on: day).nodes } ?? []
            guard !above.contains(where: { $0.id == id }) else {
                throw Status.invalid(
                    "new_parent_id", "This is the organization itself, or below it.")
            }
            return PreviewModulesReply(
                from: try snapshot.modulePlace(on: path.nodes),
                to: try snapshot.modulePlace(on: above + [path.node]))
        }
    }
}

extension Reading {
    /// What is set at a place, and what follows, as far as whoever asks may know.
    fileprivate func moduleSet(
        at place: Place, own: OwnModules
    ) throws -> OrganizationModuleSet {
        let scope = try moduleScope(on: place.path.nodes)
        return OrganizationModuleSet(
            own, scope: scope, usable: try usableModules(in: scope), seen: place.seen)
    }

    fileprivate func modulePlace(on nodes: [TreeNode]) throws -> ModulePlace {
        let scope = try moduleScope(on: nodes)
        return ModulePlace(scope, usable: try usableModules(in: scope))
    }

    /// Refuses modules and chapters that are not there.
    fileprivate func expectKnown(_ grants: [ModuleGrant]) throws {
        var check = FieldCheck()
        for (index, grant) in grants.enumerated() {
            let place = "own.modules[\(index)]"
            guard let module = try module(grant.module) else {
                check.expect(false, "\(place).module_id", "There is no such module.")
                continue
            }
            let known = Set(module.chapters.map(\.id))
            for (number, chapter) in grant.chapters.enumerated() {
                check.expect(
                    known.contains(chapter), "\(place).chapter_ids[\(number)]",
                    "The module has no such chapter.")
            }
        }
        try check.finish()
    }
}

extension Transaction {
    /// Puts what is set at an organization into the feed.
    fileprivate func publish(_ own: OwnModules, at now: WallTime) throws {
        try publish(
            kind: OrganizationModuleSet.messageName, aggregate: own.organization.bytes,
            version: own.version, body: OrganizationModuleSet(own).encoded(), at: now)
    }
}
