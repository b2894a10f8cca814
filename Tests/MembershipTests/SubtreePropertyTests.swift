import Access
import Messages
import RPC
import ServiceKit
import Storage
import TestSupport
import Testing

@testable import Membership

/// What is counted where.
private struct Spot: Hashable {
    let node: Int
    let kind: CountKind
}

/// A tree with people, as simple as it can be: every number is counted anew each time.
private struct Model {
    struct Seat: Hashable {
        let organization: Int
        let person: Int
    }

    var parents: [Int?]
    /// The batch with which each archived organization was archived.
    var batches: [Int: Int] = [:]
    var active: [Seat: RoleSet] = [:]
    var caps: [Spot: Int64] = [:]

    func ancestors(of node: Int) -> [Int] {
        var line: [Int] = []
        var next = parents[node]
        while let node = next {
            line.append(node)
            next = parents[node]
        }
        return line
    }

    func isBelow(_ node: Int, _ top: Int) -> Bool {
        node == top || ancestors(of: node).contains(top)
    }

    func subtree(_ top: Int) -> [Int] { parents.indices.filter { isBelow($0, top) } }

    func depth(_ node: Int) -> Int { ancestors(of: node).count + 1 }

    /// The people that are counted somewhere, those of some organizations left out.
    func people(without hidden: Set<Int> = []) -> [Spot: Set<Int>] {
        var people: [Spot: Set<Int>] = [:]
        for (seat, roles) in active
        where batches[seat.organization] == nil && !hidden.contains(seat.organization) {
            let organization = seat.organization
            if SeatRule.standard.takesSeat(roles) {
                people[Spot(node: organization, kind: .seat), default: []].insert(seat.person)
            }
            for node in [organization] + ancestors(of: organization) {
                for kind in roles.kinds {
                    people[Spot(node: node, kind: kind), default: []].insert(seat.person)
                }
            }
        }
        return people
    }

    /// Whether nobody is new where a limit would be exceeded, from one state to another.
    func admits(_ next: Model) -> Bool {
        let (before, after) = (people(), next.people())
        return after.allSatisfy { spot, people in
            guard let cap = caps[spot] else { return true }
            let isNew = !people.subtracting(before[spot] ?? []).isEmpty
            return !isNew || Int64(people.count) <= cap
        }
    }
}

/// Draws operations, carries them out on a service and on the model, and compares.
private final class Game {
    private let hall: Hall
    private var model: Model
    private var dice: SplitMix
    private let organizations: [OrganizationID]
    private let people: [UserID]
    private var batch = 0
    /// How often something was moved or restored, and how often that was refused.
    private(set) var carriedOut = 0
    private(set) var refused = 0
    /// How often somebody got other roles.
    private(set) var reassigned = 0
    /// How often something was cancelled.
    private(set) var givenUp = 0

    init(seed: UInt64) async throws {
        hall = try Hall()
        dice = SplitMix(seed: seed)
        let parents: [Int?] = [nil, 0, 0, 1, 1, 2, 3, 4, nil, 8, 9]
        var organizations: [OrganizationID] = []
        for parent in parents {
            organizations.append(
                try await hall.organization(below: parent.map { organizations[$0] }))
        }
        var people: [UserID] = []
        for _ in 0..<8 { people.append(try await hall.person()) }
        self.organizations = organizations
        self.people = people
        model = Model(parents: parents)
    }

    func step() async throws {
        switch Int.random(in: 0..<29, using: &dice) {
        case 0...6: try await admit()
        case 7...8: try await leave()
        case 9...10: try await limit()
        case 11...14: try await move()
        case 15: try await moveByEvent()
        case 16: try await archive()
        case 17...18: try await restore()
        case 19...21: try await cancelMove()
        case 22...23: try await cancelRestore()
        case 24...27: try await changeRoles()
        default: try await restoreByEvent()
        }
        try await compare()
    }

    private func node(where isFit: (Int) -> Bool = { _ in true }) -> Int? {
        model.parents.indices.filter(isFit).randomElement(using: &dice)
    }

    private func isLive(_ node: Int) -> Bool { model.batches[node] == nil }

    /// Whether an organization is there for people.
    private func isOpen(_ node: Int) -> Bool {
        ([node] + model.ancestors(of: node)).allSatisfy(isLive)
    }

