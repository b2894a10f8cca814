import Access
import RPC
import ServiceKit

/// What the domain refuses.
///
/// A refusal is the stored answer of its idempotency key.
enum Refusal: DomainRefusal, Hashable {
    /// Every gate that refused, in the order in which they were asked, at least one; and the
    /// titles of the organizations of which whoever asked may know.
    case notAdmitted([Gate], titles: [OrganizationID: String])
    /// Every gate that refused the people of a subtree, at least one. Whoever started it may not
    /// know of the organizations: they have no titles here.
    case crowdNotAdmitted([CrowdGate])
    /// Organizations come back below one that is archived itself.
    case parentArchived(OrganizationID)
    case lastOwner
    case belowUsage(used: Int64)
    case aboveSeatCeiling(Int64)
    case emailTaken
    case noSuchMember
    case noSuchUser
    case noSuchPendingSignUp
    /// Somebody has approved or rejected the sign-up.
    case signUpDecided
    /// As many keys are there already as there may be.
    case tooManyAPIKeys(Int)
    case noSuchSeatType
    case noSuchLicenseType
    /// Another type of the kind has the name.
    case typeNameTaken(String)
    /// As many types of a kind are there already as there may be.
    case tooMany(String, Int)
    /// An organization type has it as its own.
    case seatTypeInUse
    /// The platform's seat type stays.
    case seatTypeIsDefault
    /// A seat type or organization type gives it.
    case licenseTypeInUse
    /// A member may open more than one reply tells.
    case accessTooLarge

    var status: Status {
        switch self {
        case .notAdmitted(let gates, let titles): Self.status(of: gates, titles)
        case .crowdNotAdmitted(let gates): Self.status(of: gates)
        case .parentArchived(let parent):
            .refusal(
                .parentArchived, "The organization above is archived.",
                metadata: ["at": parent.text])
        case .lastOwner:
            .refusal(
                .lastOwner,
                "The last owner of an organization stays its owner: make somebody else one first.")
        case .belowUsage(let used):
            .refusal(
                .belowUsage, "\(used) seats are taken: there cannot be fewer.",
                metadata: ["used": "\(used)"])
        case .aboveSeatCeiling(let ceiling):
            .refusal(
                .aboveCeiling, "At most \(ceiling) seats were granted.",
                metadata: ["ceiling": "\(ceiling)"])
        case .emailTaken:
            .refusal(.emailTaken, "There is a user with this email address already.")
        case .noSuchMember: .notFound("There is no such member.")
        case .noSuchUser: .notFound("There is no such user.")
        case .noSuchPendingSignUp: .notFound("There is no such sign-up.")
        case .signUpDecided: .refusal(.wrongState, "This sign-up was decided already.")
        case .tooManyAPIKeys(let most):
            .refusal(
                .tooManyAPIKeys, "There are \(most) API keys already: delete one first.",
                metadata: ["cap": "\(most)"])
        case .noSuchSeatType: .notFound("There is no such seat type.")
        case .noSuchLicenseType: .notFound("There is no such license type.")
        case .typeNameTaken(let thing):
            .refusal(.nameTaken, "A \(thing) with this name already exists.")
        case .tooMany(let things, let most):
            .refusal(.validation, "There may be at most \(most) \(things).")
        case .seatTypeInUse:
            .refusal(
                .seatTypeInUse,
                "Organization types have this seat type. Give them another one first.")
        case .seatTypeIsDefault:
            .refusal(.seatTypeInUse, "The platform's seat type cannot be deleted.")
        case .licenseTypeInUse:
            .refusal(
                .licenseTypeInUse,
                "Seat types or organization types give this license. Take it from them first.")
        case .accessTooLarge:
            .refusal(
                .tooManyGrants,
                "The member may open more than one answer can tell. Ask for single courses.")
        }
    }

    private static func status(
        of gates: [Gate], _ titles: [OrganizationID: String]
    ) -> Status {
        status(of: gates.map { ($0, $0.facts, $0.sentence(titles)) })
    }

    private static func status(of gates: [CrowdGate]) -> Status {
        status(of: gates.map { ($0.gate, $0.facts, $0.sentence) })
    }

    private static func status(
        of gates: [(gate: Gate, facts: [String: String], sentence: String)]
    ) -> Status {
        guard let first = gates.first else {
            preconditionFailure("a refusal names at least one gate")
        }
        let violations = gates.map { gate, facts, sentence in
            StatusDetail.PreconditionViolation(
                type: gate.code, subject: facts["at"] ?? "", description: sentence)
        }
        var status = Status.refusal(
            first.gate.reason, first.sentence, metadata: first.facts, violations: violations)
        // The first names the reason of the whole; the facts of the others stand in their order.
        status.details += gates.dropFirst().filter { !$0.facts.isEmpty }.map { gate, facts, _ in
            .errorInfo(reason: gate.code, domain: errorDomain, metadata: facts)
        }
        return status
    }
}

extension CrowdGate {
    /// Those of the gate, and newcomers.
    fileprivate var facts: [String: String] {
        gate.facts.merging(["newcomers": "\(newcomers)"]) { fact, _ in fact }
    }

    fileprivate var sentence: String {
        let facts = gate.facts
        let (kind, used, cap) = (facts["kind"] ?? "", facts["used"] ?? "", facts["cap"] ?? "")
        return "\(newcomers) more do not fit under a limit of \(kind): \(used) of \(cap) are taken."
    }
}

extension Gate {
    /// The code of the domain.
    var code: String { reason.rawValue }

