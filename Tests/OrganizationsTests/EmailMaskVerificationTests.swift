import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Email masks that wait: how they come to count, and how they end.
struct EmailMaskVerificationTests {
    private let installation: Installation
    private let school: Organization

    init() async throws {
        installation = try Installation()
        school = try await installation.platformOwner().create("School")
    }

    private func masks(_ role: Access.Role) throws -> EmailMasksClient {
        EmailMasksClient(
            try installation.channel([Access.Grant(role, at: try school.organizationID)]))
    }

    private func claim(
        _ value: String = "school.example", at organization: Organization? = nil
    ) async throws -> EmailMask {
        let place = organization ?? school
        return try await installation.user(Access.Grant(.owner, at: try place.organizationID))
            .createEmailMask(CreateEmailMaskRequest(organizationID: place.id, value: value))
    }

    private func confirmation(
        _ value: String = "school.example", by verification: EmailMaskVerification = .unspecified
    ) -> ConfirmEmailMaskRequest {
        ConfirmEmailMaskRequest(
            organizationID: school.id, value: value, verification: verification)
    }

    private func list() async throws -> [EmailMask] {
        try await installation.platformOwner().listEmailMasks(.init(organizationID: school.id))
            .emailMasks
    }

    private func joined(_ email: String) async throws -> String {
        try await installation.service("membership").resolveEmail(.init(email: email))
            .organizationID
    }

