import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Organizations

/// What people of an organization pay less, and where that is set.
struct MemberDiscountTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    private func discounts(_ grants: Access.Grant...) throws -> MemberDiscountsClient {
        MemberDiscountsClient(
            try installation.channel(grants.isEmpty ? [Access.Grant(.platformOwner)] : grants))
    }

    private func set(
        _ basisPoints: Int32?, at organization: Organization, until day: String = "",
        _ scope: MemberDiscountScope = .unspecified
    ) async throws -> MemberDiscountReply {
        try await discounts().setMemberDiscount(
            SetMemberDiscountRequest(
                organizationID: organization.id, basisPoints: basisPoints, expiresOn: day,
                appliesTo: scope))
    }

    private func effective(_ organization: Organization) async throws -> MemberDiscountReply {
        try await discounts().getMemberDiscount(.init(organizationID: organization.id))
    }

    @Test func `an organization's own discount holds there`() async throws {
        let school = try await installation.platformOwner().create("School")

        let reply = try await set(1_250, at: school, until: "2026-02-01")
        let read = try await effective(school)

        #expect(reply.own?.basisPoints == 1_250 && reply.own?.expiresOn == "2026-02-01")
        #expect(reply.own?.appliesTo == .self_)
        #expect(reply.effectiveBasisPoints == 1_250)
        #expect(reply.sourceOrganizationID == school.id)
        #expect(read == reply && reply.etag == "v2")
        let organization = try await installation.platformOwner().get(school)
        #expect(organization.memberDiscount == reply.own)
    }

    @Test func `without a discount there is none, and it comes from nowhere`() async throws {
        let school = try await installation.platformOwner().create("School")

        let reply = try await effective(school)

        #expect(reply.own == nil)
        #expect(reply.effectiveBasisPoints == 0 && reply.sourceOrganizationID == "")
    }

    @Test func `the nearest ancestor that gives to all below it is the source`() async throws {
        let chain = try await installation.platformOwner().chain("1", "2", "3", "4")
        _ = try await set(1_000, at: chain[0], .subtree)
        _ = try await set(2_000, at: chain[1], until: "2026-01-10", .subtree)
        _ = try await set(3_000, at: chain[2], .self_)

        let near = try await effective(chain[3])
        installation.clock.advance(by: .seconds(9 * 86_400 + 86_399))
        let lastDay = try await effective(chain[3])
        installation.clock.advance(by: .seconds(1))
        let far = try await effective(chain[3])

        #expect(near.effectiveBasisPoints == 2_000 && near.sourceOrganizationID == chain[1].id)
        #expect(lastDay == near)
        #expect(far.effectiveBasisPoints == 1_000 && far.sourceOrganizationID == chain[0].id)
        #expect(far.own == nil)
    }

    @Test func `an own discount that has expired is none, and does not fall through`()
        async throws
    {
        let chain = try await installation.platformOwner().chain("District", "School", "Class")
        _ = try await set(1_000, at: chain[0], .subtree)
        _ = try await set(2_000, at: chain[1], until: "2026-01-02")
        installation.clock.advance(by: .seconds(2 * 86_400))

        let expired = try await effective(chain[1])
        let below = try await effective(chain[2])

        #expect(expired.own?.basisPoints == 2_000)
        #expect(expired.effectiveBasisPoints == 0)
        #expect(expired.sourceOrganizationID == chain[1].id)
        #expect(below.effectiveBasisPoints == 1_000)
    }

    @Test func `zero is set and ends inheritance; taken away, it inherits again`() async throws {
        let chain = try await installation.platformOwner().chain("District", "School")
        _ = try await set(1_000, at: chain[0], .subtree)

        let zero = try await set(0, at: chain[1])
        let again = try await set(nil, at: chain[1])

        #expect(zero.own?.basisPoints == 0 && zero.effectiveBasisPoints == 0)
        #expect(zero.sourceOrganizationID == chain[1].id)
        #expect(again.own == nil && again.effectiveBasisPoints == 1_000)
        #expect(again.sourceOrganizationID == chain[0].id)
    }

    @Test func `what is wrong is told field by field`() async throws {
        let school = try await installation.platformOwner().create("School")

        let fields = try await refusal {
            try await set(10_001, at: school, until: "soon", .init(rawValue: 3))
        }
        let negative = try await refusal { try await set(-1, at: school) }
        let dayAlone = try await refusal { try await set(nil, at: school, until: "2026-05-01") }
        let past = try await refusal { try await set(10, at: school, until: "2025-12-31") }
        let today = try await set(10, at: school, until: "2026-01-01")
        installation.clock.advance(by: .seconds(86_400))
        let kept = try await set(20, at: school, until: "2026-01-01")

        #expect(fields.invalidFields == ["basis_points", "expires_on", "applies_to"])
        #expect(negative.invalidFields == ["basis_points"])
        #expect(dayAlone.invalidFields == ["basis_points"])
        #expect(past.reason == "date_in_past" && past.httpStatus == 422)
        #expect(today.effectiveBasisPoints == 10)
        #expect(kept.own?.basisPoints == 20 && kept.effectiveBasisPoints == 0)
    }

    @Test(arguments: [
        (Access.Role.globalAdmin, true), (.platformAdmin, true), (.partner, true),
        (.reseller, false), (.owner, false), (.orgAdmin, false), (.member, false),
    ])
    func `who sets a discount; whoever sees the organization sees it`(
        role: Access.Role, isAllowed: Bool
    ) async throws {
        let school = try await installation.platformOwner().create("School")
        let user = try discounts(Access.Grant(role, at: try school.organizationID))

        let setting = await answer {
            try await user.setMemberDiscount(.init(organizationID: school.id, basisPoints: 5))
        }
        let seen = try await user.getMemberDiscount(.init(organizationID: school.id))

        #expect((setting != nil) == isAllowed)
        #expect(seen.effectiveBasisPoints == (isAllowed ? 5 : 0))
    }

    @Test func `Partners asks for it, strangers do not find it`() async throws {
        let platform = try installation.platformOwner()
        let (one, other) = (try await platform.create("One"), try await platform.create("Other"))
        _ = try await set(100, at: one)
        let owner = try discounts(Access.Grant(.owner, at: try other.organizationID))

        let told = try await MemberDiscountsClient(installation.channel(of: "partners"))
            .getMemberDiscount(.init(organizationID: one.id))
        let hidden = try await refusal {
            try await owner.getMemberDiscount(.init(organizationID: one.id))
        }

        #expect(told.effectiveBasisPoints == 100)
        #expect(hidden.reason == "not_found")
    }

    @Test func `an entity tag guards it, and the same again is no change`() async throws {
        let school = try await installation.platformOwner().create("School")
        let first = try await set(100, at: school)
        let same = try await set(100, at: school)
        var options = CallOptions()
        options.metadata[text: MetadataKey.ifMatch] = "v1"

        let stale = try await refusal { [options] in
            try await discounts().setMemberDiscount(
                .init(organizationID: school.id, basisPoints: 5), options: options)
        }

        #expect(same.etag == first.etag)
        #expect(stale.reason == "version_mismatch")
    }
}
