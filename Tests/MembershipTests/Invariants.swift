import Access
import Messages
import RPC
import Storage
import Testing

@testable import Membership

/// A count at a node.
private struct Count: Hashable {
    let node: [UInt8]
    let kind: Int64
}

/// Recounts everything from memberships and tree alone, and compares: the three-way proof.
func expectInvariants(
    _ hall: Hall, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let found = try await hall.database.read { snapshot in
        (
            usage: try counts("SELECT node, kind, used FROM usage WHERE used > 0", snapshot),
            places: try counts(
                "SELECT node, kind, count(*) FROM place GROUP BY node, kind", snapshot),
            ledger: try counts(
                """
                SELECT organization_id, kind, sum(CASE operation WHEN 1 THEN 1 ELSE -1 END)
                FROM seat_ledger WHERE operation < 3 GROUP BY organization_id, kind
                HAVING sum(CASE operation WHEN 1 THEN 1 ELSE -1 END) <> 0
                """, snapshot),
            lastBalances: try counts(
                """
                SELECT organization_id, kind, balance_after FROM seat_ledger AS l
                WHERE operation < 3 AND balance_after > 0 AND sequence = (
                    SELECT max(sequence) FROM seat_ledger AS m WHERE m.operation < 3
                        AND m.organization_id = l.organization_id AND m.kind = l.kind)
                """, snapshot),
            recount: try recount(snapshot),
            ownerless: try snapshot.rows(
                """
                SELECT n.id FROM tree_node AS n WHERE n.archived = 0 AND n.removed = 0
                AND NOT EXISTS (
                    SELECT 1 FROM membership AS o WHERE o.organization_id = n.id
                        AND o.state = 1 AND (o.roles & 64) <> 0)
                """
            ) { OrganizationID(bytes: try $0.bytes(0))?.text ?? "" }
        )
    }
    let owned = try await ownedOnce(hall)
    #expect(found.usage == found.recount, sourceLocation: sourceLocation)
    #expect(found.places == found.recount, sourceLocation: sourceLocation)
    #expect(found.ledger == found.recount, sourceLocation: sourceLocation)
    #expect(found.lastBalances == found.recount, sourceLocation: sourceLocation)
    #expect(owned.isDisjoint(with: found.ownerless), sourceLocation: sourceLocation)
    // What operators are told comes to the same.
    #expect(try await hall.differences() == [], sourceLocation: sourceLocation)
}

/// The organizations of which the feed has told an owner who was active.
private func ownedOnce(_ hall: Hall) async throws -> Set<String> {
    var (owned, after): (Set<String>, Int64) = ([], 0)
    while true {
        let events = try await hall.database.feed.events(after: after, limit: 1_000)
        guard let last = events.last else { return owned }
        for event in events where event.kind == Member.messageName {
            let member = try Member(decoding: event.body)
            guard member.state == .active, member.roles.contains(.owner) else { continue }
            owned.insert(member.organizationID)
        }
        after = last.sequence
    }
}

private func counts(_ sql: SQL, _ snapshot: Snapshot) throws -> [Count: Int64] {
    let rows = try snapshot.rows(sql) { row in
        (Count(node: try row.bytes(0), kind: try row.int64(1)), try row.int64(2))
    }
    return Dictionary(rows, uniquingKeysWith: +)
}

/// Distinct people of every subtree, and seats, by brute force.
private func recount(_ snapshot: Snapshot) throws -> [Count: Int64] {
    let parents = try snapshot.rows("SELECT id, parent_id FROM tree_node") { row in
        (try row.bytes(0), try row.bytesOrNil(1))
    }
    let parent = Dictionary(parents, uniquingKeysWith: { first, _ in first })
    let ended = Set(
        try snapshot.rows("SELECT id FROM tree_node WHERE archived = 1 OR removed = 1") {
            try $0.bytes(0)
        })
    let active = try snapshot.rows(
        "SELECT organization_id, user_id, roles, takes_seat FROM membership WHERE state = 1"
    ) { row in
        (
            organization: try row.bytes(0), user: try row.bytes(1),
            roles: RoleSet(rawValue: try row.int64(2)), takesSeat: try row.bool(3)
        )
    }
    var people: [Count: Set<[UInt8]>] = [:]
    for member in active where !ended.contains(member.organization) {
        if member.takesSeat {
            people[Count(node: member.organization, kind: 0), default: []].insert(member.user)
        }
        var node: [UInt8]? = member.organization
        while let current = node {
            for kind in member.roles.kinds {
                people[Count(node: current, kind: kind.rawValue), default: []].insert(member.user)
            }
            node = parent[current] ?? nil
        }
    }
    return people.mapValues { Int64($0.count) }
}
