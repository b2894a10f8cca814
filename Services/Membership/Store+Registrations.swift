import Access
import Crypto
import Encodings
import Mail
import ServiceKit
import Storage

/// The token of a registration: 256 random bits as text, of which only a hash is kept.
enum VerificationToken {
    static let byteCount = 32
    static let textBytesMax = 128

    static func text(of bytes: [UInt8]) -> String { "ghv_" + Hexadecimal.text(bytes) }

    static func hash(of text: String) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }
}

/// A registration as the tables keep it.
struct RegistrationRecord: Sendable, Hashable {
    let tokenHash: [UInt8]
    let email: String
    var state: RegistrationState
    let name: String
    let passwordHash: String?
    /// Empty: none.
    let customURL: String
    var answer: VerificationAnswer?
    let created: WallTime

    var expires: WallTime { created.advanced(by: SignUpLimits.registrationTimeMax) }

    /// What its mail is written for; it says nothing of the token.
    var mailCause: String { Self.mailCause(of: tokenHash) }

    /// Where its failures are counted; no address of an account is without an @.
    var failureKey: String { mailCause }

    fileprivate static func mailCause(of tokenHash: [UInt8]) -> String {
        "sign-up/" + Hexadecimal.text(tokenHash)
    }
}

/// What somebody is answered whose address is verified.
struct VerificationAnswer: Sendable, Hashable {
    let user: UserID
    /// What was joined, with its title.
    var joined: (organization: OrganizationID, title: String)? {
        organization.map { ($0, organizationTitle) }
    }
    private let organization: OrganizationID?
    private let organizationTitle: String

    init(user: UserID, joined: (organization: OrganizationID, title: String)?) {
        self.user = user
        organization = joined?.organization
        organizationTitle = joined?.title ?? ""
    }
}

extension RegistrationRecord {
    fileprivate init(_ row: Row) throws {
        guard let state = RegistrationState(rawValue: try row.int64(2)) else {
            throw StorageFault.sql("registration holds an unknown number")
        }
        let user: UserID? = try row.identifierOrNil(6)
        let organization: OrganizationID? = try row.identifierOrNil(7)
        let title = try row.text(8)
        self.init(
            tokenHash: try row.bytes(0), email: try row.text(1), state: state,
            name: try row.text(3), passwordHash: try row.textOrNil(4), customURL: try row.text(5),
            answer: user.map { user in
                VerificationAnswer(user: user, joined: organization.map { ($0, title) })
            }, created: try row.time(9))
    }
}

extension Reading {
    func registration(tokenHash: [UInt8]) throws -> RegistrationRecord? {
        try row(
            """
            SELECT token_hash, email, state, name, password_hash, custom_url, user_id,
                organization_id, organization_title, created_us
            FROM registration WHERE token_hash = \(tokenHash)
            """
        ) { row in try RegistrationRecord(row) }
    }

    /// How many have registered after an instant, in all and with one address.
    func registrationCounts(
        after start: WallTime, of email: String
    ) throws -> (all: Int, ofAddress: Int) {
        let all = try row(
            "SELECT count(*) FROM registration WHERE created_us > \(start)", { try $0.int(0) })
        let ofAddress = try row(
            """
            SELECT count(*) FROM registration WHERE email = \(email) AND created_us > \(start)
            """, { try $0.int(0) })
        return (all ?? 0, ofAddress ?? 0)
    }
}

extension Transaction {
    func add(_ registration: RegistrationRecord) throws {
        try execute(
            """
            INSERT INTO registration (token_hash, email, state, name, password_hash, custom_url,
                organization_title, created_us, expires_us)
            VALUES (\(registration.tokenHash), \(registration.email),
                \(registration.state.rawValue), \(registration.name), \(registration.passwordHash),
                \(registration.customURL), '', \(registration.created), \(registration.expires))
            """
        )
    }

    /// Closes the open registrations of an address.
    ///
    /// They stay, for they count among those of the last hour.
    func closeRegistrations(of email: String) throws {
        try execute(
            """
            UPDATE registration SET state = 2, name = '', password_hash = NULL
            WHERE token_hash IN (
                SELECT token_hash FROM registration WHERE email = \(email) AND state = 1
                ORDER BY created_us DESC LIMIT \(SignUpLimits.openPerAddressMax))
            """
        )
    }

    /// Keeps what a registration is answered from now on, to whoever knows its password.
    func keep(_ answer: VerificationAnswer, of registration: RegistrationRecord) throws {
        try execute(
            """
            UPDATE registration SET state = 3, name = '', user_id = \(answer.user),
                organization_id = \(answer.joined?.organization),
                organization_title = \(answer.joined?.title ?? "")
            WHERE token_hash = \(registration.tokenHash)
            """
        )
    }

    /// Removes registrations that have expired, some at a time, and gives up their mails that wait:
    /// a link that leads nowhere is not sent.
    ///
    /// - Returns: How many.
    func sweepRegistrations(at now: WallTime) throws -> Int {
        let hashes = try rows(
            """
            SELECT token_hash FROM registration WHERE expires_us <= \(now)
            ORDER BY expires_us LIMIT \(SignUpLimits.registrationsRemovedAtOnce)
            """
        ) { try $0.bytes(0) }
        for hash in hashes {
            try giveUpMails(
                of: RegistrationRecord.mailCause(of: hash), because: "the sign-up has expired",
                at: now)
            try execute("DELETE FROM registration WHERE token_hash = \(hash)")
        }
        return hashes.count
    }

    /// Notes that a person has come by themselves.
    func noteSignUp(of user: UserID, at now: WallTime) throws {
        try execute("UPDATE user SET signed_up_us = \(now) WHERE id = \(user)")
    }
}
