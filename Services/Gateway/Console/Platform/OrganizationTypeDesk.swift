import Messages
import RPC

/// Organization types: what organizations begin with, and what people get in them.
struct OrganizationTypeDesk: RecordDesk {
    let visitor: Visitor
    let id: String

    private static let part = PlatformPart.types

    var path: String { id.isEmpty ? Self.part.newPath : "\(Self.part.path)/\(id)" }
    var listPath: String { Self.part.path }

    // MARK: The list

    /// The types, as a list.
    static func list(_ visitor: Visitor, _ query: Form) async throws(Problem) -> Markup {
        let reply = try await visitor.ask(.organizations) {
            try await OrganizationTypesClient($0).listOrganizationTypes(
                ListOrganizationTypesRequest(
                    pageSize: 50, pageToken: query[Pagination.field]), options: $1)
        }
        let seats = Dictionary(
            try await visitor.seatTypes().elements.map { ($0.id, $0.name) },
            uniquingKeysWith: { first, _ in first })
        let pages = Pagination(
            path: part.path, parameters: [], token: query[Pagination.field],
            next: reply.nextPageToken)
        guard !reply.organizationTypes.isEmpty else {
            return """
                \(Sheet.nothing("There are no organization types yet."))\(pages.markup)
                """
        }
        let table = Table(
            caption: "Organization types",
            columns: [
                .init(title: "Name"), .init(title: "Who may assign it", isWideOnly: true),
                .init(title: "Signing up", isWideOnly: true),
                .init(title: "Seats", isWideOnly: true),
            ],
            rows: reply.organizationTypes.map { type in
                let seat = seats[type.defaultSeatTypeID] ?? type.defaultSeatTypeID
                return [
                    """
                    \(visitor.recordName(type.name, "\(part.path)/\(type.id)"))
                    <p class="narrow-only facts">\(type.visibility.words)</p>
                    """, "\(type.visibility.words)", "\(type.access?.words ?? "Closed")",
                    "\(seat.isEmpty ? "The platform's" : seat)",
                ]
            })
        return """
            <p class="lead">Templates that organizations are based on. A change holds at once for \
            every organization of the type.</p>
            <p class="count">\(Count.words(reply.totalSize, "type", "types"))</p>
            \(table.markup)\(pages.markup)
            """
    }

    // MARK: The form

    /// What there is to be chosen from.
    private struct Choices: Sendable {
        var seats = Offer<SeatType>()
        var licenses = Offer<LicenseType>()
        var modules = Offer<Module>()
        var courses = Offer<Course>()

        var notice: Markup {
            [seats.notice, licenses.notice, modules.notice, courses.notice]
                .first { $0 != .empty } ?? .empty
        }
    }

    private static let naming = [
        Field(name: "name", label: "Name", isRequired: true),
        Field(
            name: "visibility", label: "Who may assign it",
            control: .choice(
                [
                    .init(value: "1", label: OrganizationTypeVisibility.public.words),
                    .init(value: "2", label: OrganizationTypeVisibility.private.words),
                ], none: nil)),
    ]

    private static let access = [
        Field(name: "access.signupAllowed", label: "People may sign up", control: .box),
        Field(
            name: "access.requiresApproval", label: "Sign-ups wait until somebody approves them",
            control: .box),
    ]

    private static let allModules = Field(
        name: "allModules", label: "All modules, also those to come", control: .box,
        hint: "Without this tick, its organizations begin with the modules that are ticked below.")

    /// The roles by which people get something.
    private static let roles: [(name: String, title: String, standard: SeatBenefit)] = [
        ("owner", "Owners", SeatBenefit()),
        ("manager", "Managers", SeatBenefit(takesSeat: true)),
        ("member", "Everybody else", SeatBenefit(takesSeat: true)),
    ]

    private static func takesSeat(_ role: String) -> Field {
        Field(name: "\(role).takesSeat", label: "They take a seat", control: .box)
    }

