import Access
import Messages
import ServiceKit

// What is asked of the catalog, checked field by field.

/// A module as it was asked for.
struct ModuleOrder: Sendable, Hashable {
    let name: Name
    let chapters: [ChapterOrder]

    init(_ request: CreateModuleRequest) throws(Refusal) {
        var check = FieldCheck()
        let name = check.name(request.name, "name")
        let chapters = check.chapters(request.chapters, "chapters")
        for order in chapters {
            check.expect(
                order.id == nil, "\(order.place)id", "A new chapter has no identifier yet.")
        }
        try check.finish()
        guard let name else { preconditionFailure("a field that is wrong was refused") }
        self.name = name
        self.chapters = chapters
    }
}

/// A course as it was asked for.
struct CourseOrder: Sendable, Hashable {
    let name: Name
    let module: ModuleID
    let chapter: ChapterID?

    init(_ request: CreateCourseRequest) throws(Refusal) {
        var check = FieldCheck()
        let name = check.name(request.name, "name")
        let module: ModuleID? = check.identifier(request.moduleID, "module_id")
        let chapter: ChapterID? = check.optionalIdentifier(request.chapterID, "chapter_id")
        try check.finish()
        guard let name, let module else {
            preconditionFailure("a field that is wrong was refused")
        }
        self.name = name
        self.module = module
        self.chapter = chapter
    }
}

extension ModuleChange {
    /// What a request changes.
    init(_ request: UpdateModuleRequest, isImplied: Bool) throws(Refusal) {
        let asked = request.module ?? Messages.Module()
        var present: Set<ModuleField> = []
        if !asked.name.isEmpty { present.insert(.name) }
        if !asked.chapters.isEmpty { present.insert(.chapters) }
        let fields = try ModuleField.named(
            request.updateMask?.paths ?? [], present: present, isImplied: isImplied)
        var check = FieldCheck()
        if fields.contains(.name) { name = check.name(asked.name, "module.name") }
        if fields.contains(.chapters) {
            chapters = check.chapters(asked.chapters, "module.chapters")
        }
        try check.finish()
    }
}

extension CourseChange {
    /// What a request changes.
    init(_ request: UpdateCourseRequest, isImplied: Bool) throws(Refusal) {
        let asked = request.course ?? Messages.Course()
        var present: Set<CourseField> = []
        if !asked.name.isEmpty { present.insert(.name) }
        if !asked.moduleID.isEmpty { present.insert(.module) }
        if !asked.chapterID.isEmpty { present.insert(.chapter) }
        let fields = try CourseField.named(
            request.updateMask?.paths ?? [], present: present, isImplied: isImplied)
        var check = FieldCheck()
        if fields.contains(.name) { name = check.name(asked.name, "course.name") }
        if fields.contains(.module) {
            module = check.identifier(asked.moduleID, "course.module_id")
        }
        if fields.contains(.chapter) {
            chapter = .some(check.optionalIdentifier(asked.chapterID, "course.chapter_id"))
        }
        try check.finish()
    }
}

extension FieldCheck {
    /// The identifier in a field that may be empty.
    mutating func optionalIdentifier<Kind>(_ text: String, _ field: String) -> Identifier<Kind>? {
        text.isEmpty ? nil : identifier(text, field)
    }

    /// The identifiers in a field: so many at most, each once.
    mutating func identifiers<Kind>(
        _ texts: [String], _ field: String, atMost most: Int
    ) -> [Identifier<Kind>] {
        expect(texts.count <= most, field, "There can be at most \(most) here.")
        var found: [Identifier<Kind>] = []
        var seen: Set<Identifier<Kind>> = []
        for (index, text) in texts.prefix(most).enumerated() {
            guard let id: Identifier<Kind> = identifier(text, "\(field)[\(index)]") else {
                continue
            }
            expect(seen.insert(id).inserted, "\(field)[\(index)]", "This is here twice.")
            found.append(id)
        }
        return found
    }

    /// The chapters in a field: each with a title of its own.
    fileprivate mutating func chapters(
        _ given: [Messages.Chapter], _ field: String
    ) -> [ChapterOrder] {
        let most = CatalogLimits.chaptersMax
        expect(given.count <= most, field, "A module has at most \(most) chapters.")
        var orders: [ChapterOrder] = []
        var titles: Set<String> = []
        var ids: Set<ChapterID> = []
        for (index, chapter) in given.prefix(most).enumerated() {
            let place = "\(field)[\(index)]."
            let id: ChapterID? = optionalIdentifier(chapter.id, "\(place)id")
            if let id { expect(ids.insert(id).inserted, "\(place)id", "This is here twice.") }
            guard let title = name(chapter.title, "\(place)title") else { continue }
            expect(
                titles.insert(title.key).inserted, "\(place)title",
                "Another chapter of the module has this title.")
            orders.append(ChapterOrder(id: id, title: title, place: place))
        }
        return orders
    }
}
