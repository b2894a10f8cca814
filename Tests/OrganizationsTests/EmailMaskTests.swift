import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Organizations

/// Email masks.
struct EmailMaskTests {
    @Test(arguments: [
        ("company.com", "company.com"), ("@Company.COM", "company.com"),
        ("*.company.com", "*.company.com"), ("@*.Company.com", "*.company.com"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("1.2.3.4.5.6.7.8.9.com", "1.2.3.4.5.6.7.8.9.com"),
        ("*.2.3.4.5.6.7.8.9.com", "*.2.3.4.5.6.7.8.9.com"),
    ])
    func `a mask is kept in one form`(input: String, kept: String) throws {
        #expect(try MaskPattern(input, field: "value").text == kept)
    }

    @Test(arguments: [
        "", "@", "com", "*", "*.com", "*.*.company.com", "a.*.com", "company.*", "@@company.com",
        "company..com", ".company.com", "company.com.", "-a.com", "a-.com", "a_b.com", "a b.com",
        "a/b.com", "b\u{FC}cher/.com", "user@company.com", "127.0.0.1", "company.com:80",
        "0.1.2.3.4.5.6.7.8.9.com", "*.1.2.3.4.5.6.7.8.9.com", "a\u{0}.com",
        String(repeating: "a", count: 64) + ".com", String(repeating: "a.", count: 200) + "com",
        String(repeating: "ü", count: 100_000) + ".com",
    ])
    func `a mask that is none is refused`(input: String) throws {
        #expect(throws: FieldFault.self) { try MaskPattern(input, field: "value") }
    }

    @Test(arguments: ["gmail.com", "*.gmail.com", "@Outlook.com", "*.co.uk", "ＧＭＡＩＬ.com"])
    func `nobody joins by a public mail domain`(value: String) async throws {
        let owner = try Installation().platformOwner()
        let school = try await owner.create("School")

        let refused = try await refusal {
            try await owner.createEmailMask(
                CreateEmailMaskRequest(organizationID: school.id, value: value))
        }
        let allowed = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: school.id, value: value, mode: .allow))

