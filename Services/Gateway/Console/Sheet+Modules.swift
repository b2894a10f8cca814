import Access
import Messages
import RPC

// The modules that an organization may use.

extension Sheet {
    private static let set = Field(name: "own", label: "Modules")

    /// The tab.
    func modules(_ form: Form?, _ problem: Problem?) async throws(Problem) -> Markup {
        let kept = try await visitor.ask(.partners) {
            try await OrganizationModulesClient($0).getOrganizationModules(
                GetOrganizationModulesRequest(organizationID: id), options: $1)
        }
        let offer = try await visitor.modules()
        let choice = ModuleChoice(offered: offer.elements, kept: kept)
        let typed = form?[Self.actionField] == "own" ? form : nil
        guard rights.may(.setRoleQuotasAndModules) || typed != nil else {
            return """
                \(problem.map { Notice.refused($0) } ?? .empty)\(effective(kept, offer.elements))
                """
        }
        let (shown, notice) = choice.shown(typed, problem)
        let hidden = choice.hidden(shown)
        return """
            \(typed == nil ? problem.map { Notice.refused($0) } ?? .empty : notice)
            \(effective(kept, offer.elements))
            <section class="further"><h2>\(kept.own == nil ? "Nothing is set here" : "Set here")\
            </h2>
            <p>\(kept.own == nil ? Self.inheritedSentence : Self.ownSentence)</p>
            \(offer.notice)
            \(self.form(
                shown, "own", button: kept.own == nil ? "Set these" : "Save", hidden: hidden,
                choice.markup(shown, problem, isKnown: offer.problem == nil)))
            \(inherit(kept))</section>
            """
    }

    private static let inheritedSentence = """
        It begins with what its organization type says, else with all there is. Tick modules to \
        give it a set of its own. With none ticked nothing may be used.
        """
    private static let ownSentence = """
        Only what is ticked may be used, as far as everything above may use it. A module that is \
        ticked is given as a whole, also with chapters to come; without its tick, only the \
        chapters that are ticked below it.
        """

    /// What takes the set away.
    private func inherit(_ kept: OrganizationModuleSet) -> Markup {
        guard kept.own != nil else { return .empty }
        return """
            <div class="buttons after">\(button(
                "inherit", "Take the set away", [(Form.etagField, kept.etag)], look: "danger"))\
            </div>
            """
    }

    // MARK: What holds

    private func effective(_ kept: OrganizationModuleSet, _ modules: [Module]) -> Markup {
        """
        <section><h2>What it may use</h2>\(effectiveList(kept, modules))\(restrictions(kept))\
        </section>
        """
    }

    private func effectiveList(_ kept: OrganizationModuleSet, _ modules: [Module]) -> Markup {
        guard !kept.unrestricted else {
            return "<p>Every module, also those to come: nothing here or above restricts it.</p>"
        }
        guard !kept.effective.isEmpty else { return "<p>No module at all.</p>" }
        let rows = kept.effective.map { access -> [Markup] in
            let chapters = modules.first { $0.id == access.moduleID }?.chapters ?? []
            let names = access.chapterIDs.map { id in
                chapters.first { $0.id == id }?.title ?? id
            }
            return [
                #"<span class="name">\#(access.name)</span>"#,
                access.whole ? "As a whole" : "\(names.joined(separator: ", "))",
            ]
        }
        return Table(
            caption: "Modules that it may use",
            columns: [.init(title: "Module"), .init(title: "Chapters")], rows: rows
        ).markup
    }

    private func restrictions(_ kept: OrganizationModuleSet) -> Markup {
        guard !kept.restrictedBy.isEmpty else { return .empty }
        let items = kept.restrictedBy.map { restriction -> Markup in
            let words =
                restriction.source == .type
                ? "what organizations of its type begin with" : "what is set there"
            guard restriction.organizationID != id else {
                return "<li>This organization: \(words)</li>"
            }
            guard
                let title = organization.path.first(where: { $0.id == restriction.organizationID })?
                    .title
            else { return "<li>An organization above: \(words)</li>" }
            let path = ConsoleTab.modules.path(of: restriction.organizationID)
            return #"<li><a href="\#(path)">\#(title)</a>: \#(words)</li>"#
        }
        return "<h3>Restricted by</h3><ul>\(items)</ul>"
    }

    // MARK: Changes

    /// Does what a form of the tab asks for.
    func saveModules(_ form: Form) async throws(Problem) -> Outcome {
        let own: ModuleGrants?
        switch form[Self.actionField] {
        case "own": own = ModuleChoice.grants(form)
        case "inherit": own = nil
        default: throw .noSuchAction
        }
        _ = try await visitor.ask(.partners, key: form.key, etag: form[Form.etagField]) {
            try await OrganizationModulesClient($0).setOrganizationModules(
                SetOrganizationModulesRequest(organizationID: id, own: own), options: $1)
        }
        return Outcome(done: own == nil ? .inherited : .saved)
    }
}

/// The modules and chapters that are offered, and which of them an organization has of its own.
struct ModuleChoice: Sendable {
    private static let modulesField = "modules"
    private static let chaptersField = "chapters"
    /// What stands between a module and its chapter; no identifier has it.
    private static let separator: Character = "/"

