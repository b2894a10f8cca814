import Access
import Messages

/// The form in which an organization is described, for a new one and for the info of one there is.
enum OrganizationForm {
    /// The fields of an organization that is new, or of one that is there.
    static func fields(types: [OrganizationType], isNew: Bool) -> [Field] {
        naming + labels(types: types) + dates(isNew: isNew)
    }

    /// What makes it identifiable.
    static let naming = [
        Field(name: "title", label: "Title", isRequired: true, isWide: true),
        Field(
            name: "description", label: "Description", control: .area(rows: 3), isWide: true),
        Field(
            name: "category", label: "Category",
            control: .choice(OrganizationCategory.options, none: "Please choose"),
            isRequired: true),
        Field(
            name: "country", label: "Country",
            control: .choice(Countries.options, none: "Please choose"), isRequired: true),
    ]

    private static func labels(types: [OrganizationType]) -> [Field] {
        [
            Field(
                name: "kind", label: "Kind",
                control: .choice(OrganizationKind.options, none: "Not told")),
            Field(
                name: "typeId", label: "Organization type",
                control: .choice(
                    types.map { Field.Option(value: $0.id, label: $0.name) }, none: "None"),
                hint: "The template that it is based on."),
            Field(
                name: "salesRepEmail", label: "Sales representative", control: .email,
                hint: "An email address."),
        ]
    }

    // Days are lines of text: of a day that is typed in part a browser's own field sends nothing,
    // and nothing stands for never.
    private static func dates(isNew: Bool) -> [Field] {
        [
            Field(
                name: "trial.enabled", label: "It is a trial", control: .box, heading: "Trial"),
            Field(
                name: "trial.validUntil", label: "Valid until",
                hint: "The last day of the trial, as YYYY-MM-DD."),
            Field(
                name: "expiresAt", label: "Organization expires at",
                hint: isNew
                    ? "The last day, as YYYY-MM-DD. Today, or nothing, stands for never."
                    : "The last day, as YYYY-MM-DD; nothing: never."),
        ]
    }

    /// The parents that are offered for a new organization.
    static func parent(_ parents: [Organization], isCut: Bool) -> Field {
        let options = parents.map { organization in
            Field.Option(
                value: organization.id,
                label: (organization.path.map(\.title) + [organization.title])
                    .joined(separator: " › "))
        }
        return Field(
            name: "parentId", label: "Part of", control: .choice(options, none: "None: at the top"),
            hint: isCut
                ? """
                These are the first by title. For another one, open it and choose New \
                suborganization.
                """
                : "")
    }

    /// The form in which an organization stands as it is.
    static func filled(with organization: Organization) -> Form {
        var values = [
            "title": organization.title, "description": organization.description,
            "category": organization.category.value, "country": organization.country,
            "kind": organization.kind.value, "typeId": organization.typeID,
            "salesRepEmail": organization.salesRepEmail,
            "trial.validUntil": organization.trial?.validUntil ?? "",
            "expiresAt": organization.expiresAt, "etag": organization.etag,
        ]
        if organization.trial?.enabled == true { values["trial.enabled"] = "on" }
        return Form(values)
    }

    private static let descriptive = [
        "title", "description", "category", "country", "kind", "salesRepEmail",
    ]
    private static let contractual = ["typeId", "trial.enabled", "trial.validUntil", "expiresAt"]

    /// The fields of the info.
    static let names = descriptive + contractual

    /// The fields of the info that are offered to be changed.
    static func names(for rights: Rights) -> Set<String> {
        var names: Set<String> = []
        if rights.may(.editOrganization) {
            names.formUnion(descriptive)
        } else if rights.may(.editOrganization, meeting: [.titleOnly]) {
            names.insert("title")
        }
        if rights.may(.setTypeTrialExpiry) { names.formUnion(contractual) }
        return names
    }

    /// The fields of a new organization that are offered to somebody.
    static func newNames(for visitor: Visitor) -> Set<String> {
        Set(visitor.mayAnywhere(.setTypeTrialExpiry) ? names : descriptive)
    }

    /// What stood in a form when it was shown, to be sent along with it.
    static func originals(
        of form: Form, _ shown: Set<String>
    ) -> [(name: String, value: String)] {
        form.originals(of: names.filter(shown.contains))
    }

    /// A form that was typed into while somebody else has changed the organization: what was not
    /// touched is as they have it now, and what was typed stays.
    static func merged(_ form: Form, with now: Organization) -> Form {
        form.merged(with: filled(with: now), names)
    }

    /// The request for a new organization that a form stands for.
    static func creation(_ form: Form) -> CreateOrganizationRequest {
        let typed = organization(form)
        return CreateOrganizationRequest(
            parentID: form["parentId"], title: typed.title, description: typed.description,
            category: typed.category, country: typed.country, kind: typed.kind,
            salesRepEmail: typed.salesRepEmail, typeID: typed.typeID, trial: typed.trial,
            expiresAt: typed.expiresAt)
    }

    /// The organization as a form has it.
    static func organization(_ form: Form) -> Organization {
        let trial = Trial(
            enabled: form.has("trial.enabled"), validUntil: form["trial.validUntil"].trimmed)
        return Organization(
            title: form["title"], description: form["description"],
            category: OrganizationCategory(formValue: form["category"]), country: form["country"],
            kind: OrganizationKind(formValue: form["kind"]),
            salesRepEmail: form["salesRepEmail"].trimmed, typeID: form["typeId"],
            trial: trial == Trial() ? nil : trial, expiresAt: form["expiresAt"].trimmed)
    }

    /// The fields in which a form differs from what is kept: names in the form, and in requests.
    ///
    /// Who may change a title and not a trial saves the title: what stayed is not sent, nor what
    /// does not stand in the form.
    static func changes(
        _ form: Form, from kept: Organization
    ) -> [(field: String, path: String)] {
        let typed = organization(form)
        let compared: [(field: String, path: String, differs: Bool)] = [
            ("title", "title", typed.title != kept.title),
            ("description", "description", typed.description != kept.description),
            ("category", "category", typed.category != kept.category),
            ("country", "country", typed.country != kept.country),
            ("kind", "kind", typed.kind != kept.kind),
            ("typeId", "type_id", typed.typeID != kept.typeID),
            ("salesRepEmail", "sales_rep_email", typed.salesRepEmail != kept.salesRepEmail),
            (
                "trial.validUntil", "trial",
                (typed.trial ?? Trial()) != (kept.trial ?? Trial())
            ),
            ("expiresAt", "expires_at", typed.expiresAt != kept.expiresAt),
        ]
        return compared.filter { $0.differs && form.carries($0.field) }
            .map { ($0.field, $0.path) }
    }

    /// The organization to be sent with the mask of what changed.
    static func update(
        _ form: Form, of kept: Organization, paths: [String]
    ) -> UpdateOrganizationRequest {
        var organization = organization(form)
        organization.id = kept.id
        return UpdateOrganizationRequest(
            organization: organization, updateMask: FieldMask(paths: paths))
    }

    /// What is kept in a field, in words.
    static func words(_ field: String, of organization: Organization) -> String {
        let form = filled(with: organization)
        func label(_ options: [Field.Option]) -> String {
            options.first { $0.value == form[field] }?.label ?? form[field]
        }
        let text =
            switch field {
            case "category": label(OrganizationCategory.options)
            case "country": label(Countries.options)
            case "kind": label(OrganizationKind.options)
            case "trial.validUntil":
                organization.trial?.enabled == true
                    ? "a trial until \(form[field])" : "no trial"
            default: form[field]
            }
        return text.isEmpty ? "nothing" : text
    }
}
