import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Which organization somebody joins who signs up, and whether somebody has to approve.
@Suite struct `Rules for sign-ups` {
    private let here: Installation
    private let owner: OrganizationsClient
    private let channel: any Channel

    init() throws {
        here = try Installation()
        channel = try here.channel([Access.Grant(.platformOwner)])
        owner = OrganizationsClient(channel)
    }

    private func resolve(
        _ email: String, over slug: String = "", as service: String = "membership"
    ) async throws -> ResolveSignUpReply {
        try await SignUpRulesClient(try here.channel(of: service)).resolveSignUp(
            ResolveSignUpRequest(email: email, customURL: slug))
    }

    private func mask(
        _ organization: Organization, _ value: String, _ mode: EmailMaskMode = .join
    ) async throws {
        _ = try await owner.createEmailMask(
            CreateEmailMaskRequest(
                organizationID: organization.id, value: value, mode: mode))
    }

    private func setApproval(_ isOn: Bool) async throws -> PlatformSettings {
        try await PlatformClient(channel).updatePlatformSettings(
            UpdatePlatformSettingsRequest(
                settings: PlatformSettings(signUpApproval: isOn),
                updateMask: FieldMask(paths: ["sign_up_approval"])))
    }

    @Test func `a custom URL comes before a mask, and a mask before nothing`() async throws {
        let school = try await owner.create("School")
        let company = try await owner.create("Company")
        try await mask(company, "*.company.example")
        _ = try await CustomUrlsClient(channel).createCustomUrl(
            CreateCustomUrlRequest(organizationID: school.id, slug: "springfield"))

        let byURL = try await resolve("a@x.company.example", over: "Springfield")
        let byMask = try await resolve("a@x.company.example")
        let none = try await resolve("a@elsewhere.example")

        #expect(byURL.organizationID == school.id && byURL.title == "School")
        #expect(byURL.source == .customURL && byURL.value == "springfield")
        #expect(byMask.organizationID == company.id && byMask.source == .emailMask)
        #expect(byMask.value == "*.company.example")
        #expect(byMask.signUpAllowed && byMask.approval == .notNeeded)
        #expect(none == ResolveSignUpReply())
    }

    @Test func `a custom URL that leads nowhere is refused, whatever masks say`() async throws {
        let school = try await owner.create("School")
        try await mask(school, "school.example")
        let urls = CustomUrlsClient(channel)
        for slug in ["closed", "gone-by"] {
            _ = try await urls.createCustomUrl(
                CreateCustomUrlRequest(organizationID: school.id, slug: slug))
        }
        _ = try await urls.disableCustomUrl(
            DisableCustomUrlRequest(organizationID: school.id, slug: "closed"))
        _ = try await urls.deleteCustomUrl(
            DeleteCustomUrlRequest(organizationID: school.id, slug: "gone-by"))

        for (slug, reason) in [
            ("closed", "custom_url_disabled"), ("gone-by", "custom_url_released"),
            ("never", "not_found"), ("??", "not_found"),
        ] {
            let status = try await refusal {
                try await resolve("a@school.example", over: slug)
            }
            let asked = try await refusal {
                try await CustomUrlsClient(try here.channel(of: "membership")).resolveCustomUrl(
                    ResolveCustomUrlRequest(slug: slug))
            }
            #expect(status.reason == reason && asked.reason == reason, "\(slug)")
        }
    }

