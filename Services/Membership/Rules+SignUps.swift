import Access

/// What bounds sign-ups.
enum SignUpLimits {
    /// The link in a mail leads somewhere for so long.
    static let registrationTimeMax: Duration = .seconds(24 * 3_600)
    /// Registrations of one address that are closed when one is verified.
    ///
    /// As many as the highest pace that can be set lets there be: 1,000 an hour for 24 hours.
    /// Nothing else closes one, so that no stranger closes the link of a person.
    static let openPerAddressMax = 1_000 * 24
    /// Registrations that are removed in one transaction.
    static let registrationsRemovedAtOnce = 500
    /// The most characters of what a founder tells the platform.
    static let referenceCharactersMax = 2_000
    /// Longer titles are refused before Organizations is asked.
    static let titleCharactersMax = 1_000
    /// The most characters of what a founder says of the organization; Organizations takes as many.
    static let descriptionCharactersMax = 2_000
    /// Refused attempts of one person to make an organization within ``refusedFoundingsPeriod``.
    static let refusedFoundingsMax = 20
    /// Refused attempts that are older count no more.
    static let refusedFoundingsPeriod: Duration = .seconds(3_600)
    /// Refused attempts are kept for so long, as replies are.
    static let refusedFoundingsRetention: Duration = .seconds(7 * 86_400)
    /// Refused attempts that are removed in one transaction.
    static let foundingsRemovedAtOnce = 500
    /// Custom URLs are shorter.
    static let customURLBytesMax = 100
    /// How long Organizations may take to say whom a sign-up leads to.
    static let questionTimeMax: Duration = .seconds(3)
}

/// Why somebody waits for approval; the number is what the tables keep.
enum WaitReason: Int64, Sendable {
    /// The platform wants approval of addresses that no email mask covers.
    case noMask = 1
    /// A limit or the seats were used up.
    case limitReached = 2
    /// The type of the organization wants approval.
    case typeRequires = 3
}

/// What has become of somebody who waits; the number is what the tables keep.
enum PendingState: Int64, Sendable {
    case pending = 1
    case approved = 2
    case rejected = 3
}

/// What has become of a registration; the number is what the tables keep.
enum RegistrationState: Int64, Sendable {
    case open = 1
    case closed = 2
    case verified = 3
}

/// What has become of an organization that somebody makes; the number is what the tables keep.
enum FoundingState: Int64, Sendable {
    case underWay = 1
    case made = 2
    case refused = 3
}

/// The organization that a sign-up leads to, as Organizations says.
struct JoinTarget: Sendable, Hashable {
    /// By what it was found.
    enum Source: Sendable, Hashable {
        case customURL, emailMask
    }

    let organization: OrganizationID
    let source: Source
    /// The slug or the mask.
    let value: String
    let allowsSignUp: Bool
    /// Why somebody has to approve, whoever it is; nil: nobody has to.
    let approval: WaitReason?
}

/// Where a sign-up leads.
enum Destination: Sendable, Hashable {
    /// No custom URL was followed, and no mask joins the address.
    case nowhere
    /// The custom URL leads nowhere any more; with the code that says why.
    case closed(code: String)
    case organization(JoinTarget)

    /// The organization, if there is one.
    var target: JoinTarget? {
        if case .organization(let target) = self { target } else { nil }
    }
}

/// What becomes of somebody whose address is verified.
enum JoinOutcome: Sendable, Hashable {
    case joins
    /// The person is a member already.
    case isMember
    case waits(WaitReason)
    /// With the code that says why; the person is not told.
    case refused(code: String)
    case nowhere
}

/// Whether somebody joins: what VerifyEmail does, and ExplainJoin tells.
enum JoinRules {
    static let signUpNotAllowed = "signup_not_allowed"
    static let organizationNotActive = "org_not_active"
    static let memberBlocked = "member_blocked"

    /// Decides.
    ///
    /// - Parameters:
    ///   - destination: Where the sign-up leads.
    ///   - facts: What is known of the person at the organization; nil: it is not there.
    /// - Returns: The outcome.
    static func outcome(at destination: Destination, _ facts: AdmissionFacts?) -> JoinOutcome {
        let target: JoinTarget
        switch destination {
        case .nowhere: return .nowhere
        case .closed(let code): return .refused(code: code)
        case .organization(let found): target = found
        }
        guard let facts else { return .refused(code: organizationNotActive) }
        switch facts.membership {
        case .active: return .isMember
        case .blocked: return .refused(code: memberBlocked)
        case .removed, nil: break
        }
        guard facts.stop == nil else { return .refused(code: organizationNotActive) }
        guard target.allowsSignUp else { return .refused(code: signUpNotAllowed) }
        if let reason = target.approval { return .waits(reason) }
        return Admission.gates(facts, entry: .joining).isEmpty ? .joins : .waits(.limitReached)
    }
}

/// What is known of somebody who wants to make an organization.
struct FoundingFacts: Sendable, Hashable {
    let hasSignedUp: Bool
    let isEmailVerified: Bool
    /// Whether the person has a membership, active or blocked, or is of the platform's own people.
    let isAffiliated: Bool
    /// How many organizations the person may make, ever.
    let allowance: Int64
    /// How many are being made, or were: those in the archive count.
    let made: Int64

    /// Whether the person may make one more.
    var allowsOne: Bool { hasSignedUp && isEmailVerified && !isAffiliated && made < allowance }
}
