import Access

// Which modules an organization may use: its own set, as far as every ancestor may use it.

/// Limits of what is set at one organization.
enum ModuleSetLimits {
    static let modulesMax = 500
    /// The chapters of all modules together: what a request holds.
    static let chaptersMax = 1_000
}

/// A module that is given, as it was set.
struct ModuleGrant: Sendable, Hashable {
    let module: ModuleID
    /// None: all of them, also those to come.
    let chapters: [ChapterID]
}

/// What is set at an organization.
struct OwnModules: Sendable, Hashable {
    let organization: OrganizationID
    /// Nil: nothing is set.
    let grants: [ModuleGrant]?
    /// 0 when nothing was ever set.
    let version: Int64
}

/// How much of a module may be used.
enum ModulePart: Sendable, Hashable {
    case whole
    /// Never none.
    case chapters(Set<ChapterID>)

    /// What both allow; nil for nothing.
    func intersection(_ other: ModulePart) -> ModulePart? {
        switch (self, other) {
        case (.whole, let part), (let part, .whole): return part
        case (.chapters(let mine), .chapters(let theirs)):
            let common = mine.intersection(theirs)
            return common.isEmpty ? nil : .chapters(common)
        }
    }
}

/// What restricts the modules of an organization and of those below it.
struct ModuleRestriction: Sendable, Hashable {
    enum Source: Sendable, Hashable {
        /// It was set at the organization.
        case own
        /// Organizations of its type begin with these.
        case type
    }

    let organization: OrganizationID
    let source: Source
    let parts: [ModuleID: ModulePart]
}

extension ModuleRestriction {
    /// What was set at an organization.
    init(_ grants: [ModuleGrant], at organization: OrganizationID) {
        let parts = grants.map { grant -> (ModuleID, ModulePart) in
            (grant.module, grant.chapters.isEmpty ? .whole : .chapters(Set(grant.chapters)))
        }
        self.init(
            organization: organization, source: .own,
            parts: Dictionary(parts, uniquingKeysWith: { first, _ in first }))
    }

    /// What organizations of a type begin with.
    init(default modules: [ModuleID], at organization: OrganizationID) {
        self.init(
            organization: organization, source: .type,
            parts: Dictionary(modules.map { ($0, .whole) }, uniquingKeysWith: { first, _ in first })
        )
    }
}

/// The modules that may be used at the end of a path.
struct ModuleScope: Sendable, Hashable {
    /// The nearest first.
    let restrictions: [ModuleRestriction]
    /// Nil when nothing restricts them: every module, also those to come.
    let parts: [ModuleID: ModulePart]?

    /// What every restriction on a path allows, the nearest first.
    init(_ restrictions: [ModuleRestriction]) {
        self.restrictions = restrictions
        guard let nearest = restrictions.first else {
            parts = nil
            return
        }
        parts = restrictions.dropFirst().reduce(nearest.parts) { allowed, above in
            var next: [ModuleID: ModulePart] = [:]
            for (module, part) in allowed {
                next[module] = above.parts[module].flatMap(part.intersection)
            }
            return next
        }
    }
}

/// A module that may be used, with what is known of it.
struct UsableModule: Sendable, Hashable {
    let id: ModuleID
    let name: Name
    let isWhole: Bool
    /// In the order of the module; none when it is whole.
    let chapters: [ChapterID]

    /// What a module is of which a part may be used; nil when none of that is there any more.
    init?(id: ModuleID, name: Name, part: ModulePart, chapters known: [ChapterID]) {
        self.id = id
        self.name = name
        switch part {
        case .whole:
            isWhole = true
            chapters = []
        case .chapters(let allowed):
            isWhole = false
            chapters = known.filter(allowed.contains)
            if chapters.isEmpty { return nil }
        }
    }
}
