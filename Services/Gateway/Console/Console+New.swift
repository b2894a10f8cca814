import Messages
import RPC

// A new organization.

extension Console {
    /// The most organizations that are offered as parents.
    private static let parentsMax: Int32 = 200

    /// The page on which a new organization is described.
    func newForm(_ request: Incoming, _ visitor: Visitor) async throws(Problem) -> Answer {
        guard visitor.mayCreateOrganizations else { return .seeOther(Self.listPath) }
        let query = try door.query(request)
        let form = Form(["parentId": query["parent"]])
        return try await newPage(form, nil, visitor).answer()
    }

    /// Makes the organization that was described.
    func create(_ form: Form, _ visitor: Visitor) async throws(Problem) -> Answer {
        do throws(Problem) {
            let made = try await visitor.ask(.organizations, key: form.key) {
                try await OrganizationsClient($0).createOrganization(
                    OrganizationForm.creation(form), options: $1)
            }
            return .seeOther(
                Link.to(
                    ConsoleTab.info.path(of: made.id),
                    [(Done.field, Done.created.rawValue)] + Remark.parameters(of: made)))
        } catch {
            if error.httpStatus == 401 { throw error }
            return try await newPage(form.renewed(after: error), error, visitor).answer(to: error)
        }
    }

    private func newPage(
        _ form: Form, _ problem: Problem?, _ visitor: Visitor
    ) async throws(Problem) -> PageFrame {
        let parents = await visitor.parents(upTo: Self.parentsMax)
        var offered = parents?.organizations ?? []
        let parent = form["parentId"]
        if !parent.isEmpty, !offered.contains(where: { $0.id == parent }) {
            // What is refused is found out when it is sent.
            if let one = await visitor.organization(parent) { offered.append(one) }
        }
        let parentField = OrganizationForm.parent(
            offered, isCut: parents?.nextPageToken.isEmpty == false)
        let names = OrganizationForm.newNames(for: visitor)
        let fields = OrganizationForm.fields(
            types: await visitor.organizationTypes(), isNew: true
        ).filter { names.contains($0.name) || form.carries($0.name) }
        let notice: Markup =
            problem.map {
                Notice.refused(
                    $0, "The organization was not saved yet", fields: [parentField] + fields)
            } ?? ""
        let crumbs = Breadcrumbs(
            parts: [("My account", Self.path), ("Organizations", Self.listPath)],
            current: "New organization")
        return PageFrame(
            title: (problem == nil ? "" : "Not saved yet – ") + "New organization",
            markup: """
                \(crumbs.markup)
                <h1>New organization</h1>
                <p class="lead">Fields marked “required” have to be filled in. Who owns it is \
                said once it is saved, on the tab Users: without an owner nobody manages it.</p>
                \(notice)
                <form method="post" action="\(Self.newPath)" novalidate>
                \(HiddenFields(key: form).markup)
                \(OrganizationFormLook(fields: fields, parent: parentField).markup(form, problem))
                <p class="buttons"><button type="submit">Accept</button>
                <a href="\(Self.listPath)">Cancel</a></p>
                </form>
                """, isConsole: true, menu: visitor.menu)
    }
}

/// The fields of an organization, in groups.
struct OrganizationFormLook: Sendable {
    let fields: [Field]
    var parent: Field?

    /// The fields as they are shown.
    func markup(_ form: Form, _ problem: Problem?) -> Markup {
        func group(_ heading: String, _ names: [String], _ more: [Field] = []) -> Markup {
            let group = more + names.compactMap { name in fields.first { $0.name == name } }
            guard !group.isEmpty else { return .empty }
            return """
                <fieldset><legend>\(heading)</legend><div class="fields">
                \(group.map { $0.markup(form, problem) })</div></fieldset>
                """
        }
        return Markup([
            group("What it is", ["title", "description", "category", "country", "kind"]),
            group(
                "What it belongs to", ["typeId", "salesRepEmail"], parent.map { [$0] } ?? []),
            group("How long", ["trial.enabled", "trial.validUntil", "expiresAt"]),
        ])
    }
}

/// What somebody should know though an organization, or its limits, were saved.
enum Remark: String, Sendable, CaseIterable {
    case nameExistsElsewhere = "name_exists_elsewhere"
    case neverExpires = "never_expires"
    case overLimit = "over_limit"
    case ineffectiveLimit = "ineffective_limit"

    /// The field of a query that names one.
    static let field = "remark"

    private var sentence: String {
        switch self {
        case .nameExistsElsewhere:
            """
            Another organization elsewhere has the same title. Both may; tell them apart by where \
            they hang.
            """
        case .neverExpires: "It was to expire today: that stands for never."
        case .overLimit:
            "More people are here than a limit admits. Nobody is removed, and nobody new comes in."
        case .ineffectiveLimit:
            "A limit has no effect: an organization above has a lower one for everything below it."
        }
    }

    /// What a reply remarks, as parameters of the page that follows.
    static func parameters(of organization: Organization) -> [(name: String, value: String)] {
        var remarks = organization.warnings.compactMap { Remark(rawValue: $0.code) }
        if organization.normalized.contains("expires_at") { remarks.append(.neverExpires) }
        return remarks.map { (field, $0.rawValue) }
    }

    /// What a reply remarks on limits, as parameters of the page that follows.
    static func parameters(of caps: Caps) -> [(name: String, value: String)] {
        let codes = Set(caps.warnings.map(\.code))
        return allCases.filter { codes.contains($0.rawValue) }.map { (field, $0.rawValue) }
    }

    /// The remarks that a query names.
    static func notices(_ query: Form) -> [Markup] {
        allCases.filter { query.all(field).contains($0.rawValue) }
            .map { Notice.hint("\($0.sentence)") }
    }
}

extension Visitor {
    /// The organizations that a new one may be part of, as far as they are offered; nil when they
    /// are not to be had, which no form should fail by.
    fileprivate func parents(upTo most: Int32) async -> ListOrganizationsReply? {
        do throws(Problem) {
            return try await ask(.organizations) {
                try await OrganizationsClient($0).listOrganizations(
                    ListOrganizationsRequest(pageSize: most, subtree: true, orderBy: "title"),
                    options: $1)
            }
        } catch {
            return nil
        }
    }

    /// An organization; nil when it is not to be seen.
    func organization(_ id: String) async -> Organization? {
        do throws(Problem) {
            return try await ask(.organizations) {
                try await OrganizationsClient($0).getOrganization(
                    GetOrganizationRequest(id: id), options: $1)
            }
        } catch {
            return nil
        }
    }

    /// The types that are offered; none when they are not to be had, which no form should fail by.
    func organizationTypes() async -> [OrganizationType] {
        do throws(Problem) {
            return try await ask(.organizations) {
                try await OrganizationTypesClient($0).listOrganizationTypes(
                    ListOrganizationTypesRequest(pageSize: 500), options: $1)
            }.organizationTypes
        } catch {
            return []
        }
    }
}
