import Messages
import RPC

/// Courses: something to learn, which belongs to a module.
struct CourseDesk: RecordDesk {
    let visitor: Visitor
    /// The module at which it is looked at.
    let module: String
    let id: String

    var path: String {
        "\(ModuleDesk.path(of: module))/\(id.isEmpty ? RecordPath.new : id)"
    }
    var listPath: String { ModuleDesk.path(of: module) }

    private static let name = Field(name: "name", label: "Name", isRequired: true)

    /// The fields; a course that is new belongs to the module at which it is made.
    private static func fields(_ modules: [Module], chapters: [Chapter], isNew: Bool) -> [Field] {
        let place = Field(
            name: "moduleId", label: "Module",
            control: .choice(
                modules.map { .init(value: $0.id, label: $0.name) }, none: nil))
        let chapter = Field(
            name: "chapterId", label: "Chapter",
            control: .choice(
                chapters.map { .init(value: $0.id, label: $0.title) },
                none: "The module as a whole"),
            hint: "Whoever has this chapter may open it; of the module as a whole, any chapter.")
        return [name] + (isNew ? [] : [place]) + [chapter]
    }

    func page(_ form: Form?, _ problem: Problem?) async throws(Problem) -> RecordPage {
        var kept = Course(moduleID: module)
        if !id.isEmpty {
            kept = try await visitor.ask(.partners) {
                try await CatalogClient($0).getCourse(GetCourseRequest(id: id), options: $1)
            }
        }
        let modules = try await visitor.modules()
        let place = kept.moduleID
        let home = try await visitor.ask(.partners) {
            try await CatalogClient($0).getModule(GetModuleRequest(id: place), options: $1)
        }
        let entries = Entries(
            fields: Self.fields(modules.elements, chapters: home.chapters, isNew: id.isEmpty))
        return RecordPage(
            crumbs: [
                (PlatformPart.catalog.title, PlatformPart.catalog.path),
                (home.name, ModuleDesk.path(of: home.id)),
            ], heading: id.isEmpty ? "New course" : kept.name, path: path, isNew: id.isEmpty,
            entries: entries,
            kept: Form([
                "name": kept.name, "moduleId": kept.moduleID, "chapterId": kept.chapterID,
                Form.etagField: kept.etag,
            ]), form: form, problem: problem.map { entries.placed($0, within: "course.") },
            hints: modules.notice, deletion: "Who could open it no longer can."
        ) { form, problem in
            #"<div class="fields">\#(entries.fields.map { $0.markup(form, problem) })</div>"#
        }
    }

    func create(_ form: Form) async throws(Problem) -> String {
        let request = CreateCourseRequest(
            name: form["name"], moduleID: module, chapterID: form["chapterId"])
        let made = try await visitor.ask(.partners, key: form.key) {
            try await CatalogClient($0).createCourse(request, options: $1)
        }
        return "\(ModuleDesk.path(of: module))/\(made.id)"
    }

    func update(_ form: Form) async throws(Problem) {
        let touched = Entries(fields: Self.fields([], chapters: [], isNew: false)).touched(form)
        guard !touched.isEmpty else { return }
        // A chapter of the module before is none of the one after.
        let isMoved = touched.contains("moduleId") && !touched.contains("chapterId")
        let paths =
            [("name", "name"), ("moduleId", "module_id"), ("chapterId", "chapter_id")]
            .filter { touched.contains($0.0) || (isMoved && $0.0 == "chapterId") }.map(\.1)
        let request = UpdateCourseRequest(
            course: Course(
                id: id, name: form["name"], moduleID: form["moduleId"],
                chapterID: isMoved ? "" : form["chapterId"]), updateMask: FieldMask(paths: paths))
        _ = try await visitor.ask(
            .partners, key: form.key, etag: form[Form.etagField], in: "course"
        ) {
            try await CatalogClient($0).updateCourse(request, options: $1)
        }
    }

    func delete(_ form: Form) async throws(Problem) {
        _ = try await visitor.ask(.partners, key: form.key, etag: form[Form.etagField]) {
            try await CatalogClient($0).deleteCourse(DeleteCourseRequest(id: id), options: $1)
        }
    }
}
