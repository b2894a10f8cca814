import Messages
import RPC

/// License types: bundles of courses that are given as one.
struct LicenseTypeDesk: RecordDesk {
    let visitor: Visitor
    let id: String

    private static let newPath = "\(PlatformDesk.licensesPath)/\(RecordPath.new)"

    var path: String { id.isEmpty ? Self.newPath : "\(PlatformDesk.licensesPath)/\(id)" }
    var listPath: String { PlatformPart.seatTypes.path }

    /// The types, as a list.
    static func list(_ visitor: Visitor) async throws(Problem) -> Markup {
        let offer = try await visitor.licenseTypes()
        let table = Table(
            caption: "License types",
            columns: [.init(title: "Name"), .init(title: "Courses", isNumber: true)],
            rows: offer.elements.map { type in
                [
                    visitor.recordName(type.name, "\(PlatformDesk.licensesPath)/\(type.id)"),
                    "\(type.courseIDs.count)",
                ]
            })
        let content =
            offer.elements.isEmpty ? Sheet.nothing("There are none yet.") : table.markup
        let new: Markup =
            visitor.maySetUpPlatform
            ? """
            <p class="actions export"><a class="button quiet" href="\(newPath)">\
            New license type</a></p>
            """ : .empty
        return """
            <section class="further"><h2>License types</h2>
            <p>Bundles of courses, given as one by seat types and organization types.</p>
            \(offer.notice)\(content)
            \(new)</section>
            """
    }

    private static let name = Field(name: "name", label: "Name", isRequired: true)

    private static func entries(_ courses: [Boxes.Group]) -> Entries {
        Entries(
            fields: [name],
            boxes: [
                Boxes(name: "courses", label: "Courses", groups: courses, places: ["courseIds"])
            ])
    }

    func page(_ form: Form?, _ problem: Problem?) async throws(Problem) -> RecordPage {
        var kept = LicenseType()
        if !id.isEmpty {
            kept = try await visitor.ask(.membership) {
                try await LicenseTypesClient($0).getLicenseType(
                    GetLicenseTypeRequest(id: id), options: $1)
            }
        }
        let courses = try await visitor.courses()
        let entries = Self.entries(courses.groups(by: try await visitor.modules()))
        var filled = Form(["name": kept.name, Form.etagField: kept.etag])
        filled.tick("courses", kept.courseIDs)
        return RecordPage(
            crumbs: [(PlatformPart.seatTypes.title, PlatformPart.seatTypes.path)],
            heading: id.isEmpty ? "New license type" : kept.name, path: path, isNew: id.isEmpty,
            entries: entries, kept: filled, form: form,
            problem: problem.map { entries.placed($0, within: "licenseType.") },
            hints: courses.notice,
            deletion: "Only a type that no seat type and no organization type gives can be deleted."
        ) { form, problem in
            """
            \(Self.name.markup(form, problem))
            \(entries.boxes.map { $0.markup(form, problem) })
            """
        }
    }

    func create(_ form: Form) async throws(Problem) -> String {
        let request = CreateLicenseTypeRequest(
            name: form["name"], courseIDs: form.all("courses"))
        let made = try await visitor.ask(.membership, key: form.key) {
            try await LicenseTypesClient($0).createLicenseType(request, options: $1)
        }
        return "\(PlatformDesk.licensesPath)/\(made.id)"
    }

    func update(_ form: Form) async throws(Problem) {
        let touched = Self.entries([]).touched(form)
        guard !touched.isEmpty else { return }
        let paths = [("name", "name"), ("courses", "course_ids")]
            .filter { touched.contains($0.0) }.map(\.1)
        let request = UpdateLicenseTypeRequest(
            licenseType: LicenseType(id: id, name: form["name"], courseIDs: form.all("courses")),
            updateMask: FieldMask(paths: paths))
        _ = try await visitor.ask(
            .membership, key: form.key, etag: form[Form.etagField], in: "licenseType"
        ) {
            try await LicenseTypesClient($0).updateLicenseType(request, options: $1)
        }
    }

    func delete(_ form: Form) async throws(Problem) {
        _ = try await visitor.ask(.membership, key: form.key, etag: form[Form.etagField]) {
            try await LicenseTypesClient($0).deleteLicenseType(
                DeleteLicenseTypeRequest(id: id), options: $1)
        }
    }
}
