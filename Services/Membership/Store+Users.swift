import Access
import ServiceKit
import Storage

/// A platform role of a person, with the node below which it holds; nil: the whole platform.
struct PlatformRoleRecord: Sendable, Hashable {
    let role: Role
    let node: OrganizationID?
}

/// What signing in needs to know of a person.
struct Credentials: Sendable, Hashable {
    let user: UserRecord
    let passwordHash: String?
}

/// A session as the tables keep it.
struct SessionRecord: Sendable, Hashable {
    let user: UserID
    let created: WallTime
    let used: WallTime

    /// When it ends unless it is used again.
    var end: WallTime {
        WallTime(
            microseconds: SessionRules.end(
                created: created.microseconds, used: used.microseconds))
    }
}

extension UserRecord {
    fileprivate init(_ row: Row, from first: Int = 0) throws {
        self.init(
            id: try row.identifier(first), email: try row.text(first + 1),
            name: try row.text(first + 2), created: try row.time(first + 3),
            version: try row.int64(first + 4), isEmailVerified: try row.bool(first + 5))
    }
}

extension Reading {
    func user(_ id: UserID) throws -> UserRecord? {
        try row(
            """
            SELECT id, email, name, created_us, version, email_verified FROM user WHERE id = \(id)
            """
        ) { row in try UserRecord(row) }
    }

    func user(email: String) throws -> UserRecord? {
        try row(
            """
            SELECT id, email, name, created_us, version, email_verified
            FROM user WHERE email = \(email)
            """
        ) { row in try UserRecord(row) }
    }

    func credentials(email: String) throws -> Credentials? {
        try row(
            """
            SELECT id, email, name, created_us, version, email_verified, password_hash
            FROM user WHERE email = \(email)
            """
        ) { row in
            Credentials(user: try UserRecord(row), passwordHash: try row.textOrNil(6))
        }
    }

    /// The platform roles of a person, the strongest first.
    func platformRoles(of user: UserID) throws -> [PlatformRoleRecord] {
        try rows(
            """
            SELECT role, node FROM platform_role WHERE user_id = \(user)
            ORDER BY role, node LIMIT \(GrantRules.grantsMax)
            """
        ) { row in
            guard let number = Int32(exactly: try row.int64(0)), let role = Role(rawValue: number)
            else {
                throw StorageFault.sql("platform_role holds an unknown number")
            }
            return PlatformRoleRecord(
                role: role, node: OrganizationID(bytes: try row.bytes(1)))
        }
    }

    func hasPlatformOwner() throws -> Bool {
        try exists("SELECT 1 FROM platform_role WHERE role = 1 LIMIT 1")
    }

    func session(tokenHash: [UInt8]) throws -> SessionRecord? {
        try row(
            "SELECT user_id, created_us, used_us FROM session WHERE token_hash = \(tokenHash)"
        ) { row in
            SessionRecord(
                user: try row.identifier(0), created: try row.time(1),
                used: try row.time(2))
        }
    }
}

extension Transaction {
    /// Adds a person.
    ///
    /// - Throws: ``Refusal/emailTaken``.
    func add(_ user: UserRecord, passwordHash: String?) throws {
        let added = try execute(
            """
            INSERT INTO user (id, email, name, password_hash, created_us, version, email_verified)
            VALUES (\(user.id), \(user.email), \(user.name), \(passwordHash), \(user.created),
                \(user.version), \(user.isEmailVerified))
            ON CONFLICT (email) DO NOTHING
            """
        )
        guard added == 1 else { throw Refusal.emailTaken }
        try noteAffiliation(of: user)
    }

    /// Takes the address of a person for theirs from now on.
    func verifyEmail(of user: UserRecord) throws {
        guard !user.isEmailVerified else { return }
        try execute(
            """
            UPDATE user SET email_verified = 1, version = version + 1 WHERE id = \(user.id)
            """
        )
        var verified = user
        verified.isEmailVerified = true
        try noteAffiliation(of: verified)
    }

    /// Sets a password and ends every session of the person.
    func setPassword(of user: UserID, hash: String) throws {
        try execute("UPDATE user SET password_hash = \(hash) WHERE id = \(user)")
        try execute("DELETE FROM session WHERE user_id = \(user)")
    }

    /// Gives a person a role on the whole platform.
    func grantPlatformRole(_ role: Role, to user: UserID) throws {
        let everywhere: [UInt8] = []
        try execute(
            """
            INSERT INTO platform_role (user_id, role, node)
            VALUES (\(user), \(role.rawValue), \(everywhere))
            ON CONFLICT (user_id, role, node) DO NOTHING
            """
        )
    }

    func add(_ session: SessionRecord, tokenHash: [UInt8]) throws {
        try execute(
            """
            INSERT INTO session (token_hash, user_id, created_us, used_us)
            VALUES (\(tokenHash), \(session.user), \(session.created), \(session.used))
            """
        )
    }

    /// Keeps the newest sessions of a person; more than this many nobody has.
    func trimSessions(of user: UserID, keeping count: Int) throws {
        try execute(
            """
            DELETE FROM session WHERE token_hash IN (
                SELECT token_hash FROM session WHERE user_id = \(user)
                ORDER BY created_us DESC, token_hash LIMIT 100 OFFSET \(count))
            """
        )
    }

    /// Removes sessions that have ended by age, some at a time.
    func sweepSessions(createdBefore instant: WallTime) throws {
        try execute(
            """
            DELETE FROM session WHERE token_hash IN (
                SELECT token_hash FROM session WHERE created_us < \(instant)
                ORDER BY created_us LIMIT 20)
            """
        )
    }

    func recordUse(ofSession tokenHash: [UInt8], at instant: WallTime) throws {
        try execute(
            """
            UPDATE session SET used_us = \(instant)
            WHERE token_hash = \(tokenHash) AND used_us < \(instant)
            """
        )
    }

    func endSession(tokenHash: [UInt8]) throws {
        try execute("DELETE FROM session WHERE token_hash = \(tokenHash)")
    }
}
