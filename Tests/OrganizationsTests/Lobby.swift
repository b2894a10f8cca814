import Access
import Messages
import RPC
import ServiceKit

/// The people who belong to no organization, as Membership knows them, and how it admits them.
actor Lobby {
    /// Whom the door admits, and when its answers arrive.
    enum Door {
        case open
        /// What is asked never arrives.
        case unreachable
        /// It does what it is asked, and nobody hears of it.
        case unheard
    }

    private struct Person {
        let id: String
        let email: String
    }

    private(set) var questions: [ListUnaffiliatedUsersRequest] = []
    /// How often each person was admitted, with the organization.
    private(set) var admissions: [String: [String]] = [:]
    private var people: [Person] = []
    private var answers: [String: (AdmitUsersRequest, AdmitUsersReply)] = [:]
    private var door = Door.open
    private var isListReachable = true
    private var room: (count: Int, at: String)?
    private var number: UInt64 = 0

    /// Lets people in who belong nowhere, and answers their identifiers.
    @discardableResult
    func enter(_ emails: [String]) -> [String] {
        let newcomers = emails.map { email in
            number += 1
            let id = UserID(millisecondsSince1970: number, random: (0, 0))
            return Person(id: id.text, email: email)
        }
        people += newcomers
        return newcomers.map(\.id)
    }

    func set(_ door: Door) { self.door = door }
    func setListReachable(_ isReachable: Bool) { isListReachable = isReachable }

    /// Sets a limit of an organization.
    func setRoom(_ count: Int, at organization: String) { room = (count, organization) }

    func list(_ request: ListUnaffiliatedUsersRequest) throws -> ListUnaffiliatedUsersReply {
        questions.append(request)
        guard isListReachable else { throw Status(.unavailable, "Nobody answers.") }
        let found = people.filter { person in
            guard person.id > request.afterUserID, let at = person.email.firstIndex(of: "@")
            else { return false }
            let domain = person.email[person.email.index(after: at)...]
            return domain == request.domain
                || request.subdomains && domain.hasSuffix(".\(request.domain)")
        }
        return ListUnaffiliatedUsersReply(
            users: found.prefix(Int(request.pageSize)).map {
                UnaffiliatedUser(id: $0.id, email: $0.email)
            }, more: found.count > Int(request.pageSize))
    }

    func admit(_ request: AdmitUsersRequest, _ options: CallOptions) throws -> AdmitUsersReply {
        guard let key = options.metadata[text: MetadataKey.idempotencyKey] else {
            throw Status.refusal(.idempotencyKeyRequired, "There is no key.")
        }
        guard door != .unreachable else { throw Status(.unavailable, "Nobody answers.") }
        if let (known, answer) = answers[key] {
            guard known == request else {
                throw Status.refusal(.idempotencyMismatch, "The key was used for another request.")
            }
            return try heard(answer)
        }
        var reply = AdmitUsersReply()
        for id in request.userIDs where people.contains(where: { $0.id == id }) {
            if let room, admissions.count >= room.count {
                reply.refusals.append(
                    AdmissionRefusal(
                        userID: id,
                        gate: AdmissionGate(
                            code: "members_limit_reached", organizationID: room.at)))
                continue
            }
            people.removeAll { $0.id == id }
            admissions[id, default: []].append(request.organizationID)
            reply.admittedUserIDs.append(id)
        }
        answers[key] = (request, reply)
        return try heard(reply)
    }

    private func heard(_ reply: AdmitUsersReply) throws -> AdmitUsersReply {
        guard door == .open else { throw Status(.unavailable, "The connection was lost.") }
        return reply
    }
}
