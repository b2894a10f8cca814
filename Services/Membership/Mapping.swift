import Access
import Messages
import RPC
import ServiceKit
import Storage

// Between the values of this service and the messages of its API.

extension User {
    init(_ user: UserRecord) {
        self.init(
            id: user.id.text, email: user.email, name: user.name,
            createdAt: Timestamp(user.created), version: user.version,
            etag: EntityTag.of(version: user.version), emailVerified: user.isEmailVerified)
    }
}

extension Member {
    init(_ member: MemberRecord) {
        let membership = member.membership
        self.init(
            organizationID: membership.organization.text, userID: membership.user.text,
            email: member.user.email, name: member.user.name,
            roles: membership.roles.roles.map { Messages.Role($0) },
            state: MemberState(membership.state), takesSeat: membership.takesSeat,
            joinedAt: Timestamp(membership.joined), version: membership.version,
            etag: EntityTag.of(version: membership.version))
    }
}

extension MemberState {
    init(_ state: MembershipState) {
        self =
            switch state {
            case .active: .active
            case .blocked: .blocked
            case .removed: .removed
            }
    }
}

extension Caps {
    init(
        of organization: OrganizationID, _ caps: CapSet, version: Int64, warnings: [LimitWarning]
    ) {
        self.init(
            organizationID: organization.text, members: caps.caps[.members],
            students: caps.caps[.students], teachers: caps.caps[.teachers], version: version,
            etag: EntityTag.of(version: version),
            warnings: warnings.map { CapWarning(code: $0.code, message: $0.sentence) })
    }
}

extension Seats {
    init(of organization: OrganizationID, _ pool: SeatPool, version: Int64) {
        self.init(
            organizationID: organization.text, seatCount: pool.count, seatCeiling: pool.ceiling,
            used: pool.used, version: version, etag: EntityTag.of(version: version))
    }
}

extension CapUsage {
    init(_ counter: Counter) {
        self.init(
            organizationID: counter.node.text, kind: counter.kind.word, cap: counter.cap,
            used: counter.used)
    }
}

extension SeatLedgerEntry {
    init(_ record: LedgerRecord) {
        let line = record.line
        self.init(
            sequence: record.sequence, organizationID: line.organization.text,
            kind: line.kind.word, operation: line.operation.word, userID: line.user?.text ?? "",
            cause: line.cause.word, balanceAfter: line.balanceAfter,
            occurredAt: Timestamp(line.occurred))
    }
}

extension Workspace {
    init(_ workspace: WorkspaceRecord) {
        self.init(
            id: workspace.id.text, organizationID: workspace.organization.text,
            title: workspace.title, isDefault: workspace.isDefault)
    }
}

extension AdmissionGate {
    init(_ gate: Gate) {
        let facts = gate.facts
        self.init(
            code: gate.code, organizationID: facts["at"] ?? "", kind: facts["kind"] ?? "",
            used: facts["used"].flatMap { Int64($0) } ?? 0,
            cap: facts["cap"].flatMap { Int64($0) } ?? 0)
    }
}

extension AdmissionGate {
    init(_ gate: CrowdGate) {
        self.init(gate.gate)
        newcomers = gate.newcomers
    }
}

/// Reads the fields of requests.
enum Parse {
    static func email(_ text: String) throws(Denial) -> String {
        guard let email = TextRules.email(Text.normalized(text)) else {
            throw .invalid(field: "email", "This is not an email address.")
        }
        return email
    }

    static func name(_ text: String) throws(Status) -> String {
        try Text.accept(text, field: "name", lengths: TextRules.nameLengths)
    }

    static func newPassword(_ text: String) throws(Denial) -> String {
        let password = Text.normalized(text)
        guard TextRules.isAcceptable(password: password) else {
            throw .invalid(
                field: "password",
                """
                A password has at least \(TextRules.passwordCharactersMin) characters and at most \
                \(TextRules.passwordBytesMax) bytes.
                """)
        }
        return password
    }

    /// The roles of a membership; none given: member.
    static func roles(_ roles: [Messages.Role]) throws(Denial) -> RoleSet {
        var set: RoleSet = []
        for role in roles {
            guard let known = Access.Role(role), known.isMembershipRole else {
                throw .invalid(field: "roles", "This is no role that a member can have.")
            }
            set.formUnion(RoleSet(known))
        }
        return set.isEmpty ? .member : set
    }

    static func capChange(_ request: UpdateCapsRequest) throws(Denial) -> CapChange {
        var values: [CountKind: Int64] = [:]
        let given: [(CountKind, Int64?)] = [
            (.members, request.members), (.students, request.students),
            (.teachers, request.teachers),
        ]
        for (kind, cap) in given {
            guard let cap else { continue }
            guard (0...CapChange.capMax).contains(cap) else {
                throw .invalid(field: kind.word, "A limit is 0 to \(CapChange.capMax).")
            }
            values[kind] = cap
        }
        var remove: Set<CountKind> = []
        for word in request.remove {
            guard let kind = CountKind.caps.first(where: { $0.word == word }) else {
                throw .invalid(field: "remove", "Limits are members, students and teachers.")
            }
            guard values[kind] == nil else {
                throw .invalid(field: "remove", "\(word) is both set and removed.")
            }
            remove.insert(kind)
        }
        guard !values.isEmpty || !remove.isEmpty else {
            throw .invalid(field: "members", "No limit is given.")
        }
        return CapChange(values: values, remove: remove)
    }

    static func seatCount(_ count: Int64?) throws(Denial) -> Int64 {
        guard let count, (0...SeatPool.countMax).contains(count) else {
            throw .invalid(field: "seat_count", "A seat count is 0 to \(SeatPool.countMax).")
        }
        return count
    }

    static func quantity(_ quantity: Int64) throws(Denial) -> Int64 {
        guard (1...1_000_000).contains(quantity) else {
            throw .invalid(field: "quantity", "A quantity is 1 to 1000000.")
        }
        return quantity
    }

    /// Where a page of the ledger begins: before this sequence.
    static func sequence(after page: Page) throws(Denial) -> Int64 {
        guard let after = page.after else { return .max }
        guard case .integer(let sequence) = after.first, after.count == 1 else {
            throw .invalid(field: "page_token", "This token is not valid here.")
        }
        return sequence
    }

    static func memberFilter(_ state: MemberState) throws(Denial) -> MemberFilter {
        switch state {
        case .unspecified: .present
        case .active: .only(.active)
        case .blocked: .only(.blocked)
        case .removed: .only(.removed)
        case .unrecognized: throw .invalid(field: "state", "There is no such state.")
        }
    }
}

extension MemberCursor {
    /// Where a page of members begins; nil: at the first.
    init?(_ page: Page) throws(Denial) {
        guard let after = page.after else { return nil }
        guard case .text(let nameKey) = after.first, case .blob(let bytes) = after.last,
            after.count == 2, let user = UserID(bytes: bytes)
        else { throw .invalid(field: "page_token", "This token is not valid here.") }
        self.init(nameKey: nameKey, user: user)
    }
}
