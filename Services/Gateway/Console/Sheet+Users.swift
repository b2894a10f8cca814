import Access
import Messages
import RPC

// The members of an organization.

extension Sheet {
    /// The members on one page.
    private static let membersOnPage: Int32 = 50
    /// The field of the query by which the list is narrowed.
    static let stateField = "state"

    private static let fields = [
        Field(
            name: "email", label: "Email address",
            control: .line(type: "email", autocomplete: "off"), isRequired: true),
        Field(
            name: "name", label: "Name", hint: "Of somebody who is new here."),
    ]

    private static let roles = Field(name: "roles", label: "Roles", hint: "None: Member.")

    /// A refusal with the field at its place where nobody is named: the page has no other way to
    /// name somebody than an email address.
    private static func placed(_ problem: Problem, _ form: Form) -> Problem {
        let isNobodyNamed = problem.violations.contains { ["userId", "email"].contains($0.at) }
        guard isNobodyNamed, form["email"].trimmed.isEmpty else { return problem }
        var fault = Problem.invalid("email", "Please type an email address.")
        fault.httpStatus = problem.httpStatus
        return fault
    }

    /// The tab.
    func users(_ form: Form?, _ problem: Problem?) async throws(Problem) -> Markup {
        let state = query[Self.stateField]
        let reply = try await visitor.ask(.membership) {
            try await MembershipClient($0).listMembers(
                ListMembersRequest(
                    organizationID: id, state: MemberState(rawValue: Int32(state) ?? 0),
                    pageSize: Self.membersOnPage, pageToken: query[Pagination.field]),
                options: $1)
        }
        let waiting = try await self.waiting()
        let isAdding = form?[Self.actionField] == "add"
        let problem = isAdding ? problem.map { Self.placed($0, form ?? Form()) } : problem
        let notice: Markup =
            problem.map {
                Notice.refused(
                    $0, Self.heading(of: form?[Self.actionField] ?? ""),
                    fields: Self.fields + [Self.roles])
            } ?? ""
        return """
            \(notice)
            \(ownerHint(reply))
            \(waiting)
            \(memberList(reply, state))
            \(addition(isAdding ? form : nil, isAdding ? problem : nil))
            """
    }

    /// What a refusal says was not done.
    private static func heading(of action: String) -> String {
        switch action {
        case "add": "Nobody was added yet"
        case "approve": "Nobody was let in yet"
        default: "Nothing was changed"
        }
    }

    /// Without an owner nobody manages the organization.
    private func ownerHint(_ reply: ListMembersReply) -> Markup {
        let isAll =
            query[Self.stateField].isEmpty && query[Pagination.field].isEmpty
            && reply.nextPageToken.isEmpty
        let hasOwner = reply.members.contains {
            $0.state == .active && ($0.roles.contains(.owner) || $0.roles.contains(.orgAdmin))
        }
        guard isAll, !hasOwner else { return .empty }
        return Notice.hint(
            """
            Nobody owns this organization yet. Add somebody with the role Owner or Administrator, \
            so that it can be managed from within.
            """)
    }

    private func memberList(_ reply: ListMembersReply, _ state: String) -> Markup {
        let states = [
            Field.Option(value: "\(MemberState.active.rawValue)", label: "Active"),
            Field.Option(value: "\(MemberState.blocked.rawValue)", label: "Blocked"),
        ]
        let field = Field(
            name: Self.stateField, label: "State",
            control: .choice(states, none: "All"))
        let pages = Pagination(
            path: path, parameters: [(Self.stateField, state)], token: query[Pagination.field],
            next: reply.nextPageToken)
        let table = Table(
            caption: "Members",
            columns: [
                .init(title: "Member"), .init(title: "Roles", isWideOnly: true),
                .init(title: "State", isWideOnly: true), .init(title: "Seat", isWideOnly: true),
                .init(title: "Actions", isHeadHidden: true),
            ], rows: reply.members.map(memberRow))
        let list: Markup =
            reply.members.isEmpty
            ? Self.nothing(
                state.isEmpty ? "There are no members yet." : "There are no such members.")
            : """
            <p class="count">\(Count.words(reply.totalSize, "member", "members"))</p>
            \(table.markup)
            """
        return """
            <h2>Members</h2>
            <form class="filter" method="get" action="\(path)">\(field.markup(query))
            <div class="field last"><button type="submit" class="quiet">Show</button></div></form>
            \(list)
            \(pages.markup)
            """
    }

