import Access
import ServiceKit
import Storage

// People who belong to no organization, found by the domains of their verified addresses.

/// Somebody whom an email mask may cover.
struct UnaffiliatedRecord: Sendable, Hashable {
    let user: UserID
    let email: String
}

/// The queries of which a test looks at how they are run.
enum Statements {
    // Crossed, so that people are always found by the pattern, in the order of its rows.
    static func unaffiliatedUsers(
        matching pattern: String, after user: UserID?, limit: Int
    ) -> SQL {
        """
        SELECT f.user_id, u.email
        FROM unaffiliated_user AS f CROSS JOIN user AS u
        WHERE f.pattern = \(pattern) AND f.user_id > \(user?.bytes ?? []) AND u.id = f.user_id
        ORDER BY f.user_id LIMIT \(limit)
        """
    }
}

extension Reading {
    /// A page of the people whom a pattern covers, in the order of their identifiers.
    func unaffiliatedUsers(
        matching pattern: String, after user: UserID?, limit: Int
    ) throws -> [UnaffiliatedRecord] {
        try rows(
            Statements.unaffiliatedUsers(matching: pattern, after: user, limit: limit)
        ) { row in
            UnaffiliatedRecord(user: try row.identifier(0), email: try row.text(1))
        }
    }

    /// Whether a person has a membership, active or blocked, or is of the platform's own people;
    /// memberships in the archive count, for they may come back.
    func isAffiliated(_ user: UserID) throws -> Bool {
        try exists(
            """
            SELECT 1 FROM membership
            WHERE user_id = \(user) AND state <> \(MembershipState.removed.rawValue) LIMIT 1
            """)
            || exists("SELECT 1 FROM platform_role WHERE user_id = \(user) LIMIT 1")
    }
}

extension Transaction {
    /// Keeps whether a person is found as one who belongs to no organization, after a membership
    /// was written or the address verified.
    ///
    /// - Parameters:
    ///   - user: The person; without a verified address nobody is found.
    ///   - state: What a membership has become; nil: none was written.
    /// - Throws: `StorageFault`.
    func noteAffiliation(of user: UserRecord, by state: MembershipState? = nil) throws {
        guard user.isEmailVerified else { return }
        let patterns = DomainPatterns.covering(email: user.email)
        let isKnownToBelong = state == .active || state == .blocked
        if try isKnownToBelong || isAffiliated(user.id) {
            for pattern in patterns {
                try execute(
                    """
                    DELETE FROM unaffiliated_user
                    WHERE pattern = \(pattern) AND user_id = \(user.id)
                    """)
            }
        } else {
            for pattern in patterns {
                try execute(
                    """
                    INSERT INTO unaffiliated_user (pattern, user_id)
                    VALUES (\(pattern), \(user.id)) ON CONFLICT (pattern, user_id) DO NOTHING
                    """)
            }
        }
    }
}
