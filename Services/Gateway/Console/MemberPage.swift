import Access
import Messages
import RPC

/// The page of one member of an organization.
struct MemberPage: DetailPage {
    let sheet: Sheet
    let user: String

    private var visitor: Visitor { sheet.visitor }
    private var rights: Rights { sheet.rights }
    private static let roles = Field(name: RoleBoxes.name, label: "Roles")

    var path: String { Self.path(of: user, at: sheet.id) }

    /// Where the page of a member is.
    static func path(of user: String, at organization: String) -> String {
        "\(ConsoleTab.users.path(of: organization))/\(user)"
    }

    func page(_ form: Form?, _ problem: Problem?) async throws(Problem) -> PageFrame {
        let member = try await visitor.ask(.membership) {
            try await MembershipClient($0).getMember(
                GetMemberRequest(organizationID: sheet.id, userID: user), options: $1)
        }
        let typed = form?[Sheet.actionField] == "roles" ? form : nil
        let state = RoleForm(member: member, typed: typed, problem: problem)
        let notice: Markup =
            if state.isStale {
                Notice.changedMeanwhile(state.differences)
            } else {
                problem.map { Notice.refused($0, fields: [Self.roles]) } ?? .empty
            }
        // What was typed is shown, whatever has become of the right to it.
        let offered = rights.isOwnCase(user) ? [] : rights.grantable
        let isForm = !offered.isEmpty || typed != nil
        return sheet.detail(
            member.shownName, member.state.badge, isRefused: problem != nil,
            """
            \(notice)
            \(facts(of: member, withRoles: !isForm))
            \(isForm ? roleForm(state, offered) : .empty)
            \(further(member))
            """)
    }

    private func facts(of member: Member, withRoles: Bool) -> Markup {
        FactList(facts: [
            ("Email address", member.email),
            ("Roles", withRoles ? member.roles.map(\.words).joined(separator: ", ") : ""),
            ("Seat", member.takesSeat ? "Taken" : "None"),
            ("Joined", member.joinedAt?.day ?? ""), ("Identifier", member.userID),
        ]).markup
    }

    /// What stands in the form with the roles.
    private struct RoleForm {
        let ticked: [Messages.Role]
        let original: [Messages.Role]
        let shown: Form
        let isStale: Bool
        let problem: Problem?
        let differences: [Notice.Difference]

        init(member: Member, typed: Form?, problem: Problem?) {
            isStale = typed != nil && problem?.httpStatus == 412
            var form = typed ?? Form([Form.etagField: member.etag])
            var ticked = typed.map { RoleBoxes.ticked(in: $0) } ?? member.roles
            var original = typed.map { RoleBoxes.original(of: $0) } ?? member.roles
            if isStale {
                // A role that was not touched is as somebody else has it now.
                let given = ticked.filter { !original.contains($0) }
                let taken = original.filter { !ticked.contains($0) }
                let kept = member.roles + given.filter { !member.roles.contains($0) }
                ticked = kept.filter { !taken.contains($0) }
                original = member.roles
                form[Form.etagField] = member.etag
            }
            shown = form
            self.ticked = ticked
            self.original = original
            self.problem = typed == nil ? nil : problem
            let others = Set(ticked).symmetricDifference(member.roles)
            differences = Messages.Role.offered.filter(others.contains).map { role in
                Notice.Difference(
                    id: RoleBoxes.name, label: role.words,
                    kept: member.roles.contains(role) ? "given" : "not given")
            }
        }
    }

    private func roleForm(_ state: RoleForm, _ offered: [Messages.Role]) -> Markup {
        // Roles that are not offered stay as they are.
        let others = state.ticked.filter { !offered.contains($0) }
        let hidden =
            [
                (name: Form.etagField, value: state.shown[Form.etagField]),
                RoleBoxes.original(state.original),
            ] + others.map { (name: RoleBoxes.name, value: "\($0.rawValue)") }
        let also = others.map(\.words).joined(separator: ", ")
        let hint = others.isEmpty ? "" : "Beside these: \(also), which you may not take."
        let boxes = RoleBoxes(
            offered: offered, ticked: state.ticked, hint: hint, problem: state.problem)
        return form(state.shown, "roles", button: "Save", hidden: hidden, boxes.markup)
    }

    private func further(_ member: Member) -> Markup {
        guard rights.mayChange(member) else {
            return rights.isOwnCase(user)
                ? Notice.hint("This is you. Somebody else changes your roles.") : .empty
        }
        let isBlocked = member.state == .blocked
        let change =
            isBlocked ? button("unblock", "Unblock") : button("block", "Block")
        let sentence =
            isBlocked
            ? "Unblocked, the member is let in again and takes a place, if there is one."
            : "Blocked, the member is let in no more, and the place is free for somebody else."
        return """
            <section class="further"><h2>Block or remove</h2>
            <p>\(sentence)</p>
            <div class="buttons">\(change)
            \(button("remove", "Remove", look: "danger"))</div></section>
            """
    }

    func save(_ form: Form) async throws(Problem) -> String {
        guard form[Sheet.actionField] == "roles" else {
            let done = try await sheet.changeMember(user, form)
            let next = done == .removed ? sheet.path : path
            return Link.to(next, [(Done.field, done.rawValue)])
        }
        let ticked = RoleBoxes.ticked(in: form)
        let saved = Link.to(path, [(Done.field, Done.saved.rawValue)])
        guard Set(ticked) != Set(RoleBoxes.original(of: form)) else { return saved }
        _ = try await visitor.ask(.membership, key: form.key, etag: form[Form.etagField]) {
            try await MembershipClient($0).updateMember(
                UpdateMemberRequest(organizationID: sheet.id, userID: user, roles: ticked),
                options: $1)
        }
        visitor.door.forget(user)
        return saved
    }
}

extension Member {
    /// What the member is called.
    var shownName: String { name.isEmpty ? email : name }
}

extension MemberState {
    /// The state with its mark.
    var badge: Markup {
        self == .blocked
            ? #"<span class="state off">Blocked</span>"#
            : #"<span class="state good">Active</span>"#
    }
}
