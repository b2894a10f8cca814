import Access
import Messages
import RPC

/// The page that asks before an organization goes to the archive.
struct DeletePage: Sendable {
    /// The last part of its path.
    static let place = "delete"

    let organization: Organization
    let form: Form
    var problem: Problem?
    var menu = ConsoleMenu()

    private static let cascade = Field(
        name: "cascade", label: "Delete everything below it, too", control: .box)

    /// A refusal that names the box of the page, which services know by another name.
    private static func worded(_ problem: Problem) -> Problem {
        guard problem.code == "has_children" else { return problem }
        var worded = problem
        worded.message = """
            There are organizations below this one. Delete them first, or all at once with \
            “\(cascade.label)”.
            """
        return worded
    }

    /// The page.
    var frame: PageFrame {
        let back = ConsoleTab.info.path(of: organization.id)
        let crumbs = Breadcrumbs(
            parts: [
                ("My account", Console.path), ("Organizations", Console.listPath),
                (organization.title, back),
            ], current: "Delete")
        let notice: Markup =
            problem.map {
                Notice.refused(Self.worded($0), "It was not deleted", fields: [Self.cascade])
            } ?? ""
        return PageFrame(
            title: "Delete \(organization.title)?",
            markup: """
                \(crumbs.markup)
                <h1>Delete \(organization.title)?</h1>
                <p class="lead">It goes to the archive, where it is kept for 90 days. Its \
                members are let in no more, and count nowhere; its email domains and custom URLs \
                are given up.</p>
                \(notice)
                <form method="post" action="\(back)/\(Self.place)" novalidate>
                \(HiddenFields(key: form, [("etag", form["etag"])]).markup)
                \(Self.cascade.markup(form, problem))
                <p class="buttons"><button type="submit" class="danger">Delete it</button>
                <a href="\(back)">Keep it</a></p>
                </form>
                """, isConsole: true, menu: menu)
    }
}

extension OrganizationDesk {
    /// Asks whether the organization is to be deleted, or deletes it.
    func delete(_ form: Form?) async throws(Problem) -> Answer {
        guard let form else {
            let organization = try await organization()
            let isOffered = Rights(of: visitor, at: organization)
                .may(.archiveOrganization, evenPaused: true)
            if organization.isArchived || !isOffered {
                return .seeOther(ConsoleTab.info.path(of: id))
            }
            return DeletePage(
                organization: organization, form: Form(["etag": organization.etag]),
                menu: visitor.menu
            ).frame.answer()
        }
        do throws(Problem) {
            _ = try await visitor.ask(.organizations, key: form.key, etag: form["etag"]) {
                try await OrganizationsClient($0).deleteOrganization(
                    DeleteOrganizationRequest(id: id, cascade: form.has("cascade")), options: $1)
            }
            return .seeOther(
                Link.to(Console.listPath, [(Done.field, Done.deleted.rawValue)]))
        } catch {
            if error.httpStatus == 401 { throw error }
            let organization = try await organization()
            if organization.isArchived { return .seeOther(ConsoleTab.info.path(of: id)) }
            var again = form.renewed(after: error)
            again["etag"] = organization.etag
            return DeletePage(
                organization: organization, form: again, problem: error, menu: visitor.menu
            ).frame.answer(to: error)
        }
    }
}
