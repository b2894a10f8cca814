import Access
import ServiceKit
import Storage

/// How far the counts of members are known.
struct MemberCountPosition: Sendable, Hashable {
    let sequence: Int64
    /// The life of Membership's database that the sequence belongs to.
    let incarnation: [UInt8]
}

extension Reading {
    func memberCountPosition() throws -> MemberCountPosition? {
        try row("SELECT sequence, incarnation FROM member_count_position WHERE only = 1") { row in
            MemberCountPosition(sequence: try row.int64(0), incarnation: try row.bytes(1))
        }
    }
}

extension Transaction {
    func setMemberCountPosition(_ position: MemberCountPosition) throws {
        try execute(
            """
            INSERT INTO member_count_position (only, sequence, incarnation)
            VALUES (1, \(position.sequence), \(position.incarnation))
            ON CONFLICT (only) DO UPDATE SET sequence = excluded.sequence,
                incarnation = excluded.incarnation
            """)
    }

    /// Notes how many people are counted at an organization; no change of its own data.
    func setMembers(_ members: Int64, of id: OrganizationID) throws {
        try execute("UPDATE organization SET members = \(members) WHERE id = \(id)")
    }

    /// Forgets all counts: they come anew.
    func forgetMemberCounts() throws {
        try execute("UPDATE organization SET members = 0 WHERE members > 0")
    }
}