    private static func licenses(_ role: String, _ choices: Choices) -> Boxes {
        Boxes(
            name: "\(role).licenses", label: "License types", groups: [choices.licenses.group],
            places: ["seatBenefits.\(role).licenseTypes"])
    }

    private static func courses(_ role: String, _ choices: Choices) -> Boxes {
        Boxes(
            name: "\(role).courses", label: "Courses",
            groups: choices.courses.groups(by: choices.modules),
            places: ["seatBenefits.\(role).courses"])
    }

    private static func seatType(_ choices: Choices) -> Field {
        Field(
            name: "defaultSeatTypeId", label: "Type of its seats",
            control: .choice(
                choices.seats.elements.map { .init(value: $0.id, label: $0.name) },
                none: "The platform's"))
    }

    private static func modules(_ choices: Choices) -> Boxes {
        Boxes(
            name: "modules", label: "Modules", groups: [choices.modules.group],
            places: ["access.defaultModules", "access.defaultModules.moduleIds"])
    }

    private static func entries(_ choices: Choices) -> Entries {
        Entries(
            fields: naming + [seatType(choices)] + access + [allModules]
                + roles.map { takesSeat($0.name) },
            boxes: [modules(choices)]
                + roles.flatMap { [licenses($0.name, choices), courses($0.name, choices)] })
    }

    /// The form in which a type stands as it is kept.
    private static func filled(with type: OrganizationType) -> Form {
        var form = Form([
            "name": type.name, "visibility": "\(type.visibility.rawValue)",
            "defaultSeatTypeId": type.defaultSeatTypeID, Form.etagField: type.etag,
        ])
        if type.access?.signupAllowed == true { form["access.signupAllowed"] = "on" }
        if type.access?.requiresApproval == true { form["access.requiresApproval"] = "on" }
        if let modules = type.access?.defaultModules {
            form.tick("modules", modules.moduleIDs)
        } else {
            form["allModules"] = "on"
        }
        let benefits = type.seatBenefits ?? SeatBenefits()
        for (role, kept) in zip(roles, [benefits.owner, benefits.manager, benefits.member]) {
            let benefit = kept ?? role.standard
            if benefit.takesSeat { form["\(role.name).takesSeat"] = "on" }
            form.tick("\(role.name).licenses", benefit.licenseTypes)
            form.tick("\(role.name).courses", benefit.courses)
        }
        return form
    }

    func page(_ form: Form?, _ problem: Problem?) async throws(Problem) -> RecordPage {
        var kept = OrganizationType(visibility: .public)
        if !id.isEmpty {
            kept = try await visitor.ask(.organizations) {
                try await OrganizationTypesClient($0).getOrganizationType(
                    GetOrganizationTypeRequest(id: id), options: $1)
            }
        }
        let choices = Choices(
            seats: try await visitor.seatTypes(), licenses: try await visitor.licenseTypes(),
            modules: try await visitor.modules(), courses: try await visitor.courses())
        let entries = Self.entries(choices)
        return RecordPage(
            crumbs: [(Self.part.title, Self.part.path)],
            heading: id.isEmpty ? "New organization type" : kept.name, path: path,
            isNew: id.isEmpty, entries: entries, kept: Self.filled(with: kept), form: form,
            problem: problem.map { entries.placed($0, within: "organizationType.") },
            hints: choices.notice,
            deletion: "Only a type that no organization has can be deleted, in the archive too."
        ) { form, problem in
            Self.content(form, problem, choices)
        }
    }

    private static func content(_ form: Form, _ problem: Problem?, _ choices: Choices) -> Markup {
        let benefits = roles.map { role -> Markup in
            let courses = courses(role.name, choices)
            let count = form.all(courses.name).count
            return """
                <div class="benefits"><fieldset><legend>\(role.title)</legend>
                \(takesSeat(role.name).markup(form, problem))
                \(licenses(role.name, choices).markup(form, problem))
                <details\(count > 0 ? " open" : "")><summary>Courses of \
                \(role.title.lowercased()) (\(count) ticked)</summary>\
                \(courses.markup(form, problem))</details></fieldset></div>
                """
        }
        return """
            <fieldset><legend>General</legend><div class="fields">
            \((naming + [seatType(choices)]).map { $0.markup(form, problem) })</div></fieldset>
            <fieldset><legend>Access</legend>
            \(access.map { $0.markup(form, problem) })
            \(allModules.markup(form, problem))
            \(modules(choices).markup(form, problem))</fieldset>
            <section><h2>Seat benefits</h2><p>What people get by their strongest role.</p>
            \(benefits)</section>
            """
    }