    private func memberRow(_ member: Member) -> [Markup] {
        let isBlocked = member.state == .blocked
        let state = member.state.badge
        let roles = member.roles.map(\.words).joined(separator: ", ")
        let who = member.shownName
        let values = [(name: "user", value: member.userID)] + listPlace
        let change =
            isBlocked
            ? button("unblock", "Unblock", spoken: "Unblock \(who)", values)
            : button("block", "Block", spoken: "Block \(who)", values)
        let removal = button("remove", "Remove", spoken: "Remove \(who)", values, look: "danger")
        let menu: Markup = """
            <details class="menu"><summary><span class="unseen">Change \(who)</span>\
            <span aria-hidden="true">⋯</span></summary><div class="menu-body">\(change)\
            \(removal)</div></details>
            """
        return [
            """
            <a class="name" href="\(MemberPage.path(of: member.userID, at: id))">\(who)</a>\
            <p class="about">\(member.email)</p>
            <p class="narrow-only facts">\(roles) \(state)</p>
            """,
            "\(roles)", state, member.takesSeat ? "Taken" : "–",
            rights.mayChange(member) ? menu : .empty,
        ]
    }

    private func addition(_ form: Form?, _ problem: Problem?) -> Markup {
        // What was typed is shown, whatever has become of the right to it.
        let offered = form == nil ? rights.grantable : Messages.Role.offered
        guard !offered.isEmpty else { return .empty }
        let form = form ?? Form()
        let ticked = RoleBoxes.ticked(in: form)
        let boxes = RoleBoxes(
            offered: offered, ticked: ticked.isEmpty ? [.member] : ticked, hint: Self.roles.hint,
            problem: problem)
        return """
            <section class="further"><h2>Add somebody</h2>
            \(self.form(
                form, "add", button: "Add", hidden: listPlace,
                """
                <div class="fields">\(Self.fields.map { $0.markup(form, problem) })</div>
                \(boxes.markup)
                """))
            </section>
            """
    }

    /// Does what a form of the tab asks for.
    func saveUsers(_ form: Form) async throws(Problem) -> Outcome {
        if form[Self.actionField] == "add" {
            let request = AddMemberRequest(
                organizationID: id, email: form["email"].trimmed, name: form["name"].trimmed,
                roles: RoleBoxes.ticked(in: form))
            let member = try await visitor.ask(.membership, key: form.key) {
                try await MembershipClient($0).addMember(request, options: $1)
            }
            visitor.door.forget(member.userID)
            return Outcome(done: .added)
        }
        if let done = try await decideSignUp(form) { return Outcome(done: done) }
        return Outcome(done: try await changeMember(form["user"], form))
    }

    /// Blocks, unblocks or removes a member.
    ///
    /// - Parameters:
    ///   - user: The member.
    ///   - form: The form that says which of it.
    /// - Returns: What was done.
    /// - Throws: ``Problem``, as the service refuses it.
    func changeMember(_ user: String, _ form: Form) async throws(Problem) -> Done {
        let done: Done
        switch form[Self.actionField] {
        case "block":
            _ = try await visitor.ask(.membership, key: form.key) {
                try await MembershipClient($0).blockMember(
                    BlockMemberRequest(organizationID: id, userID: user), options: $1)
            }
            done = .blocked
        case "unblock":
            _ = try await visitor.ask(.membership, key: form.key) {
                try await MembershipClient($0).unblockMember(
                    UnblockMemberRequest(organizationID: id, userID: user), options: $1)
            }
            done = .unblocked
        case "remove":
            _ = try await visitor.ask(.membership, key: form.key) {
                try await MembershipClient($0).removeMember(
                    RemoveMemberRequest(organizationID: id, userID: user), options: $1)
            }
            done = .removed
        default: throw .noSuchAction
        }
        visitor.door.forget(user)
        return done
    }
}
