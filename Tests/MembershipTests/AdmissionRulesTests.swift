import Access
import RPC
import Testing

@testable import Membership

@Suite struct `the one door` {
    private let school = Sample.organization(1)
    private let district = Sample.organization(2)

    private func facts(
        stoppedAt: OrganizationID? = nil, membership: MembershipState? = nil,
        _ counters: [Counter] = []
    ) -> AdmissionFacts {
        AdmissionFacts(
            stop: stoppedAt.map { Stop(at: $0, state: "inactive") }, membership: membership,
            takesSeat: true,
            counters: counters)
    }

    private func counter(
        _ node: OrganizationID, _ kind: CountKind = .members, used: Int64, cap: Int64?,
        refs: Int64 = 0
    ) -> Counter {
        Counter(node: node, kind: kind, used: used, cap: cap, refs: refs)
    }

    @Test func `a count without a limit admits anybody`() {
        let gates = Admission.gates(
            facts([counter(school, used: 1_000_000, cap: nil)]), entry: .joining)

        #expect(gates.isEmpty)
    }

    @Test(arguments: [(0, 0), (1, 1), (100, 100), (60, 50)] as [(Int64, Int64)])
    func `a count at or over its limit refuses somebody new`(used: Int64, cap: Int64) {
        let gates = Admission.gates(
            facts([counter(district, used: used, cap: cap)]), entry: .joining)

        #expect(gates == [.membersLimitReached(at: district, used: used, cap: cap)])
    }

    @Test func `a person counted already is admitted where nobody new is`() {
        let gates = Admission.gates(
            facts([
                counter(school, used: 49, cap: 50),
                counter(district, used: 100, cap: 100, refs: 1),
            ]), entry: .joining)

        #expect(gates.isEmpty)
    }

    @Test func `every failing gate is listed, state and seat first, then the nearest node`() {
        let gates = Admission.gates(
            facts(
                stoppedAt: district, membership: .blocked,
                [
                    counter(school, .seat, used: 5, cap: 5),
                    counter(school, used: 9, cap: 10),
                    counter(school, .students, used: 7, cap: 7),
                    counter(district, used: 100, cap: 100),
                    counter(district, .students, used: 30, cap: 20),
                ]), entry: .joining)

        #expect(
            gates == [
                .organizationNotActive(Stop(at: district, state: "inactive")),
                .memberBlocked,
                .seatsExhausted(at: school, used: 5, cap: 5),
                .roleQuotaReached(.students, at: school, used: 7, cap: 7),
                .membersLimitReached(at: district, used: 100, cap: 100),
                .roleQuotaReached(.students, at: district, used: 30, cap: 20),
            ])
        #expect(Refusal.notAdmitted(gates, titles: [:]).status.reason == "org_not_active")
    }

    @Test func `a member of today is told so and not asked for limits`() {
        let gates = Admission.gates(
            facts(membership: .active, [counter(school, used: 5, cap: 5, refs: 1)]),
            entry: .joining)

        #expect(gates == [.alreadyMember])
    }

    @Test func `a block ends by the same gates, but for the block itself`() {
        let full = facts(membership: .blocked, [counter(school, used: 5, cap: 5)])
        let free = facts(membership: .blocked, [counter(school, used: 4, cap: 5)])

        #expect(
            Admission.gates(full, entry: .unblocking)
                == [.membersLimitReached(at: school, used: 5, cap: 5)])
        #expect(Admission.gates(free, entry: .unblocking).isEmpty)
    }

    @Test func `a second membership changes references and not use`() {
        let changes = Admission.taking([
            counter(school, used: 3, cap: nil), counter(district, used: 8, cap: nil, refs: 1),
        ])

        #expect(
            changes == [
                PlaceChange(
                    node: school, kind: .members, refsAfter: 1, usedAfter: 4, changesUse: true),
                PlaceChange(
                    node: district, kind: .members, refsAfter: 2, usedAfter: 8, changesUse: false),
            ])
    }

    @Test func `the last membership that goes frees the place`() {
        let changes = Admission.releasing([
            counter(school, used: 4, cap: nil, refs: 1),
            counter(district, used: 8, cap: nil, refs: 2),
        ])

        #expect(
            changes == [
                PlaceChange(
                    node: school, kind: .members, refsAfter: 0, usedAfter: 3, changesUse: true),
                PlaceChange(
                    node: district, kind: .members, refsAfter: 1, usedAfter: 8, changesUse: false),
            ])
    }

    @Test func `owners take no seat, everybody else does`() {
        #expect(!SeatRule.standard.takesSeat(.owner))
        #expect(!SeatRule.standard.takesSeat([.owner, .teacher]))
        #expect(SeatRule.standard.takesSeat(.manager))
        #expect(SeatRule.standard.takesSeat(.member))
    }

    @Test func `people are counted as members and by each role with a quota`() {
        #expect(RoleSet.owner.kinds == [.members])
        #expect(RoleSet.student.kinds == [.members, .students])
        #expect(RoleSet([.teacher, .student]).kinds == [.members, .students, .teachers])
    }

    @Test func `the seat is asked for at the organization alone, people at every node upward`() {
        let found = [counter(district, .seat, used: 9, cap: 9), counter(district, used: 3, cap: 4)]

        let counters = Admission.counters(
            found, path: [district, school], roles: .student, takesSeat: true)

        #expect(
            counters == [
                counter(school, .seat, used: 0, cap: nil),
                counter(school, used: 0, cap: nil),
                counter(school, .students, used: 0, cap: nil),
                counter(district, used: 3, cap: 4),
                counter(district, .students, used: 0, cap: nil),
            ])
    }
}
