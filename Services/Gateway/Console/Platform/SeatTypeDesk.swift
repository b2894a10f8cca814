import Messages
import RPC

/// Seat types: what a seat gives to who sits in it.
struct SeatTypeDesk: RecordDesk {
    let visitor: Visitor
    let id: String

    private static let part = PlatformPart.seatTypes

    var path: String { id.isEmpty ? Self.part.newPath : "\(Self.part.path)/\(id)" }
    var listPath: String { Self.part.path }

    /// The types, as a list.
    static func list(_ visitor: Visitor, _ query: Form) async throws(Problem) -> Markup {
        let reply = try await visitor.ask(.membership) {
            try await SeatTypesClient($0).listSeatTypes(
                ListSeatTypesRequest(pageSize: 50, pageToken: query[Pagination.field]),
                options: $1)
        }
        let pages = Pagination(
            path: part.path, parameters: [], token: query[Pagination.field],
            next: reply.nextPageToken)
        let table = Table(
            caption: "Seat types",
            columns: [
                .init(title: "Name"), .init(title: "License types", isNumber: true),
                .init(title: "Courses", isNumber: true),
            ],
            rows: reply.seatTypes.map { type in
                let mark: Markup =
                    type.isDefault
                    ? #"<p class="about">Where an organization type names none.</p>"# : ""
                return [
                    "\(visitor.recordName(type.name, "\(part.path)/\(type.id)"))\(mark)",
                    "\(type.licenseTypeIDs.count)", "\(type.courseIDs.count)",
                ]
            })
        let content = reply.seatTypes.isEmpty ? Sheet.nothing("There are none yet.") : table.markup
        return """
            <section><h2>Seat types</h2><p>What somebody gets who takes a seat.</p>
            \(content)\(pages.markup)</section>
            """
    }

    private static let name = Field(name: "name", label: "Name", isRequired: true)

    private static func entries(
        _ licenses: Offer<LicenseType>, _ courses: [Boxes.Group]
    ) -> Entries {
        Entries(
            fields: [name],
            boxes: [
                Boxes(
                    name: "licenses", label: "License types", groups: [licenses.group],
                    places: ["licenseTypeIds"]),
                Boxes(name: "courses", label: "Courses", groups: courses, places: ["courseIds"]),
            ])
    }

    func page(_ form: Form?, _ problem: Problem?) async throws(Problem) -> RecordPage {
        var kept = SeatType()
        if !id.isEmpty {
            kept = try await visitor.ask(.membership) {
                try await SeatTypesClient($0).getSeatType(GetSeatTypeRequest(id: id), options: $1)
            }
        }
        let licenses = try await visitor.licenseTypes()
        let courses = try await visitor.courses()
        let entries = Self.entries(licenses, courses.groups(by: try await visitor.modules()))
        var filled = Form(["name": kept.name, Form.etagField: kept.etag])
        filled.tick("licenses", kept.licenseTypeIDs)
        filled.tick("courses", kept.courseIDs)
        let deletion =
            kept.isDefault ? "" : "Only a type that no organization type names can be deleted."
        return RecordPage(
            crumbs: [(Self.part.title, Self.part.path)],
            heading: id.isEmpty ? "New seat type" : kept.name, path: path, isNew: id.isEmpty,
            entries: entries, kept: filled, form: form,
            problem: problem.map { entries.placed($0, within: "seatType.") },
            hints: Markup([licenses.notice, courses.notice]), deletion: deletion
        ) { form, problem in
            """
            \(Self.name.markup(form, problem))
            \(entries.boxes.map { $0.markup(form, problem) })
            """
        }
    }

    func create(_ form: Form) async throws(Problem) -> String {
        let request = CreateSeatTypeRequest(
            name: form["name"], licenseTypeIDs: form.all("licenses"),
            courseIDs: form.all("courses"))
        let made = try await visitor.ask(.membership, key: form.key) {
            try await SeatTypesClient($0).createSeatType(request, options: $1)
        }
        return "\(Self.part.path)/\(made.id)"
    }

    func update(_ form: Form) async throws(Problem) {
        let touched = Self.entries(Offer(), []).touched(form)
        guard !touched.isEmpty else { return }
        let paths = [
            ("name", "name"), ("licenses", "license_type_ids"), ("courses", "course_ids"),
        ].filter { touched.contains($0.0) }.map(\.1)
        let request = UpdateSeatTypeRequest(
            seatType: SeatType(
                id: id, name: form["name"], licenseTypeIDs: form.all("licenses"),
                courseIDs: form.all("courses")), updateMask: FieldMask(paths: paths))
        _ = try await visitor.ask(
            .membership, key: form.key, etag: form[Form.etagField], in: "seatType"
        ) {
            try await SeatTypesClient($0).updateSeatType(request, options: $1)
        }
    }

    func delete(_ form: Form) async throws(Problem) {
        _ = try await visitor.ask(.membership, key: form.key, etag: form[Form.etagField]) {
            try await SeatTypesClient($0).deleteSeatType(
                DeleteSeatTypeRequest(id: id), options: $1)
        }
    }
}
