import Access
import Encodings
import Messages
import RPC
import ServiceKit
import Storage

// Masks that count, applied to people who are there already: Membership knows these, and the masks
// of all organizations say which of them join by this one.

/// How much is asked of Membership for one call.
private enum ApplicationLimits {
    /// Of more people than this a preview says that there may be more.
    static let previewedMax = 10_000
    /// The people of one question of a preview.
    static let previewPageSize: Int32 = 1_000
    /// The people that one call of an application looks at.
    static let lookedAtMax: Int32 = 500
    /// How long one question may take.
    static let questionTimeMax: Duration = .seconds(2)
    /// How long one call may admit people.
    static let admissionTimeMax: Duration = .seconds(8)
}

extension Service {
    func previewEmailMask(
        _ request: PreviewEmailMaskRequest, _ context: CallContext
    ) async throws -> EmailMaskPreview {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let pattern = try accept(request.value, field: "value", as: MaskPattern.init)
        let (now, waitingMax) = (context.now, limits.maskWaitingMax)
        try database.readInline { snapshot in
            try snapshot.requireApplicable(
                pattern, of: id, for: principal, at: now, waitingMax: waitingMax)
        }
        var people: [Domain: Int64] = [:]
        var lookedAt = 0
        var after: String?
        repeat {
            let reply = try await unaffiliated(
                pattern, after: after ?? "", size: ApplicationLimits.previewPageSize, context)
            for user in reply.users {
                if let domain = Domain(ofAddress: user.email) { people[domain, default: 0] += 1 }
            }
            lookedAt += reply.users.count
            after = reply.more ? reply.users.last?.id : nil
        } while after != nil && lookedAt < ApplicationLimits.previewedMax
        let matching = try await database.read { [people] snapshot in
            try people.reduce(into: Int64(0)) { count, entry in
                if try snapshot.joins(entry.key, by: pattern, of: id) { count += entry.value }
            }
        }
        return EmailMaskPreview(matchingCount: matching, matchingIsMinimum: after != nil)
    }

    func applyEmailMask(
        _ request: ApplyEmailMaskRequest, _ context: CallContext
    ) async throws -> ApplyEmailMaskReply {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let pattern = try accept(request.value, field: "value", as: MaskPattern.init)
        var arguments = request
        arguments.pageToken = ""
        let page = try pageTokens.page(
            context, size: ApplicationLimits.lookedAtMax, token: request.pageToken,
            arguments: arguments)
        let after = try UserID(page)
        let (now, waitingMax) = (context.now, limits.maskWaitingMax)
        // What goes wrong here is told unless it was decided before whom this call admits.
        let look = try await outcome {
            try database.readInline { snapshot in
                try snapshot.requireApplicable(
                    pattern, of: id, for: principal, at: now, waitingMax: waitingMax)
            }
            guard try !database.isRepeated(context, request) else {
                return ListUnaffiliatedUsersReply()
            }
            return try await unaffiliated(
                pattern, after: after?.text ?? "", size: Int32(page.size), context)
        }
        let application = try await database.command(context, request) { transaction in
            try transaction.requireApplicable(
                pattern, of: id, for: principal, at: now, waitingMax: waitingMax)
            let reply = try look.get()
            var next = ""
            if reply.more, let last = reply.users.last.flatMap({ UserID(text: $0.id) }) {
                next = page.token(after: [last])
            }
            return EmailMaskApplication(
                userIDs: try transaction.people(of: reply, joiningBy: pattern, of: id),
                nextPageToken: next)
        }
        return try await namingTheSeen(context) {
            try await admit(application, to: id, context)
        }
    }

    /// Has the people admitted whom a call has chosen, the first time and every time after.
    private func admit(
        _ application: EmailMaskApplication, to id: OrganizationID, _ context: CallContext
    ) async throws -> ApplyEmailMaskReply {
        guard !application.userIDs.isEmpty else {
            return ApplyEmailMaskReply(nextPageToken: application.nextPageToken)
        }
        let request = AdmitUsersRequest(
            organizationID: id.text, userIDs: application.userIDs)
        let key = try Self.key(of: request, context)
        let reply: AdmitUsersReply
        do {
            reply = try await others.membershipAdmits(
                request,
                context.tracing(
                    timeout: context.patience(atMost: ApplicationLimits.admissionTimeMax),
                    idempotencyKey: key))
        } catch {
            let status = Status(thrown: error)
            throw status.isForGood ? status : Status.admissionNotAcknowledged
        }
        let (principal, day) = (try context.principal, context.now.day)
        let gates = reply.refusals.compactMap(\.gate)
        let sight = try database.readInline { snapshot in
            try snapshot.sight(of: principal, among: gates.map(\.organizationID), on: day)
        }
        return ApplyEmailMaskReply(
            admittedCount: Int64(reply.admittedUserIDs.count),
            refusals: EmailMaskRefusal.counted(gates, seenIn: sight),
            nextPageToken: application.nextPageToken)
    }