        #expect(refused.code == .invalidArgument)
        #expect(refused.reason == "public_email_domain")
        #expect(allowed.mode == .allow)
    }

    @Test func `a domain to join by belongs to one organization`() async throws {
        let owner = try Installation().platformOwner()
        let (one, other) = (try await owner.create("One"), try await owner.create("Other"))
        let mask = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: one.id, value: "company.com"))

        let refused = try await refusal {
            try await owner.createEmailMask(
                CreateEmailMaskRequest(organizationID: other.id, value: "@COMPANY.com"))
        }
        let allowed = try await owner.createEmailMask(
            CreateEmailMaskRequest(
                organizationID: other.id, value: "company.com", mode: .allow))

        #expect(mask.state == .active)
        #expect(mask.mode == .join)
        #expect(refused.code == .alreadyExists)
        #expect(refused.reason == "email_mask_taken")
        #expect(!refused.message.contains(one.id))
        #expect(allowed.state == .active)
    }

    @Test func `of twenty claims of one domain at once exactly one succeeds`() async throws {
        let owner = try Installation().platformOwner()
        var schools: [Organization] = []
        for number in 0..<20 { schools.append(try await owner.create("School \(number)")) }

        let successes = try await withThrowingTaskGroup(of: Int.self) { group in
            for school in schools {
                group.addTask {
                    do {
                        _ = try await owner.createEmailMask(
                            CreateEmailMaskRequest(
                                organizationID: school.id, value: "company.com"))
                        return 1
                    } catch let status as Status where status.reason == "email_mask_taken" {
                        return 0
                    }
                }
            }
            return try await group.reduce(0, +)
        }

        #expect(successes == 1)
    }

    @Test func `the owner's claim waits and joins nobody`() async throws {
        let installation = try Installation()
        let platform = try installation.platformOwner()
        let school = try await platform.create("School")
        let owner = try installation.user(Access.Grant(.owner, at: try school.organizationID))

        let claim = try await owner.createEmailMask(
            CreateEmailMaskRequest(organizationID: school.id, value: "school.org"))
        let allow = try await refusal {
            try await owner.createEmailMask(
                CreateEmailMaskRequest(
                    organizationID: school.id, value: "other.org", mode: .allow))
        }

        #expect(claim.state == .pendingVerification)
        #expect(allow.reason == "forbidden")
        let found = try await installation.service("membership").resolveEmail(
            ResolveEmailRequest(email: "ada@school.org"))
        #expect(found == ResolveEmailReply())
        let listed = try await owner.listEmailMasks(
            ListEmailMasksRequest(organizationID: school.id))
        #expect(listed.emailMasks == [claim])
    }

    @Test func `a claim that waits keeps nobody from the domain, one that counts does`()
        async throws
    {
        let installation = try Installation()
        let platform = try installation.platformOwner()
        let (one, other) = (try await platform.create("One"), try await platform.create("Other"))
        let squatter = try installation.user(Access.Grant(.owner, at: try one.organizationID))
        let late = try installation.user(Access.Grant(.owner, at: try other.organizationID))
        let waiting = try await squatter.createEmailMask(
            CreateEmailMaskRequest(organizationID: one.id, value: "school.org"))

        let verified = try await platform.createEmailMask(
            CreateEmailMaskRequest(organizationID: other.id, value: "school.org"))
        _ = try await squatter.createEmailMask(
            CreateEmailMaskRequest(organizationID: one.id, value: "free.org"))
        let alsoWaiting = try await late.createEmailMask(
            CreateEmailMaskRequest(organizationID: other.id, value: "free.org"))
        let third = try await platform.create("Third")
        let refused = try await refusal {
            try await installation.user(Access.Grant(.owner, at: try third.organizationID))
                .createEmailMask(
                    CreateEmailMaskRequest(organizationID: third.id, value: "school.org"))
        }

        #expect(waiting.state == .pendingVerification)
        #expect(verified.state == .active)
        #expect(alsoWaiting.state == .pendingVerification)
        #expect(refused.reason == "email_mask_taken")
        let found = try await installation.service("membership").resolveEmail(
            ResolveEmailRequest(email: "ada@school.org"))
        #expect(found.organizationID == other.id)
    }

    @Test(arguments: [
        ("ada@company.com", "exact", "company.com"),
        ("Ada@COMPANY.com", "exact", "company.com"),
        ("ada@a.company.com", "wide", "*.company.com"),
        ("ada@x.b.company.com", "near", "*.b.company.com"),
        ("ada@b.company.com", "near", "*.b.company.com"),
        ("\"a@b\"@company.com", "exact", "company.com"),
        ("ada@mycompany.com", "", ""),
        ("ada@plain.org", "plain", "plain.org"),
        ("ada@a.plain.org", "", ""),
        ("ada@a.b.c.d.e.f.g.h.i.j.k.company.com", "wide", "*.company.com"),
    ])
    func `an exact mask comes first, then the longest wildcard`(
        email: String, owner: String, mask: String
    ) async throws {
        let installation = try Installation()
        let platform = try installation.platformOwner()
        var ids = ["": ""]
        for (title, value) in [
            ("exact", "company.com"), ("wide", "*.company.com"), ("near", "*.b.company.com"),
            ("plain", "plain.org"),
        ] {
            let organization = try await platform.create(title)
            ids[title] = organization.id
            _ = try await platform.createEmailMask(
                CreateEmailMaskRequest(organizationID: organization.id, value: value))
        }

        let found = try await installation.service("membership").resolveEmail(
            ResolveEmailRequest(email: email))

        #expect(found.organizationID == ids[owner])
        #expect(found.value == mask)
    }

    @Test(arguments: ["", "ada", "ada@", "@company.com", "ada@com", "ada@a b.com"])
    func `an address that is none is refused`(email: String) async throws {
        let membership = try Installation().service("membership")

        let refused = try await refusal {
            try await membership.resolveEmail(ResolveEmailRequest(email: email))
        }

        #expect(refused.invalidFields == ["email"])
    }

    @Test func `an organization has a bounded number of masks`() async throws {
        let installation = try Installation(limits: Limits(emailMasksMax: 2))
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        for value in ["a.com", "b.com"] {
            _ = try await owner.createEmailMask(
                CreateEmailMaskRequest(organizationID: school.id, value: value))
        }

        let refused = try await refusal {
            try await owner.createEmailMask(
                CreateEmailMaskRequest(organizationID: school.id, value: "c.com"))
        }

        #expect(refused.reason == "validation")
    }

    @Test func `a mode that is none is refused`() async throws {
        let owner = try Installation().platformOwner()
        let school = try await owner.create("School")

        let refused = try await refusal {
            try await owner.createEmailMask(
                CreateEmailMaskRequest(
                    organizationID: school.id, value: "x", mode: .unrecognized(9)))
        }

        #expect(refused.invalidFields == ["value", "mode"])
    }
}
