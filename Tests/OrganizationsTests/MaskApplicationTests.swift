import Access
import Messages
import RPC
import RPCTesting
import ServiceKit
import Testing

@testable import Organizations

/// Masks that count, applied to people who are there already.
struct MaskApplicationTests {
    private let installation: Installation
    private let owner: OrganizationsClient
    private let masks: EmailMasksClient

    init() throws {
        installation = try Installation()
        let person: UserID = installation.identifiers.next()
        owner = try installation.user(Access.Grant(.platformOwner), as: person)
        let signer = try installation.signer("gateway")
        masks = EmailMasksClient(
            installation.channel {
                try signer.user(person, grants: [Access.Grant(.platformOwner)])
            })
    }

    // MARK: - Who matches

    @Test func `only those match who join by this very mask`() async throws {
        let values = ["exact": "company.com", "wide": "*.company.com", "near": "*.b.company.com"]
        var ids: [String: String] = [:]
        for (title, value) in values {
            ids[title] = try await organization(title, value).id
        }
        // What waits, and what only allows, takes nobody away.
        let other = try await owner.create("Other")
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(
                organizationID: other.id, value: "a.company.com", mode: .allow))
        let squatter = try installation.user(
            Access.Grant(.owner, at: try other.organizationID))
        _ = try await squatter.createEmailMask(
            CreateEmailMaskRequest(organizationID: other.id, value: "*.a.company.com"))
        await installation.lobby.enter([
            "1@company.com", "2@company.com", "3@a.company.com", "4@x.a.company.com",
            "5@b.company.com", "6@c.b.company.com", "7@b.company.com", "8@1.2.3.4",
            "9@a.b.c.d.e.f.g.h.i.j.company.com",
        ])