    fileprivate var reason: ErrorReason {
        switch self {
        case .organizationNotActive: .orgNotActive
        case .alreadyMember: .alreadyMember
        case .memberBlocked: .memberBlocked
        case .seatsExhausted: .seatsExhausted
        case .roleQuotaReached: .roleQuotaReached
        case .membersLimitReached: .membersLimitReached
        }
    }

    /// Named facts for programs: at, kind, used, cap; of an organization that is not active its
    /// state, too.
    var facts: [String: String] {
        switch self {
        case .organizationNotActive(let stop): ["at": stop.at.text, "state": stop.state]
        case .alreadyMember, .memberBlocked: [:]
        case .seatsExhausted(let node, let used, let cap):
            ["at": node.text, "kind": CountKind.seat.word, "used": "\(used)", "cap": "\(cap)"]
        case .membersLimitReached(let node, let used, let cap):
            ["at": node.text, "kind": CountKind.members.word, "used": "\(used)", "cap": "\(cap)"]
        case .roleQuotaReached(let kind, let node, let used, let cap):
            ["at": node.text, "kind": kind.word, "used": "\(used)", "cap": "\(cap)"]
        }
    }

    /// What a person reads; an organization without a title is one of which they may not know.
    fileprivate func sentence(_ titles: [OrganizationID: String]) -> String {
        func name(_ node: OrganizationID) -> String { titles[node] ?? "an organization above" }
        return switch self {
        case .organizationNotActive: "The organization is not active."
        case .alreadyMember: "The person is a member already."
        case .memberBlocked: "The person is blocked; unblock them instead."
        case .seatsExhausted(_, let used, let cap): "\(used) of \(cap) seats are taken."
        case .membersLimitReached(let node, let used, let cap):
            "The members limit of \(name(node)) is reached: \(used) of \(cap)."
        case .roleQuotaReached(let kind, let node, let used, let cap):
            "The limit of \(kind.word) of \(name(node)) is reached: \(used) of \(cap)."
        }
    }
}

/// Why a call is refused before the rules of the domain are asked.
enum Denial: StatusConvertible, Hashable {
    /// A field that is not as it must be.
    case invalid(field: String, String)
    case noSuchUser
    case notPermitted
    /// What people do by themselves, asked for by a program or a service.
    case forPeopleAlone
    /// An API key that is unknown, or one of a place whose keys the caller does not look after.
    case noSuchAPIKey
    case wrongCredentials
    case sessionOver
    /// A credential of the form of an API key that is none, or that has expired.
    case apiKeyOver
    case tooManyAttempts(retryAfter: Duration)
    /// Too many passwords wait to be checked.
    case busy
    /// The organization has not reached this service yet.
    case treeBehind
    /// What Partners says has not reached this service yet, or is being read anew.
    case catalogBehind
    /// The link of a registration leads nowhere, or no longer.
    case verificationExpired
    /// More have signed up within an hour than may, or more mails wait than may.
    case tooManySignUps(retryAfter: Duration)
    /// More attempts of the person to make an organization were refused within an hour than may.
    case tooManyFoundings(retryAfter: Duration)
    /// The person may make no organization, or no further one.
    case organizationCreationClosed
    /// The organization is being made, and that has taken longer than a call waits.
    case stillBeingMade
    /// Organizations did not say whether it has made an organization.
    case organizationsSilent

    var status: Status {
        switch self {
        case .invalid(let field, let sentence): .invalid(field, sentence)
        case .noSuchUser: .notFound("There is no such user.")
        case .notPermitted: .forbidden()
        case .forPeopleAlone:
            .forbidden("This is for people who are signed in: no API key or service can do it.")
        case .noSuchAPIKey: .notFound("There is no such API key.")
        case .wrongCredentials:
            .refusal(.wrongCredentials, "The email address or the password is wrong.")
        case .apiKeyOver: .unauthenticated("There is no such API key, or it has expired.")
        case .sessionOver: .unauthenticated("The session has ended; sign in again.")
        case .tooManyAttempts(let delay):
            Self.later(
                .busy, "Too many attempts to sign in; wait before the next one.", after: delay)
        case .busy:
            Self.later(.busy, "Too many people sign in at once.", after: .seconds(1))
        case .treeBehind:
            Self.later(
                .unavailable, "The organization has not arrived here yet.",
                after: .milliseconds(100))
        case .catalogBehind:
            Self.later(
                .unavailable, "What there is to learn has not arrived here yet.",
                after: .milliseconds(500))
        case .verificationExpired:
            .refusal(
                .verificationExpired, "This link is not valid, or no longer. Please sign up again.")
        case .tooManySignUps(let delay):
            Self.later(.busy, "Too many have signed up; try again later.", after: delay)
        case .tooManyFoundings(let delay):
            Self.later(
                .busy, "Too many attempts to make an organization; try again later.", after: delay)
        case .organizationCreationClosed:
            .refusal(
                .orgCreationClosed, "If you require more than one Organization, contact us.")
        case .stillBeingMade:
            Self.later(
                .notAcknowledged,
                "The organization is still being made. Repeat the call with the same key.",
                after: .seconds(1))
        case .organizationsSilent:
            Self.later(
                .notAcknowledged,
                "Organizations did not answer in time. Try again with the same key.",
                after: .seconds(1))
        }
    }

    private static func later(
        _ reason: ErrorReason, _ sentence: String, after delay: Duration
    ) -> Status {
        var status = Status.refusal(reason, sentence)
        status.details.append(.retryInfo(delay: delay))
        return status
    }
}

extension Denial: CustomStringConvertible {
    /// The sentence, for the operator who reads why a start failed.
    var description: String { status.message }
}