    // MARK: Changes

    /// The type as a form has it.
    private static func typed(_ form: Form) -> OrganizationType {
        let modules = form.has("allModules") ? nil : ModuleSelection(moduleIDs: form.all("modules"))
        func benefit(_ role: String) -> SeatBenefit {
            SeatBenefit(
                takesSeat: form.has("\(role).takesSeat"),
                licenseTypes: form.all("\(role).licenses"), courses: form.all("\(role).courses"))
        }
        return OrganizationType(
            name: form["name"],
            visibility: OrganizationTypeVisibility(rawValue: Int32(form["visibility"]) ?? 0),
            defaultSeatTypeID: form["defaultSeatTypeId"],
            access: OrganizationTypeAccess(
                signupAllowed: form.has("access.signupAllowed"),
                requiresApproval: form.has("access.requiresApproval"), defaultModules: modules),
            seatBenefits: SeatBenefits(
                owner: benefit("owner"), manager: benefit("manager"), member: benefit("member")))
    }

    /// The fields of the request that a field of the form stands for.
    private static func mask(_ name: String) -> String {
        switch name {
        case "defaultSeatTypeId": return "default_seat_type_id"
        case "access.signupAllowed": return "access.signup_allowed"
        case "access.requiresApproval": return "access.requires_approval"
        case "allModules", "modules": return "access.default_modules"
        case "name", "visibility": return name
        default: return "seat_benefits." + name.prefix { $0 != "." }
        }
    }

    func create(_ form: Form) async throws(Problem) -> String {
        let typed = Self.typed(form)
        let request = CreateOrganizationTypeRequest(
            name: typed.name, visibility: typed.visibility,
            defaultSeatTypeID: typed.defaultSeatTypeID, access: typed.access,
            seatBenefits: typed.seatBenefits)
        let made = try await visitor.ask(.organizations, key: form.key) {
            try await OrganizationTypesClient($0).createOrganizationType(request, options: $1)
        }
        return "\(Self.part.path)/\(made.id)"
    }

    func update(_ form: Form) async throws(Problem) {
        let touched = Self.entries(Choices()).touched(form)
            // Which modules are ticked is nothing as long as it is all of them.
            .filter { $0 != "modules" || !form.has("allModules") }
        guard !touched.isEmpty else { return }
        var type = Self.typed(form)
        type.id = id
        let request = UpdateOrganizationTypeRequest(
            organizationType: type,
            updateMask: FieldMask(paths: Set(touched.map(Self.mask)).sorted()))
        _ = try await visitor.ask(
            .organizations, key: form.key, etag: form[Form.etagField], in: "organizationType"
        ) {
            try await OrganizationTypesClient($0).updateOrganizationType(request, options: $1)
        }
    }

    func delete(_ form: Form) async throws(Problem) {
        _ = try await visitor.ask(.organizations, key: form.key, etag: form[Form.etagField]) {
            try await OrganizationTypesClient($0).deleteOrganizationType(
                DeleteOrganizationTypeRequest(id: id), options: $1)
        }
    }
}

extension OrganizationTypeVisibility {
    /// Who may assign a type, in words.
    fileprivate var words: String {
        switch self {
        case .public, .unspecified: "Whoever may set a type"
        case .private: "Staff of the platform"
        case .unrecognized: "Unknown"
        }
    }
}

extension OrganizationTypeAccess {
    /// Whether people may sign up, in words.
    fileprivate var words: String {
        guard signupAllowed else { return "Closed" }
        return requiresApproval ? "With approval" : "Open"
    }
}