    private let offered: [Module]
    private let kept: OrganizationModuleSet
    private let entries: Entries

    init(offered: [Module], kept: OrganizationModuleSet) {
        let names = Set(offered.map(\.id))
        // What is set and not offered stays.
        let others = (kept.own?.modules ?? []).filter { !names.contains($0.moduleID) }.map { own in
            Module(
                id: own.moduleID,
                name: kept.effective.first { $0.moduleID == own.moduleID }?.name ?? own.moduleID,
                chapters: own.chapterIDs.map { Chapter(id: $0, title: $0) })
        }
        let all = offered + others
        self.offered = all
        self.kept = kept
        entries = Entries(
            fields: [],
            boxes: [
                Boxes(
                    name: Self.modulesField, label: "Modules",
                    groups: [
                        .init(options: all.map { .init(value: $0.id, label: $0.name) })
                    ], places: ["own", "own.modules"]),
                Boxes(
                    name: Self.chaptersField, label: "Chapters",
                    groups: all.map { module in
                        .init(
                            options: module.chapters.map { chapter in
                                .init(
                                    value: Self.value(module.id, chapter.id),
                                    label: "\(module.name): \(chapter.title)")
                            })
                    }, wholeID: Self.modulesField),
            ])
    }

    private static func value(_ module: String, _ chapter: String) -> String {
        "\(module)\(separator)\(chapter)"
    }

    /// The form as it stands with what is kept.
    private var stored: Form {
        var form = Form([Form.etagField: kept.etag])
        let own = kept.own?.modules ?? []
        form.tick(Self.modulesField, own.filter(\.chapterIDs.isEmpty).map(\.moduleID))
        form.tick(
            Self.chaptersField,
            own.flatMap { own in own.chapterIDs.map { Self.value(own.moduleID, $0) } })
        return form
    }

    /// The form that is shown, and what stands above it.
    func shown(_ form: Form?, _ problem: Problem?) -> (form: Form, notice: Markup) {
        entries.shown(form, kept: stored, problem.map { entries.placed($0) })
    }

    /// What nobody sees in the form.
    func hidden(_ form: Form) -> [(name: String, value: String)] { entries.hidden(form) }

    /// The set that a form stands for.
    static func grants(_ form: Form) -> ModuleGrants {
        let whole = form.all(modulesField)
        var grants = whole.map { ModuleGrant(moduleID: $0) }
        for value in form.all(chaptersField) {
            let parts = value.split(separator: separator).map(String.init)
            guard parts.count == 2, !whole.contains(parts[0]) else { continue }
            if let position = grants.firstIndex(where: { $0.moduleID == parts[0] }) {
                grants[position].chapterIDs.append(parts[1])
            } else {
                grants.append(ModuleGrant(moduleID: parts[0], chapterIDs: [parts[1]]))
            }
        }
        return ModuleGrants(modules: grants)
    }

    /// The boxes: each module with its chapters folded away, unless some are ticked.
    func markup(_ form: Form, _ problem: Problem?, isKnown: Bool) -> Markup {
        guard !offered.isEmpty else {
            return isKnown ? Sheet.nothing("There are no modules yet.") : .empty
        }
        let chapters = Set(form.all(Self.chaptersField))
        let modules = Set(form.all(Self.modulesField))
        let items = offered.enumerated().map { number, module -> Markup in
            let mark: Markup = modules.contains(module.id) ? " checked" : ""
            return """
                <div class="module"><div class="field box"><input type="checkbox" \
                id="module-\(number)" name="\(Self.modulesField)" value="\(module.id)"\(mark)>\
                <label for="module-\(number)">\(module.name)</label></div>\
                \(self.chapters(of: module, number, chapters))</div>
                """
        }
        let fault: Markup =
            problem.map { entries.placed($0) }?.violations
            .first { $0.at == Self.modulesField && !$0.message.isEmpty }
            .map { #"<p class="fault">\#($0.message)</p>"# } ?? ""
        return """
            <fieldset id="\(Self.modulesField)" class="choices"><legend>Modules</legend>\(fault)
            \(items)</fieldset>
            """
    }

    private func chapters(of module: Module, _ number: Int, _ ticked: Set<String>) -> Markup {
        guard !module.chapters.isEmpty else { return .empty }
        let values = module.chapters.map { Self.value(module.id, $0.id) }
        let count = values.filter(ticked.contains).count
        let boxes = zip(module.chapters, values).enumerated().map { index, pair -> Markup in
            let mark: Markup = ticked.contains(pair.1) ? " checked" : ""
            let id = "chapter-\(number)-\(index)"
            return """
                <div class="field box"><input type="checkbox" id="\(id)" \
                name="\(Self.chaptersField)" value="\(pair.1)"\(mark)>\
                <label for="\(id)">\(pair.0.title)</label></div>
                """
        }
        let open: Markup = count > 0 ? " open" : ""
        let some = count > 0 ? " (\(count) ticked)" : ""
        return """
            <details class="chapters"\(open)><summary>Only some chapters of \(module.name)\(some)\
            </summary><div class="boxes">\(boxes)</div></details>
            """
    }
}