    /// The key under which people are admitted: the same whenever a call is sent again, and never
    /// that of other people.
    private static func key(
        of request: AdmitUsersRequest, _ context: CallContext
    ) throws -> String {
        let caller = Array("\(try context.principal.scope) \(try context.idempotencyKey) ".utf8)
        return Hexadecimal.text(digest(caller + request.encoded()))
    }

    /// A page of the people whom a mask covers and who belong to no organization.
    private func unaffiliated(
        _ pattern: MaskPattern, after user: String, size: Int32, _ context: CallContext
    ) async throws -> ListUnaffiliatedUsersReply {
        do {
            return try await others.membershipLists(
                ListUnaffiliatedUsersRequest(
                    domain: pattern.base.text, subdomains: pattern.isWildcard, afterUserID: user,
                    pageSize: size),
                context.tracing(
                    timeout: context.patience(atMost: ApplicationLimits.questionTimeMax)))
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let status = Status(thrown: error)
            guard [.unavailable, .deadlineExceeded].contains(status.code) else { throw status }
            throw Status.peopleUnknown
        }
    }

    /// What comes of some work, for a command to ask for once it is known to be needed.
    ///
    /// - Throws: `CancellationError` alone.
    private func outcome<Value: Sendable>(
        _ work: () async throws -> Value
    ) async throws -> Result<Value, any Error> {
        do {
            return .success(try await work())
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            return .failure(error)
        }
    }
}

extension Reading {
    /// Requires that a mask can be applied, and by the principal: whoever may enter a mask to join
    /// by may say whom it admits.
    ///
    /// - Throws: ``OutOfScope``, `PERMISSION_DENIED`, ``Suspended``,
    ///   ``Refusal/organizationNotActive(_:)``, ``Refusal/noSuchEmailMask``, or
    ///   ``Refusal/wrongState(_:)`` when nobody joins by it.
    fileprivate func requireApplicable(
        _ pattern: MaskPattern, of id: OrganizationID, for principal: Access.Principal,
        at now: WallTime, waitingMax: Duration
    ) throws {
        let (_, line) = try organization(id, seenBy: principal, on: now.day)
        try principal.requireOpen(.manageEmailMasks, at: line, meeting: [.joinPending])
        if let obstacle = line.obstacle { throw Refusal.organizationNotActive(obstacle.id) }
        let mask = try emailMask(pattern, of: id, at: now, waitingMax: waitingMax)
        guard mask.mode == .join else {
            throw Refusal.wrongState("Nobody joins by this email mask: it only allows.")
        }
        guard mask.state == .active else {
            throw Refusal.wrongState("This email mask does not count yet. Confirm it first.")
        }
    }

    /// Whether people with addresses of a domain join an organization by a mask, and by no stronger
    /// one of anybody.
    fileprivate func joins(
        _ domain: Domain, by pattern: MaskPattern, of id: OrganizationID
    ) throws -> Bool {
        guard let joined = try organization(joinedFrom: domain) else { return false }
        return joined.organization == id && joined.mask == pattern.text
    }

    /// Those of some people who join an organization by a mask.
    fileprivate func people(
        of reply: ListUnaffiliatedUsersReply, joiningBy pattern: MaskPattern,
        of id: OrganizationID
    ) throws -> [String] {
        var known: [Domain: Bool] = [:]
        return try reply.users.compactMap { user in
            guard let domain = Domain(ofAddress: user.email) else { return nil }
            let joins = try known[domain] ?? joins(domain, by: pattern, of: id)
            known[domain] = joins
            return joins ? user.id : nil
        }
    }
}

extension Domain {
    /// The domain of an address; nil of one by which nobody can join.
    fileprivate init?(ofAddress text: String) {
        // Membership may keep addresses that no mask covers.
        guard let address = try? EmailAddress(text, field: "email") else { return nil }
        self = address.domain
    }
}

extension UserID {
    /// The person after whom a page begins; nil at the first.
    fileprivate init?(_ page: Page) throws {
        guard let after = page.after else { return nil }
        guard after.count == 1, case .blob(let bytes) = after[0],
            let id = UserID(bytes: bytes)
        else { throw Status.invalid("page_token", "This token is not valid here.") }
        self = id
    }
}

extension EmailMaskRefusal {
    /// How many people each gate refused, in the order in which the gates first did.
    ///
    /// Those at organizations of which the caller may not know are one for each code.
    fileprivate static func counted(
        _ gates: [AdmissionGate], seenIn sight: Sight
    ) -> [EmailMaskRefusal] {
        var counted: [EmailMaskRefusal] = []
        for gate in gates {
            let place = sight.shown(gate.organizationID)
            let known = counted.firstIndex { refusal in
                refusal.code == gate.code && refusal.organizationID == place
            }
            if let known {
                counted[known].peopleCount += 1
            } else {
                counted.append(
                    EmailMaskRefusal(
                        code: gate.code, organizationID: place, peopleCount: 1))
            }
        }
        return counted
    }
}

extension Status {
    /// Membership did not say whom a mask covers.
    fileprivate static var peopleUnknown: Status {
        passing(
            .unavailable,
            "Membership does not answer whom this email mask covers. Please try again shortly.")
    }
}
