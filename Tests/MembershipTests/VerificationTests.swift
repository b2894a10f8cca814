import Access
import Messages
import Storage
import Testing

@testable import Membership

/// What is broken on purpose is found, by the verifier that is there for it.
@Suite struct VerificationTests {
    /// Each kind of damage, and the verifiers that find it.
    static let damages: [(damage: SQL, found: Set<String>)] = [
        ("UPDATE usage SET used = used + 1 WHERE kind = 1", ["counters", "seat ledger"]),
        (
            "UPDATE place SET refs = refs + 1 WHERE kind = 2",
            ["people counted at each organization"]
        ),
        (
            "DELETE FROM place WHERE kind = 0",
            ["people counted at each organization", "counters"]
        ),
        (
            """
            INSERT INTO place (node, kind, user_id, refs)
            SELECT node, 3, user_id, 1 FROM place WHERE kind = 0
            """,
            ["people counted at each organization", "counters"]
        ),
        (
            "UPDATE membership SET roles = 8192, takes_seat = 0 WHERE roles <> 64",
            ["people counted at each organization"]
        ),
        (
            """
            INSERT INTO seat_ledger (organization_id, kind, operation, cause, balance_after,
                occurred_us)
            SELECT node, kind, 1, 1, used, 0 FROM usage WHERE kind = 1
            """,
            ["seat ledger", "balances in the seat ledger"]
        ),
        (
            "DELETE FROM tree_node WHERE parent_id IS NOT NULL",
            ["organizations of memberships", "people counted at each organization"]
        ),
        (
            "UPDATE tree_node SET parent_id = x'00112233445566778899aabbccddeeff'",
            ["copy of the tree", "people counted at each organization"]
        ),
        ("DELETE FROM unaffiliated_user", ["people without an organization"]),
        (
            """
            INSERT INTO unaffiliated_user (pattern, user_id)
            SELECT '*.example.com', user_id FROM membership
            """, ["people without an organization"]
        ),
        ("UPDATE user SET email_verified = 0", ["people without an organization"]),
        (
            "UPDATE usage SET cap = cap + 1 WHERE kind = 0 AND cap IS NOT NULL",
            ["numbers of seats"]
        ),
        (
            """
            INSERT INTO seat_ledger (organization_id, kind, operation, cause, balance_after,
                occurred_us)
            SELECT node, 0, 3, 3, cap + 7, 0 FROM usage WHERE kind = 0 AND cap IS NOT NULL
            """,
            ["numbers of seats"]
        ),
        ("UPDATE settings SET seat_ceiling = 4 WHERE seat_ceiling >= 5", ["grants of seats"]),
        (
            "UPDATE usage SET cap = NULL WHERE kind = 0 AND cap IS NOT NULL", ["grants of seats"]
        ),
        ("UPDATE seat_grant SET quantity = quantity + 100", ["grants of seats"]),
    ]

    @Test(arguments: damages.indices)
    func `damage is found`(number: Int) async throws {
        let (damage, expected) = Self.damages[number]
        let hall = try Hall()
        let root = try await hall.organization()
        let school = try await hall.organization(below: root)
        for _ in 0..<3 { _ = try await hall.admit(to: school, as: [.student]) }
        _ = try await hall.person(at: "a.example.com")
        _ = try await hall.service("partners").grantSeats(
            GrantSeatsRequest(organizationID: school.text, quantity: 5, saleID: "sale"))
        #expect(try await hall.differences() == [])
        try await hall.database.write { try $0.execute(damage) }
        #expect(try await hall.differences() == expected)
    }
}

extension Hall {
    /// Removes every stored reply, as a purge does when they are old.
    func forgetReplies() async throws {
        try await database.write { try $0.execute("DELETE FROM storage_reply") }
    }

    /// The names of the verifiers that find something to differ.
    func differences() async throws -> Set<String> {
        let (stream, continuation) = AsyncStream.makeStream(of: Findings.self)
        try await database.verify(verifiers) { continuation.yield($0) }
        continuation.finish()
        var found: Set<String> = []
        for await findings in stream where findings.differenceCount > 0 {
            found.insert(findings.name)
        }
        return found
    }
}