    @Test func `a claim says what its domain must publish, where and until when`() async throws {
        let claim = try await claim("*.school.example")
        let other = try await self.claim("other.example")

        #expect(claim.challenge.hasPrefix("guildhall-verification="))
        #expect(claim.challenge.utf8.count == 23 + 32)
        #expect(claim.challenge != other.challenge)
        #expect(claim.challengeName == "_guildhall-challenge.school.example")
        #expect(
            claim.expiresAt
                == Timestamp(installation.clock.now.advanced(by: .seconds(72 * 3_600))))
        let seller = try installation.user(
            Access.Grant(.reseller, at: try school.organizationID))
        let seen = try await seller.listEmailMasks(.init(organizationID: school.id)).emailMasks
        #expect(seen.count == 2 && seen.allSatisfy { $0.challenge.isEmpty })
        #expect(seen.allSatisfy { $0.challengeName.isEmpty && $0.expiresAt != nil })
    }

    @Test(arguments: [Access.Role.globalAdmin, .platformAdmin, .partner])
    func `a role above confirms`(role: Access.Role) async throws {
        _ = try await claim()

        let confirmed = try await masks(role).confirmEmailMask(confirmation("@SCHOOL.example"))

        #expect(confirmed.state == .active && confirmed.challenge.isEmpty)
        #expect(confirmed.expiresAt == nil)
        #expect(try await joined("a@school.example") == school.id)
    }

    @Test(arguments: [Access.Role.owner, .orgAdmin, .reseller, .manager, .member])
    func `others' word is not enough`(role: Access.Role) async throws {
        _ = try await claim()

        let refused = try await refusal { try await masks(role).confirmEmailMask(confirmation()) }

        #expect(refused.reason == "forbidden")
        #expect(try await joined("a@school.example") == "")
    }

    @Test func `the domain's own word is, for the owner too`() async throws {
        let claim = try await claim()
        let owner = try masks(.owner)
        let records = installation.textRecords
        records.publish("v=spf1 -all", at: claim.challengeName)

        let early = try await refusal {
            try await owner.confirmEmailMask(confirmation(by: .dns), options: .key("k"))
        }
        records.publish(claim.challenge, at: claim.challengeName)
        let confirmed = try await owner.confirmEmailMask(
            confirmation(by: .dns), options: .key("k"))
        let again = try await owner.confirmEmailMask(confirmation(by: .dns))

        #expect(early.reason == "email_mask_unverified" && early.httpStatus == 409)
        #expect(confirmed.state == .active && again == confirmed)
        #expect(records.asked == [claim.challengeName, claim.challengeName])
        #expect(try await joined("a@school.example") == school.id)
    }

    @Test func `another's challenge proves nothing`() async throws {
        let other = try await installation.platformOwner().create("Other")
        let claim = try await claim()
        let theirs = try await self.claim(at: other)
        installation.textRecords.publish(theirs.challenge, at: claim.challengeName)

        let refused = try await refusal {
            try await masks(.owner).confirmEmailMask(confirmation(by: .dns))
        }

        #expect(refused.reason == "email_mask_unverified")
    }

    @Test func `of two claims of one domain the first that is confirmed counts`() async throws {
        let other = try await installation.platformOwner().create("Other")
        _ = try await claim()
        _ = try await claim(at: other)
        let platform = EmailMasksClient(try installation.channel([Access.Grant(.globalAdmin)]))

        _ = try await platform.confirmEmailMask(
            .init(organizationID: other.id, value: "school.example"))
        let late = try await refusal { try await platform.confirmEmailMask(confirmation()) }

        #expect(late.reason == "email_mask_taken" && !late.message.contains(other.id))
        #expect(try await joined("a@school.example") == other.id)
    }

    @Test func `a name server that does not answer leaves everything as it is`() async throws {
        _ = try await claim()
        installation.textRecords.setReachable(false)

        let refused = try await refusal {
            try await masks(.owner).confirmEmailMask(confirmation(by: .dns))
        }

        #expect(refused.reason == "unavailable" && refused.httpStatus == 503)
        #expect(try await list().map(\.state) == [.pendingVerification])
    }

    @Test func `a claim is forgotten after seventy-two hours, and may be made anew`()
        async throws
    {
        let first = try await claim()
        installation.clock.advance(by: .seconds(72 * 3_600 - 1))
        let last = try await list()
        installation.clock.advance(by: .seconds(1))

        let gone = try await list()
        let refused = try await refusal {
            try await masks(.globalAdmin).confirmEmailMask(confirmation())
        }
        let second = try await claim()

        #expect(last.map(\.value) == ["school.example"])
        #expect(gone.isEmpty)
        #expect(refused.reason == "not_found")
        #expect(second.challenge != first.challenge)
    }

    @Test func `the upkeep takes forgotten claims away, and no other mask`() async throws {
        let platform = try installation.platformOwner()
        _ = try await claim()
        _ = try await platform.createEmailMask(
            .init(organizationID: school.id, value: "active.example"))
        installation.clock.advance(by: .seconds(72 * 3_600))
        _ = try await claim("young.example")

        try await installation.upkeep().round(at: installation.clock.now)

        let id = try school.organizationID
        let count = try await installation.database.read { try $0.emailMaskCount(of: id) }
        #expect(count == 2)
        #expect(try await list().map(\.value) == ["active.example", "young.example"])
    }

    @Test func `who may enter a mask may take it away`() async throws {
        let platform = try installation.platformOwner()
        let owner = try masks(.owner)
        _ = try await claim("one.example")
        _ = try await platform.createEmailMask(
            .init(organizationID: school.id, value: "two.example"))
        _ = try await platform.createEmailMask(
            .init(organizationID: school.id, value: "three.example", mode: .allow))

        _ = try await owner.deleteEmailMask(.init(organizationID: school.id, value: "one.example"))
        _ = try await owner.deleteEmailMask(
            .init(organizationID: school.id, value: "@TWO.example"), options: .key("k"))
        _ = try await owner.deleteEmailMask(
            .init(organizationID: school.id, value: "@TWO.example"), options: .key("k"))
        let allow = try await refusal {
            try await owner.deleteEmailMask(
                .init(organizationID: school.id, value: "three.example"))
        }
        let member = try await refusal {
            try await masks(.member).deleteEmailMask(
                .init(organizationID: school.id, value: "three.example"))
        }
        let unknown = try await refusal {
            try await owner.deleteEmailMask(.init(organizationID: school.id, value: "x.example"))
        }
        let wrong = try await refusal {
            try await owner.deleteEmailMask(.init(organizationID: school.id, value: "x"))
        }

        #expect(allow.reason == "forbidden" && member.reason == "forbidden")
        #expect(unknown.reason == "not_found")
        #expect(wrong.invalidFields == ["value"])
        #expect(try await list().map(\.value) == ["three.example"])
        #expect(try await joined("a@two.example") == "")
    }

    @Test func `a domain that was taken away is free`() async throws {
        let platform = try installation.platformOwner()
        let other = try await platform.create("Other")
        _ = try await platform.createEmailMask(
            .init(organizationID: school.id, value: "school.example"))
        _ = try await masks(.globalAdmin).deleteEmailMask(
            .init(organizationID: school.id, value: "school.example"))

        _ = try await platform.createEmailMask(
            .init(organizationID: other.id, value: "school.example"))

        #expect(try await joined("a@school.example") == other.id)
    }

    @Test func `entering, confirming and taking away move the organization`() async throws {
        let platform = try installation.platformOwner()
        var versions: [Int64] = [school.version]
        _ = try await claim()
        versions.append(try await platform.get(school).version)
        _ = try await masks(.globalAdmin).confirmEmailMask(confirmation())
        versions.append(try await platform.get(school).version)
        _ = try await masks(.globalAdmin).confirmEmailMask(confirmation())
        versions.append(try await platform.get(school).version)
        _ = try await masks(.owner).deleteEmailMask(
            .init(organizationID: school.id, value: "school.example"))
        versions.append(try await platform.get(school).version)

        #expect(versions == [1, 2, 3, 3, 4])
    }

    @Test func `of fifty confirmations of two claims at once one claim comes to count`()
        async throws
    {
        let other = try await installation.platformOwner().create("Other")
        _ = try await claim()
        _ = try await claim(at: other)
        let platform = EmailMasksClient(try installation.channel([Access.Grant(.globalAdmin)]))
        let ids = [school.id, other.id]

        let reasons = await outcomes(of: 50) { number in
            _ = try await platform.confirmEmailMask(
                .init(organizationID: ids[number % 2], value: "school.example"))
        }

        #expect(reasons.filter { $0 == nil }.count == 25)
        #expect(reasons.filter { $0 == "email_mask_taken" }.count == 25)
    }
}