    private func admit() async throws {
        guard let node = node(where: isOpen) else { return }
        let person = Int.random(in: people.indices, using: &dice)
        let roles =
            [[], [.student], [.teacher], [.owner], [.student, .teacher]]
            .randomElement(using: &dice) ?? ([] as [Messages.Role])
        let seat = Model.Seat(organization: node, person: person)
        var next = model
        next.active[seat] = try Parse.roles(roles)
        let status = await refusal {
            try await hall.admit(people[person], to: organizations[node], as: roles)
        }
        if status == nil {
            #expect(model.active[seat] == nil)
            #expect(model.admits(next))
            model = next
        } else if status?.reason?.hasSuffix("_reached") == true {
            #expect(!model.admits(next))
        }
    }

    private func member() -> Model.Seat? {
        model.active.keys.sorted {
            ($0.organization, $0.person) < ($1.organization, $1.person)
        }.randomElement(using: &dice)
    }

    /// Other roles: whom a limit counts already it does not refuse, and whoever is new it does.
    private func changeRoles() async throws {
        guard let seat = member() else { return }
        let roles =
            [[.member], [.student], [.teacher], [.owner], [.student, .teacher]]
            .randomElement(using: &dice) ?? ([] as [Messages.Role])
        var next = model
        next.active[seat] = try Parse.roles(roles)
        let status = await refusal {
            try await hall.platformOwner.updateMember(
                UpdateMemberRequest(
                    organizationID: organizations[seat.organization].text,
                    userID: people[seat.person].text, roles: roles))
        }
        #expect((status?.code == .notFound) == !isOpen(seat.organization))
        if status == nil {
            #expect(model.admits(next))
            model = next
            reassigned += 1
        } else if status?.code != .notFound {
            let isOwner = model.active[seat]?.contains(.owner) == true
            #expect(status?.reason == "last_owner" ? isOwner : !model.admits(next))
        }
    }

    private func leave() async throws {
        guard let seat = member() else { return }
        let (organization, user) = (organizations[seat.organization], people[seat.person])
        let blocks = Bool.random(using: &dice)
        let status = await refusal {
            if blocks {
                _ = try await hall.platformOwner.blockMember(
                    BlockMemberRequest(organizationID: organization.text, userID: user.text))
            } else {
                _ = try await hall.platformOwner.removeMember(
                    RemoveMemberRequest(organizationID: organization.text, userID: user.text))
            }
        }
        if status == nil { model.active[seat] = nil }
        #expect((status?.code == .notFound) == !isOpen(seat.organization))
    }

    private func limit() async throws {
        guard let node = node(where: isOpen) else { return }
        let kind = CountKind.caps.randomElement(using: &dice) ?? .members
        let cap = Int64.random(in: 0...6, using: &dice)
        _ = try await hall.platformOwner.updateCaps(
            UpdateCapsRequest(
                organizationID: organizations[node].text, members: kind == .members ? cap : nil,
                students: kind == .students ? cap : nil,
                teachers: kind == .teachers ? cap : nil))
        model.caps[Spot(node: node, kind: kind)] = cap
    }

    /// A place to hang a subtree, if the tree stays one of ten levels.
    private func destination(of top: Int) -> Int?? {
        let height = (model.subtree(top).map(model.depth).max() ?? 0) - model.depth(top)
        let places: [Int?] =
            [nil]
            + model.parents.indices.filter { place in
                !model.isBelow(place, top) && model.depth(place) + 1 + height <= 10
                    && ([place] + model.ancestors(of: place)).allSatisfy(isLive)
            }
        return places.randomElement(using: &dice)
    }

    private func move() async throws {
        guard let top = node(), let parent = destination(of: top) else { return }
        var next = model
        next.parents[top] = parent
        let place = parent.map { organizations[$0] }
        let dry = try await hall.move(organizations[top], below: place, dryRun: true)
        let status = await refusal { try await hall.move(organizations[top], below: place) }
        #expect(dry.gates.isEmpty == (status == nil))
        #expect(model.admits(next) == (status == nil), "\(String(describing: status))")
        note(status)
        guard status == nil else { return }
        model = next
        // The event that follows finds nothing to change.
        if Bool.random(using: &dice) { try await tell(top) }
    }

    private func moveByEvent() async throws {
        guard let top = node(), let parent = destination(of: top) else { return }
        model.parents[top] = parent
        try await tell(top)
    }

    private func archive() async throws {
        guard let top = node(where: isLive) else { return }
        batch += 1
        for node in model.subtree(top) where isLive(node) {
            model.batches[node] = batch
            try await tell(node)
        }
    }

