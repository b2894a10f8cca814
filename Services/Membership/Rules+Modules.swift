import Access

/// Which modules may be used, and which chapters of them.
enum ModuleScope: Sendable, Hashable {
    /// Every module, also those to come.
    case everything
    /// These alone.
    case only([ModuleID: ChapterScope])

    /// What both allow.
    func intersected(with other: ModuleScope) -> ModuleScope {
        switch (self, other) {
        case (.everything, let scope), (let scope, .everything): return scope
        case (.only(let own), .only(let others)):
            var common: [ModuleID: ChapterScope] = [:]
            for (module, chapters) in own {
                guard let theirs = others[module] else { continue }
                common[module] = chapters.intersected(with: theirs)
            }
            return .only(common)
        }
    }

    /// Whether something that belongs to a module may be used.
    func admits(_ place: CoursePlace) -> Bool {
        switch self {
        case .everything: true
        case .only(let modules): modules[place.module]?.admits(place) ?? false
        }
    }
}

/// Which chapters of a module may be used.
enum ChapterScope: Sendable, Hashable {
    /// All of them, also those to come.
    case whole
    /// These alone; none: nothing of the module.
    case some(Set<ChapterID>)

    /// What both allow.
    func intersected(with other: ChapterScope) -> ChapterScope {
        switch (self, other) {
        case (.whole, let chapters), (let chapters, .whole): chapters
        case (.some(let own), .some(let others)): .some(own.intersection(others))
        }
    }

    fileprivate func admits(_ place: CoursePlace) -> Bool {
        guard case .some(let chapters) = self else { return true }
        guard let chapter = place.chapter else {
            // A chapter that the module has no more opens nothing.
            return !chapters.isDisjoint(with: place.chaptersOfModule)
        }
        return chapters.contains(chapter)
    }
}

/// Where a course stands in the catalog.
struct CoursePlace: Sendable, Hashable {
    let module: ModuleID
    /// The chapter that it belongs to; nil: the module as a whole, so that any chapter opens it.
    let chapter: ChapterID?
    /// The chapters that the module has; asked for where the course belongs to none.
    var chaptersOfModule: Set<ChapterID> = []
}

/// What an organization may use: what is set there, as far as every ancestor may use it.
struct ModuleLayers: Sendable, Hashable {
    private struct Layer: Sendable, Hashable {
        let organization: OrganizationID
        /// What is left of everything from the organization asked for up to here.
        let left: ModuleScope
    }

    /// Those that restrict, the nearest first.
    private let layers: [Layer]

    /// The layers of a path.
    ///
    /// - Parameter scopes: What each organization may use by itself, the nearest first.
    init(_ scopes: [(organization: OrganizationID, scope: ModuleScope)]) {
        var layers: [Layer] = []
        for (organization, scope) in scopes where scope != .everything {
            let left = layers.last?.left.intersected(with: scope) ?? scope
            layers.append(Layer(organization: organization, left: left))
        }
        self.layers = layers
    }

    /// What the organization may use.
    var effective: ModuleScope { layers.last?.left ?? .everything }

    /// The organizations that restrict it, the nearest first.
    var restrictions: [OrganizationID] { layers.map(\.organization) }

    /// The nearest organization whose modules, with those of the ones below it, keep a course
    /// closed; nil: none does.
    func obstacle(to place: CoursePlace) -> OrganizationID? {
        guard !effective.admits(place) else { return nil }
        return layers.first { !$0.left.admits(place) }?.organization
    }
}
