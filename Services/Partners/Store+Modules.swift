import Access
import Messages
import ServiceKit
import Storage
import TreeCopy

// What is set at organizations, and what they may use.

extension Reading {
    /// What is set at an organization.
    func ownModules(of organization: OrganizationID) throws -> OwnModules {
        let state = try row(
            """
            SELECT is_set, version FROM organization_modules
            WHERE organization_id = \(organization)
            """
        ) { (isSet: try $0.bool(0), version: try $0.int64(1)) }
        return OwnModules(
            organization: organization,
            grants: state?.isSet == true ? try moduleGrants(of: organization) : nil,
            version: state?.version ?? 0)
    }

    private func moduleGrants(of organization: OrganizationID) throws -> [ModuleGrant] {
        try rows(
            """
            SELECT module_id, chapters FROM module_grant WHERE organization_id = \(organization)
            ORDER BY position LIMIT \(ModuleSetLimits.modulesMax)
            """
        ) { row in
            ModuleGrant(
                module: try row.identifier(0), chapters: ChapterID.unpacked(try row.bytes(1)))
        }
    }

    /// What may be used at the end of a path, root first.
    ///
    /// What organizations of a type begin with is asked of the type each time, so that a change of
    /// it holds at once.
    func moduleScope(on nodes: [TreeNode]) throws -> ModuleScope {
        ModuleScope(try nodes.reversed().compactMap(moduleRestriction))
    }

    private func moduleRestriction(at node: TreeNode) throws -> ModuleRestriction? {
        if let grants = try ownModules(of: node.id).grants {
            return ModuleRestriction(grants, at: node.id)
        }
        guard let id = node.typeID else { return nil }
        guard let type = try TreeCopy.organizationType(id, in: self) else {
            // One that is gone restricts nothing; of one that is still to come nobody knows what
            // it restricts to.
            guard try !TreeCopy.isTold(of: id, in: self) else { return nil }
            return ModuleRestriction(default: [], at: node.id)
        }
        guard let modules = type.access?.defaultModules else { return nil }
        return ModuleRestriction(
            default: modules.moduleIDs.compactMap { ModuleID(text: $0) }, at: node.id)
    }

    /// The modules of a scope that are there, by name.
    func usableModules(in scope: ModuleScope) throws -> [UsableModule] {
        let found = try (scope.parts ?? [:]).compactMap { id, part -> UsableModule? in
            let name = try row("SELECT name, name_key FROM module WHERE id = \(id)") { row in
                Name(text: try row.text(0), key: try row.text(1))
            }
            guard let name else { return nil }
            let chapters = part == .whole ? [] : try chapters(of: id).map(\.id)
            return UsableModule(id: id, name: name, part: part, chapters: chapters)
        }
        return found.sorted { $0.name.key.utf8.lexicographicallyPrecedes($1.name.key.utf8) }
    }
}

extension Transaction {
    /// Keeps what is set at an organization.
    func keep(_ own: OwnModules, at now: WallTime) throws {
        try execute(
            """
            INSERT INTO organization_modules (organization_id, is_set, updated_at, version)
            VALUES (\(own.organization), \(own.grants != nil), \(now), \(own.version))
            ON CONFLICT (organization_id) DO UPDATE SET is_set = excluded.is_set,
                updated_at = excluded.updated_at, version = excluded.version
            """)
        try execute("DELETE FROM module_grant WHERE organization_id = \(own.organization)")
        for (index, grant) in (own.grants ?? []).enumerated() {
            try execute(
                """
                INSERT INTO module_grant (organization_id, module_id, position, chapters)
                VALUES (\(own.organization), \(grant.module), \(index + 1),
                    \(ChapterID.packed(grant.chapters)))
                """)
        }
    }
}