    @Test func `with the switch on, whom no mask here or above covers waits`() async throws {
        let chain = try await owner.chain("District", "School")
        _ = try await CustomUrlsClient(channel).createCustomUrl(
            CreateCustomUrlRequest(organizationID: chain[1].id, slug: "springfield"))
        try await mask(chain[0], "*.district.example", .allow)
        try await mask(chain[1], "school.example", .join)
        let administrator = OrganizationsClient(
            try here.channel([Access.Grant(.owner, at: chain[0].organizationID)]))
        _ = try await administrator.createEmailMask(
            CreateEmailMaskRequest(
                organizationID: chain[1].id, value: "waiting.example", mode: .join))
        let addresses = [
            ("a@school.example", JoinApproval.notNeeded),
            ("a@staff.district.example", .notNeeded), ("a@elsewhere.example", .noMask),
            ("a@waiting.example", .noMask),
        ]

        for (email, _) in addresses {
            let reply = try await resolve(email, over: "springfield")
            #expect(reply.approval == .notNeeded, "the switch is off: \(email)")
        }
        let settings = try await setApproval(true)
        #expect(settings.signUpApproval && settings.version == 2)
        for (email, expected) in addresses {
            let reply = try await resolve(email, over: "springfield")
            #expect(reply.approval == expected, "\(email)")
            #expect(reply.organizationID == chain[1].id)
        }
        let off = try await setApproval(false)
        #expect(!off.signUpApproval)
        let read = try await PlatformClient(channel).getPlatformSettings(
            GetPlatformSettingsRequest())
        #expect(!read.signUpApproval && read.version == 3)
    }

    @Test func `a type says whether people sign up, and whether they wait`() async throws {
        let types = OrganizationTypesClient(channel)
        let school = try await owner.create("School")
        try await mask(school, "school.example")
        let before = try await resolve("a@school.example")
        #expect(before.signUpAllowed, "without a type")

        for (allowed, approval) in [(true, false), (false, false), (true, true)] {
            let type = try await types.createOrganizationType(
                CreateOrganizationTypeRequest(
                    name: "\(allowed) \(approval)",
                    access: OrganizationTypeAccess(
                        signupAllowed: allowed, requiresApproval: approval)))
            _ = try await owner.updateOrganization(
                UpdateOrganizationRequest(
                    organization: Organization(id: school.id, typeID: type.id),
                    updateMask: FieldMask(paths: ["type_id"])))

            let reply = try await resolve("a@school.example")

            #expect(reply.signUpAllowed == allowed)
            #expect(reply.approval == (approval ? .typeRequires : .notNeeded))
        }
    }

    @Test func `what Organizations tells of customers is for Membership alone`() async throws {
        for service in ["partners", "branding", "gateway"] {
            let status = try await refusal { try await resolve("a@x.example", as: service) }
            #expect(status.code == .permissionDenied, "\(service)")
        }
        let person = try await refusal {
            try await SignUpRulesClient(channel).resolveSignUp(
                ResolveSignUpRequest(email: "a@x.example"))
        }
        let stranger = try await refusal {
            try await SignUpRulesClient(here.strangeChannel()).resolveSignUp(
                ResolveSignUpRequest(email: "a@x.example"))
        }
        #expect(person.code == .permissionDenied && stranger.code == .unauthenticated)
    }

    @Test func `a founder's organization may leave out category and country`() async throws {
        let membership = OrganizationsClient(try here.channel(of: "membership"))
        let ids = (0..<2).map { _ in (here.identifiers.next() as OrganizationID).text }

        let plain = try await membership.prepareOrganization(
            PrepareOrganizationRequest(id: ids[0], title: "Plain", origin: .signup))
        let full = try await membership.prepareOrganization(
            PrepareOrganizationRequest(
                id: ids[1], title: "Full", category: .academicK12, country: "GB",
                origin: .signup, description: "A school", kind: .school))
        let sale = try await refusal {
            try await membership.prepareOrganization(
                PrepareOrganizationRequest(
                    id: (here.identifiers.next() as OrganizationID).text, title: "Sale",
                    origin: .sale))
        }

        #expect(plain.category == .businessCompany && plain.categorySource == .default)
        #expect(plain.country.isEmpty && plain.origin == .signup)
        #expect(full.category == .academicK12 && full.categorySource == .chosen)
        #expect(full.country == "GB" && full.description == "A school" && full.kind == .school)
        #expect(sale.invalidFields == ["category", "country"])
    }
}