    private func restore() async throws {
        guard let any = model.batches.values.sorted().randomElement(using: &dice) else { return }
        let nodes = model.parents.indices.filter { model.batches[$0] == any }
            .sorted { model.depth($0) < model.depth($1) }
        guard let top = nodes.first, let parent = destination(of: top) else { return }
        let blocks = Int.random(in: 0..<4, using: &dice) == 0
        var next = model
        next.parents[top] = parent
        for node in nodes { next.batches[node] = nil }
        if blocks { next.active = next.active.filter { !nodes.contains($0.key.organization) } }
        let status = await refusal {
            try await hall.restore(
                nodes.map { organizations[$0] }, below: parent.map { organizations[$0] },
                blocked: blocks)
        }
        #expect(model.admits(next) == (status == nil), "\(String(describing: status))")
        note(status)
        guard status == nil else { return }
        model = next
        if Bool.random(using: &dice) { for node in nodes { try await tell(node) } }
    }

    /// A move that Organizations gives up, before or after it comes: nothing changes in the end.
    private func cancelMove() async throws {
        guard let top = node(), let parent = destination(of: top) else { return }
        let place = parent.map { organizations[$0] }
        try await giveUp { key in
            try await hall.move(organizations[top], below: place, key: key)
        } cancel: { key in
            try await hall.cancelMove(organizations[top], key: key)
        }
        try await tell(top)
    }

    /// The same of a restore, be it that it blocks.
    private func cancelRestore() async throws {
        guard let any = model.batches.values.sorted().randomElement(using: &dice) else { return }
        let nodes = model.parents.indices.filter { model.batches[$0] == any }
            .sorted { model.depth($0) < model.depth($1) }
        guard let top = nodes.first, let parent = destination(of: top) else { return }
        let blocks = Bool.random(using: &dice)
        try await giveUp { key in
            try await hall.restore(
                nodes.map { organizations[$0] }, below: parent.map { organizations[$0] },
                blocked: blocks, key: key)
        } cancel: { key in
            try await hall.cancelRestore(organizations[top], key: key)
        }
        for node in nodes { try await tell(node) }
    }

    /// Does something and cancels it, in any order, and tries it again.
    private func giveUp(
        _ act: (_ key: String) async throws -> Void, cancel: (_ key: String) async throws -> Void
    ) async throws {
        givenUp += 1
        let key = "given-up-\(givenUp)"
        let isLate = Int.random(in: 0..<4, using: &dice) == 0
        // A limit may refuse it: then there is nothing to undo.
        if !isLate { _ = await refusal { try await act(key) } }
        try await cancel(key)
        if Bool.random(using: &dice) { try await cancel(key) }
        let again = await refusal { try await act(key) }
        #expect(again?.reason == "command_cancelled")
    }

    private func restoreByEvent() async throws {
        guard let node = node(where: { !isLive($0) }) else { return }
        model.batches[node] = nil
        try await tell(node)
    }

    private func note(_ status: Status?) {
        if status == nil { carriedOut += 1 } else { refused += 1 }
    }

    /// What Organizations says of an organization.
    private func tell(_ node: Int) async throws {
        try await hall.organization(
            organizations[node], below: model.parents[node].map { organizations[$0] },
            archived: !isLive(node))
    }

    /// Places, use and ledger are what the model counts.
    private func compare() async throws {
        let numbers = Dictionary(uniqueKeysWithValues: zip(organizations, organizations.indices))
        let expected = model.people().mapValues { Int64($0.count) }
        let found = try await hall.database.read { snapshot in
            try [
                "SELECT node, kind, used FROM usage WHERE used > 0",
                "SELECT node, kind, count(*) FROM place GROUP BY node, kind",
                """
                SELECT organization_id, kind, sum(CASE operation WHEN 1 THEN 1 ELSE -1 END)
                FROM seat_ledger WHERE operation < 3 GROUP BY organization_id, kind
                HAVING sum(CASE operation WHEN 1 THEN 1 ELSE -1 END) <> 0
                """,
            ].map { (query: SQL) in
                try snapshot.rows(query) { row in
                    let node: OrganizationID = try row.identifier(0)
                    return (node, try row.int64(1), try row.int64(2))
                }
            }
        }
        for rows in found {
            let counts = rows.map { node, kind, count in
                (Spot(node: numbers[node] ?? -1, kind: CountKind(rawValue: kind) ?? .seat), count)
            }
            try #require(Dictionary(counts) { $0 + $1 } == expected)
        }
    }

    /// What operators are told comes to the same.
    func expectProof() async throws {
        #expect(try await hall.differences() == [])
    }
}

@Suite struct `after any sequence of changes of the tree` {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `everybody is counted as a recount from nothing does, and admitted as it would`(
        seed: UInt64
    ) async throws {
        let game = try await Game(seed: seed)

        for _ in 0..<500 { try await game.step() }

        #expect(game.carriedOut > 10)
        #expect(game.refused > 0)
        #expect(game.givenUp > 10)
        #expect(game.reassigned > 10)
        try await game.expectProof()
    }
}