        for (title, count) in [("exact", 2), ("wide", 3), ("near", 3)] {
            let preview = try await masks.previewEmailMask(
                PreviewEmailMaskRequest(
                    organizationID: try #require(ids[title]), value: try #require(values[title])))
            #expect(preview == EmailMaskPreview(matchingCount: Int64(count)), "\(title)")
        }
        #expect(await installation.lobby.admissions.isEmpty)

        let applied = try await apply(try #require(ids["wide"]), "*.company.com")
        #expect(applied == ApplyEmailMaskReply(admittedCount: 3))
        let again = try await apply(try #require(ids["wide"]), "*.company.com")
        #expect(again == ApplyEmailMaskReply())
        let exact = try await apply(try #require(ids["exact"]), "@COMPANY.com")
        #expect(exact.admittedCount == 2)
        #expect(await installation.lobby.admissions.values.allSatisfy { $0.count == 1 })
    }

    @Test func `of two masks of one organization each admits its own`() async throws {
        let school = try await organization("School", "*.company.com")
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: school.id, value: "company.com"))
        await installation.lobby.enter(["1@company.com", "2@company.com", "3@a.company.com"])

        for (value, count) in [("company.com", 2), ("*.company.com", 1)] {
            let preview = try await masks.previewEmailMask(
                PreviewEmailMaskRequest(organizationID: school.id, value: value))
            #expect(preview.matchingCount == Int64(count), "\(value)")
        }
        let applied = try await apply(school.id, "*.company.com")
        #expect(applied == ApplyEmailMaskReply(admittedCount: 1))
    }

    @Test(arguments: [(9_999, false), (10_000, false), (10_001, true)])
    func `a preview looks at ten thousand people, and says when there may be more`(
        count: Int, isMinimum: Bool
    ) async throws {
        let school = try await organization("School", "company.com")
        await installation.lobby.enter((0..<count).map { "\($0)@company.com" })

        let preview = try await masks.previewEmailMask(
            PreviewEmailMaskRequest(organizationID: school.id, value: "company.com"))

        #expect(preview.matchingCount == Int64(min(count, 10_000)))
        #expect(preview.matchingIsMinimum == isMinimum)
        #expect(await installation.lobby.questions.count == 10)
    }

    // MARK: - Who may, and what can be applied

    @Test func `whoever may enter masks may apply them, and nobody else`() async throws {
        let school = try await organization("School", "company.com")
        let (other, at) = (try await owner.create("Other"), try school.organizationID)
        func outcomes(_ grants: [Access.Grant]) async throws -> [String?] {
            let client = EmailMasksClient(try installation.channel(grants))
            return await [
                reason {
                    try await client.previewEmailMask(
                        .init(
                            organizationID: school.id, value: "company.com"))
                },
                reason {
                    try await client.applyEmailMask(
                        .init(
                            organizationID: school.id, value: "company.com"))
                },
            ]
        }

        for role in [Access.Role.owner, .orgAdmin, .partner] {
            #expect(try await outcomes([Access.Grant(role, at: at)]) == [nil, nil], "\(role)")
        }
        let asked = await installation.lobby.questions.count
        for role in [Access.Role.manager, .userAdmin, .member, .reseller] {
            #expect(
                try await outcomes([Access.Grant(role, at: at)]) == ["forbidden", "forbidden"],
                "\(role)")
        }
        #expect(
            try await outcomes([Access.Grant(.owner, at: try other.organizationID)])
                == ["not_found", "not_found"])
        let service = EmailMasksClient(try installation.channel(of: "membership"))
        #expect(
            await reason {
                try await service.applyEmailMask(
                    .init(
                        organizationID: school.id, value: "company.com"))
            } == "forbidden")
        // Of those who may not, nothing is asked for.
        #expect(await installation.lobby.questions.count == asked)
    }

    @Test func `only a mask to join by that counts is applied, where the organization is active`()
        async throws
    {
        let school = try await organization("School", "company.com")
        let at = try school.organizationID
        let people = try installation.user(Access.Grant(.owner, at: at))
        _ = try await people.createEmailMask(
            CreateEmailMaskRequest(organizationID: school.id, value: "waits.com"))
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(
                organizationID: school.id, value: "allows.com", mode: .allow))
        await installation.lobby.enter(["1@waits.com", "2@allows.com", "3@company.com"])

        for (value, expected) in [
            ("waits.com", "wrong_state"), ("allows.com", "wrong_state"),
            ("other.com", "not_found"), ("no domain", "validation"),
        ] {
            let (preview, application) = await reasons(school.id, value, masks)
            #expect(preview == expected && application == expected, "\(value)")
        }
        _ = try await owner.deactivateOrganization(DeactivateOrganizationRequest(id: school.id))
        for client in [masks, EmailMasksClient(try installation.channel([.init(.owner, at: at)]))] {
            let (preview, application) = await reasons(school.id, "company.com", client)
            #expect(preview == "org_not_active" && application == "org_not_active")
        }
        _ = try await owner.deleteOrganization(DeleteOrganizationRequest(id: school.id))
        let (preview, application) = await reasons(school.id, "company.com", masks)
        #expect(preview == "wrong_state" && application == "wrong_state")
        #expect(await installation.lobby.questions.isEmpty)
        #expect(await installation.lobby.admissions.isEmpty)
    }

    // MARK: - Applying

    @Test func `five hundred are looked at by a call, and the next goes on where it ended`()
        async throws
    {
        let school = try await organization("School", "*.company.com")
        _ = try await organization("Near", "*.b.company.com")
        let people = await installation.lobby.enter(
            (0..<1_200).map { "\($0)@\($0 % 3 == 0 ? "b." : "")company.com" })

        var replies: [ApplyEmailMaskReply] = []
        var token = ""
        repeat {
            let reply = try await apply(school.id, "*.company.com", token: token)
            replies.append(reply)
            token = reply.nextPageToken
        } while !token.isEmpty && replies.count < 10

        // 500, 500 and 200, a third of them the other organization's.
        #expect(replies.map(\.admittedCount) == [333, 333, 134])
        #expect(replies.allSatisfy { $0.refusals.isEmpty })
        let admissions = await installation.lobby.admissions
        #expect(admissions.count == 800)
        #expect(admissions.values.allSatisfy { $0 == [school.id] })
        #expect(
            Set(admissions.keys)
                == Set(people.enumerated().filter { $0.offset % 3 != 0 }.map(\.element)))
    }

    @Test func `who is refused is counted by what refused, and stays`() async throws {
        let school = try await organization("School", "company.com")
        await installation.lobby.setRoom(2, at: school.id)
        let people = await installation.lobby.enter((0..<5).map { "\($0)@company.com" })

        let reply = try await apply(school.id, "company.com")

        #expect(
            reply
                == ApplyEmailMaskReply(
                    admittedCount: 2,
                    refusals: [
                        EmailMaskRefusal(
                            code: "members_limit_reached", organizationID: school.id,
                            peopleCount: 3)
                    ]))
        #expect(await Set(installation.lobby.admissions.keys) == Set(people.prefix(2)))
        let preview = try await masks.previewEmailMask(
            PreviewEmailMaskRequest(organizationID: school.id, value: "company.com"))
        #expect(preview.matchingCount == 3)
    }

    @Test func `an organization of which the caller may not know is not named`() async throws {
        let region = try await owner.create("Region")
        let district = try await owner.create("District", below: region)
        let masked = try await owner.create("School", below: district)
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: masked.id, value: "company.com"))
        await installation.lobby.setRoom(0, at: region.id)
        await installation.lobby.enter((0..<5).map { "\($0)@company.com" })
        let below = EmailMasksClient(
            try installation.channel([Access.Grant(.owner, at: try district.organizationID)]))

        let hidden = try await below.applyEmailMask(
            ApplyEmailMaskRequest(organizationID: masked.id, value: "company.com"))
        let shown = try await apply(masked.id, "company.com")
        await installation.lobby.setRoom(0, at: district.id)
        let own = try await below.applyEmailMask(
            ApplyEmailMaskRequest(organizationID: masked.id, value: "company.com"))

        #expect(hidden.refusals.map(\.organizationID) == [""])
        #expect(hidden.refusals.map(\.peopleCount) == [5])
        #expect(shown.refusals.map(\.organizationID) == [region.id])
        #expect(own.refusals.map(\.organizationID) == [district.id])
    }

    // MARK: - Again

    @Test func `a call that is sent again answers the same and admits nobody more`() async throws {
        let school = try await organization("School", "company.com")
        await installation.lobby.enter((0..<501).map { "\($0)@company.com" })
        let first = try await apply(school.id, "company.com", key: "k")

        // Others have come, the mask is gone, and Membership tells nobody who there is.
        await installation.lobby.enter(["late@company.com"])
        _ = try await masks.deleteEmailMask(
            DeleteEmailMaskRequest(organizationID: school.id, value: "company.com"))
        await installation.lobby.setListReachable(false)
        installation.clock.advance(by: .seconds(60))
        let second = try await apply(school.id, "company.com", key: "k")

        #expect(first.admittedCount == 500 && !first.nextPageToken.isEmpty)
        #expect(second.encoded() == first.encoded())
        #expect(await installation.lobby.admissions.count == 500)
        let fresh = await reason { try await apply(school.id, "company.com", key: "l") }
        #expect(fresh == "not_found")
        let other = await reason {
            try await apply(school.id, "company.com", token: first.nextPageToken, key: "k")
        }
        #expect(other == "idempotency_mismatch")
    }

    @Test(arguments: [Lobby.Door.unheard, .unreachable])
    func `when the answer is lost the same people are admitted, once, and nobody is forgotten`(
        door: Lobby.Door
    ) async throws {
        let school = try await organization("School", "company.com")
        let people = await installation.lobby.enter((0..<3).map { "\($0)@company.com" })
        await installation.lobby.set(door)

        let lost = try await refusal { try await apply(school.id, "company.com", key: "k") }
        let late = await installation.lobby.enter(["late@company.com"])
        await installation.lobby.set(.open)
        let first = try await apply(school.id, "company.com", key: "k")
        let second = try await apply(school.id, "company.com", key: "k")

        #expect(lost.reason == "not_acknowledged" && lost.httpStatus == 503)
        #expect(first == ApplyEmailMaskReply(admittedCount: 3))
        #expect(second.encoded() == first.encoded())
        #expect(
            await installation.lobby.admissions
                == Dictionary(uniqueKeysWithValues: people.map { ($0, [school.id]) }))
        let next = try await apply(school.id, "company.com", key: "l")
        #expect(next.admittedCount == 1)
        #expect(await installation.lobby.admissions[late[0]] == [school.id])
    }

    @Test func `while Membership does not say who there is nothing is decided`() async throws {
        let school = try await organization("School", "company.com")
        await installation.lobby.enter(["1@company.com"])
        await installation.lobby.setListReachable(false)

        let preview = try await refusal {
            try await masks.previewEmailMask(
                PreviewEmailMaskRequest(organizationID: school.id, value: "company.com"))
        }
        let refused = try await refusal { try await apply(school.id, "company.com", key: "k") }
        await installation.lobby.setListReachable(true)
        let applied = try await apply(school.id, "company.com", key: "k")

        #expect(preview.code == .unavailable && preview.httpStatus == 503)
        #expect(refused.code == .unavailable && refused.httpStatus == 503)
        #expect(applied.admittedCount == 1)
    }

    @Test func `the same key of another person is another call, of the same people too`()
        async throws
    {
        let school = try await organization("School", "company.com")
        let other = EmailMasksClient(try installation.channel([Access.Grant(.globalAdmin)]))
        await installation.lobby.enter(["1@company.com"])
        await installation.lobby.setRoom(0, at: school.id)
        let first = try await apply(school.id, "company.com", key: "k")
        await installation.lobby.setRoom(1, at: school.id)

        let second = try await other.applyEmailMask(
            ApplyEmailMaskRequest(organizationID: school.id, value: "company.com"),
            options: .key("k"))

        #expect(first.admittedCount == 0 && first.refusals.count == 1)
        #expect(second == ApplyEmailMaskReply(admittedCount: 1))
    }

    @Test func `a page of one mask is none of another`() async throws {
        let school = try await organization("School", "company.com")
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: school.id, value: "other.com"))
        await installation.lobby.enter((0..<501).map { "\($0)@company.com" })
        let first = try await apply(school.id, "company.com")

        for token in [first.nextPageToken, "x", String(repeating: "A", count: 3_000)] {
            let refused = await reason { try await apply(school.id, "other.com", token: token) }
            #expect(refused == "page_token_invalid")
        }
        let last = try await apply(school.id, "company.com", token: first.nextPageToken)
        #expect(last == ApplyEmailMaskReply(admittedCount: 1))
    }

    // MARK: - What tests share

    /// Makes an organization with a mask that counts.
    private func organization(_ title: String, _ value: String) async throws -> Organization {
        let organization = try await owner.create(title)
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: organization.id, value: value))
        return organization
    }

    private func apply(
        _ organization: String, _ value: String, token: String = "", key: String? = nil
    ) async throws -> ApplyEmailMaskReply {
        try await masks.applyEmailMask(
            ApplyEmailMaskRequest(
                organizationID: organization, value: value, pageToken: token),
            options: key.map { .key($0) } ?? CallOptions())
    }

    /// Why a preview and an application are refused.
    private func reasons(
        _ organization: String, _ value: String, _ client: EmailMasksClient
    ) async -> (preview: String?, application: String?) {
        (
            await reason {
                try await client.previewEmailMask(
                    PreviewEmailMaskRequest(organizationID: organization, value: value))
            },
            await reason {
                try await client.applyEmailMask(
                    ApplyEmailMaskRequest(organizationID: organization, value: value))
            }
        )
    }
}

/// The reason for which a call is refused; nil when it succeeds.
private func reason<Reply: Sendable>(_ call: () async throws -> Reply) async -> String? {
    do {
        _ = try await call()
        return nil
    } catch {
        return (error as? Status)?.reason ?? "\(error)"
    }
}
