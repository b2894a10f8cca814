import Access
import Messages
import RPC

// Those who signed up and wait for approval.

extension Sheet {
    /// The field of a query that says where the part of those who wait begins.
    static let waitingField = "waiting"
    /// Those who wait that are shown at once.
    private static let waitingOnPage: Int32 = 20

    /// Those who wait to be let in; nothing when nobody does, or it is not for the visitor.
    func waiting() async throws(Problem) -> Markup {
        guard rights.may(.approveSignups) else { return .empty }
        var token = query[Self.waitingField]
        var asked = try await waiting(from: token)
        if !token.isEmpty, case .success(let found) = asked, found.pendingSignUps.isEmpty {
            // The last one of a later part is let in: the others wait on the first.
            token = ""
            asked = try await waiting(from: token)
        }
        let reply: ListPendingSignUpsReply
        switch asked {
        case .success(let found): reply = found
        case .failure(let problem):
            return Notice.hint("Who waits for approval cannot be shown: \(problem.message)")
        }
        guard reply.totalSize > 0 else { return .empty }
        let next = Link.to(path, [(Self.waitingField, reply.nextPageToken)])
        let first: Markup =
            token.isEmpty ? "" : #"<p class="after"><a href="\#(path)">First page</a></p>"#
        let more: Markup =
            reply.nextPageToken.isEmpty
            ? "" : #"<p class="after"><a href="\#(next)" rel="next">More who wait</a></p>"#
        let table = Table(
            caption: "Waiting for approval",
            columns: [
                .init(title: "Who"), .init(title: "Waits because", isWideOnly: true),
                .init(title: "Since", isWideOnly: true),
                .init(title: "Actions", isHeadHidden: true),
            ], rows: reply.pendingSignUps.map(waitingRow))
        return """
            <section class="first even"><h2>Waiting for approval (\(reply.totalSize))</h2>
            \(table.markup)
            \(first)\(more)
            </section>
            """
    }

    /// The part of those who wait that begins somewhere; empty: the first.
    private func waiting(
        from token: String
    ) async throws(Problem) -> Result<ListPendingSignUpsReply, Problem> {
        try await visitor.attempt(.membership) {
            try await SignUpsClient($0).listPendingSignUps(
                ListPendingSignUpsRequest(
                    organizationID: id, pageSize: Self.waitingOnPage, pageToken: token),
                options: $1)
        }
    }

    private func waitingRow(_ signUp: PendingSignUp) -> [Markup] {
        let who = signUp.name.isEmpty ? signUp.email : signUp.name
        let day = signUp.createdAt?.day ?? ""
        let values = [(name: "user", value: signUp.userID)] + listPlace
        return [
            """
            <span class="name">\(who)</span><p class="about">\(signUp.email)</p>
            <p class="narrow-only facts"><span>\(signUp.reason.words)</span>\
            <span>since \(day)</span></p>
            """,
            "\(signUp.reason.words)", "\(day)",
            """
            <div class="buttons">\
            \(button("approve", "Approve", spoken: "Approve \(who)", values))
            \(button("reject", "Turn down", spoken: "Turn down \(who)", values, look: "danger"))\
            </div>
            """,
        ]
    }

    /// Lets somebody in who waits, or turns them down.
    ///
    /// - Returns: What was done; nil when the form asks for something else.
    func decideSignUp(_ form: Form) async throws(Problem) -> Done? {
        let user = form["user"]
        switch form[Self.actionField] {
        case "approve":
            _ = try await visitor.ask(.membership, key: form.key) {
                try await SignUpsClient($0).approvePendingSignUp(
                    ApprovePendingSignUpRequest(organizationID: id, userID: user), options: $1)
            }
            visitor.door.forget(user)
            return .approved
        case "reject":
            _ = try await visitor.ask(.membership, key: form.key) {
                try await SignUpsClient($0).rejectPendingSignUp(
                    RejectPendingSignUpRequest(organizationID: id, userID: user), options: $1)
            }
            return .rejected
        default: return nil
        }
    }
}

extension PendingSignUpReason {
    /// Why somebody waits, in words.
    fileprivate var words: String {
        switch self {
        case .noMask: "No email domain covers the address"
        case .limitReached: "There was no place left"
        case .typeRequires: "Every sign-up is approved here"
        case .unspecified, .unrecognized: "Approval is needed"
        }
    }
}
