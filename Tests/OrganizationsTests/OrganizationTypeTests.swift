import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Organizations

/// Organization types: who sets them up, who sees them, what organizations may be given them.
struct OrganizationTypeTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    private func types(_ grants: Access.Grant...) throws -> OrganizationTypesClient {
        OrganizationTypesClient(try installation.channel(grants))
    }

    private func staff() throws -> OrganizationTypesClient {
        try types(Access.Grant(.platformOwner))
    }

    @Test func `a type is answered as it was made`() async throws {
        let staff = try staff()
        let (module, course, license, seat): (ModuleID, CourseID, LicenseTypeID, SeatTypeID) = (
            installation.identifiers.next(), installation.identifiers.next(),
            installation.identifiers.next(), installation.identifiers.next()
        )
        let request = CreateOrganizationTypeRequest(
            name: "  School ", visibility: .private, defaultSeatTypeID: seat.text,
            access: OrganizationTypeAccess(
                signupAllowed: true, requiresApproval: true,
                defaultModules: ModuleSelection(moduleIDs: [module.text, module.text])),
            seatBenefits: SeatBenefits(
                owner: SeatBenefit(
                    takesSeat: true, licenseTypes: [license.text], courses: [course.text])))

        let created = try await staff.createOrganizationType(request)
        let read = try await staff.getOrganizationType(GetOrganizationTypeRequest(id: created.id))

        #expect(read == created)
        #expect(created.name == "School")
        #expect(created.visibility == .private)
        #expect(created.defaultSeatTypeID == seat.text)
        #expect(created.access?.signupAllowed == true && created.access?.requiresApproval == true)
        #expect(created.access?.defaultModules?.moduleIDs == [module.text])
        #expect(created.seatBenefits?.owner?.licenseTypes == [license.text])
        #expect(created.seatBenefits?.owner?.courses == [course.text])
        #expect(created.etag == "v1" && created.version == 1)
    }

    @Test func `where nothing is said owners take no seat, all modules are there, nobody signs up`()
        async throws
    {
        let type = try await staff().createOrganizationType(.init(name: "Plain"))

        #expect(type.visibility == .public)
        #expect(type.access?.signupAllowed == false && type.access?.defaultModules == nil)
        #expect(type.seatBenefits?.owner?.takesSeat == false)
        #expect(type.seatBenefits?.manager?.takesSeat == true)
        #expect(type.seatBenefits?.member?.takesSeat == true)
    }

    @Test func `no modules are something else than all`() async throws {
        let type = try await staff().createOrganizationType(
            .init(
                name: "Bare",
                access: OrganizationTypeAccess(defaultModules: ModuleSelection())))

        #expect(type.access?.defaultModules?.moduleIDs == [])
    }

    @Test func `names are unique however they are written`() async throws {
        let staff = try staff()
        _ = try await staff.createOrganizationType(.init(name: "Straße"))
        let other = try await staff.createOrganizationType(.init(name: "Other"))

        let created = try await refusal {
            try await staff.createOrganizationType(.init(name: " STRASSE"))
        }
        let updated = try await refusal {
            try await staff.updateOrganizationType(
                .init(organizationType: OrganizationType(id: other.id, name: "strasse")))
        }

        #expect(created.reason == "name_taken" && updated.reason == "name_taken")
    }

    @Test func `every wrong field is named`() async throws {
        let refused = try await refusal {
            try await staff().createOrganizationType(
                .init(
                    name: "", visibility: .init(rawValue: 9), defaultSeatTypeID: "x",
                    access: OrganizationTypeAccess(
                        defaultModules: ModuleSelection(moduleIDs: ["x"])),
                    seatBenefits: SeatBenefits(
                        member: SeatBenefit(licenseTypes: ["x"], courses: ["y"]))))
        }

        #expect(refused.message.hasPrefix("Please type a name."))
        #expect(
            refused.invalidFields == [
                "name", "visibility", "default_seat_type_id", "access.default_modules",
                "seat_benefits.member.license_types", "seat_benefits.member.courses",
            ])
    }

    @Test func `a mask changes what it names, and no more`() async throws {
        let staff = try staff()
        let type = try await staff.createOrganizationType(
            .init(
                name: "School",
                access: OrganizationTypeAccess(signupAllowed: true, requiresApproval: true),
                seatBenefits: SeatBenefits(owner: SeatBenefit(takesSeat: true))))

        let changed = try await staff.updateOrganizationType(
            .init(
                organizationType: OrganizationType(id: type.id, name: "X"),
                updateMask: FieldMask(paths: ["access.signup_allowed", "seat_benefits.owner"])))
        let whole = try await staff.updateOrganizationType(
            .init(
                organizationType: OrganizationType(id: type.id),
                updateMask: FieldMask(paths: ["access", "etag"])),
            options: .impliedMask)
        let answered = try await refusal {
            try await staff.updateOrganizationType(
                .init(
                    organizationType: OrganizationType(id: type.id),
                    updateMask: FieldMask(paths: ["access", "version"])))
        }
        let unknown = try await refusal {
            try await staff.updateOrganizationType(
                .init(
                    organizationType: OrganizationType(id: type.id),
                    updateMask: FieldMask(paths: ["seat_benefits.owner.takes_seat", "color"])))
        }

        #expect(changed.name == "School" && changed.version == 2)
        #expect(changed.access?.signupAllowed == false)
        #expect(changed.access?.requiresApproval == true)
        #expect(changed.seatBenefits?.owner?.takesSeat == false)
        #expect(whole.access?.requiresApproval == false)
        #expect(answered.invalidFields == ["update_mask"])
        #expect(answered.message.contains("“version”"))
        #expect(unknown.invalidFields == ["update_mask", "update_mask"])
    }

    @Test func `an entity tag guards a change`() async throws {
        let staff = try staff()
        let type = try await staff.createOrganizationType(.init(name: "One"))
        _ = try await staff.updateOrganizationType(
            .init(organizationType: OrganizationType(id: type.id, name: "Two", etag: type.etag)))

        let stale = try await refusal {
            try await staff.updateOrganizationType(
                .init(
                    organizationType: OrganizationType(id: type.id, name: "3", etag: type.etag)))
        }
        let same = try await staff.updateOrganizationType(
            .init(organizationType: OrganizationType(id: type.id, name: "Two")))

        #expect(stale.reason == "version_mismatch")
        #expect(same.version == 2)
    }

    @Test func `pages come by name, with their total`() async throws {
        let staff = try staff()
        for name in ["d", "B", "a", "C", "e"] {
            _ = try await staff.createOrganizationType(.init(name: name))
        }

        let first = try await staff.listOrganizationTypes(.init(pageSize: 3))
        let second = try await staff.listOrganizationTypes(
            .init(pageSize: 3, pageToken: first.nextPageToken))
        let forged = try await refusal {
            try await staff.listOrganizationTypes(.init(pageToken: "AAAA"))
        }

        #expect(first.organizationTypes.map(\.name) == ["a", "B", "C"])
        #expect(second.organizationTypes.map(\.name) == ["d", "e"])
        #expect(first.totalSize == 5 && second.nextPageToken.isEmpty)
        #expect(forged.reason == "page_token_invalid")
    }

    @Test(arguments: [
        (Access.Role.platformOwner, "changes"), (.globalAdmin, "changes"),
        (.platformAdmin, "sees all"), (.partner, "sees public"), (.reseller, "nothing"),
        (.owner, "nothing"), (.orgAdmin, "nothing"), (.member, "nothing"),
    ])
    func `who sees and who changes types`(role: Access.Role, right: String) async throws {
        let school = try await installation.platformOwner().create("School")
        let staff = try staff()
        let open = try await staff.createOrganizationType(.init(name: "Open"))
        let closed = try await staff.createOrganizationType(
            .init(name: "Closed", visibility: .private))
        let user = try types(Access.Grant(role, at: try school.organizationID))

        let list = await answer { try await user.listOrganizationTypes(.init()) }
        let get = await answer { try await user.getOrganizationType(.init(id: closed.id)) }
        let creation = await answer { try await user.createOrganizationType(.init(name: "New")) }
        let deletion = await answer { try await user.deleteOrganizationType(.init(id: open.id)) }

        let names = list?.organizationTypes.map(\.name)
        switch right {
        case "changes", "sees all": #expect(names == ["Closed", "Open"])
        case "sees public": #expect(names == ["Open"] && list?.totalSize == 1)
        default: #expect(names == nil)
        }
        #expect((get != nil) == ["changes", "sees all"].contains(right))
        #expect((creation != nil) == (right == "changes"))
        #expect((deletion != nil) == (right == "changes"))
    }

    @Test func `an organization is given a type that exists and that the caller may give`()
        async throws
    {
        let staff = try staff()
        let open = try await staff.createOrganizationType(.init(name: "Open"))
        let closed = try await staff.createOrganizationType(
            .init(name: "Closed", visibility: .private))
        let platform = try installation.platformOwner()
        let school = try await platform.create("School")
        let partner = try installation.user(Access.Grant(.partner, at: try school.organizationID))
        func creation(_ title: String, _ type: String) -> CreateOrganizationRequest {
            var request = CreateOrganizationRequest.named(title, below: school.id)
            request.typeID = type
            return request
        }

        let byPartner = try await partner.createOrganization(creation("A", open.id))
        let closedToPartner = try await refusal {
            try await partner.createOrganization(creation("B", closed.id))
        }
        let byStaff = try await platform.createOrganization(creation("B", closed.id))
        let unknown = try await refusal {
            try await platform.createOrganization(
                creation("C", OrganizationTypeID(high: 1, low: 2).text))
        }
        let update = try await refusal {
            try await partner.update(byPartner, paths: ["type_id"]) { $0.typeID = closed.id }
        }
        let kept = try await partner.update(byStaff, paths: ["type_id", "title"]) {
            $0.title = "Still"
        }

        #expect(byPartner.typeID == open.id && byStaff.typeID == closed.id)
        #expect(closedToPartner.invalidFields == ["type_id"])
        #expect(unknown.invalidFields == ["type_id"])
        #expect(update.invalidFields == ["organization.type_id"])
        #expect(closedToPartner.message == unknown.message)
        #expect(kept.typeID == closed.id && kept.title == "Still")
    }

    @Test func `a type in use stays, also for the archive`() async throws {
        let staff = try staff()
        let type = try await staff.createOrganizationType(.init(name: "School"))
        let platform = try installation.platformOwner()
        var request = CreateOrganizationRequest.named("A")
        request.typeID = type.id
        let school = try await platform.createOrganization(request)

        let used = try await refusal { try await staff.deleteOrganizationType(.init(id: type.id)) }
        _ = try await platform.delete(school)
        let archived = try await refusal {
            try await staff.deleteOrganizationType(.init(id: type.id))
        }
        let other = try await staff.createOrganizationType(.init(name: "Other"))
        _ = try await staff.deleteOrganizationType(.init(id: other.id))
        let gone = try await refusal {
            try await staff.getOrganizationType(.init(id: other.id))
        }
        _ = try await staff.createOrganizationType(.init(name: "Other"))

        #expect(used.reason == "type_in_use" && used.httpStatus == 409)
        #expect(archived.reason == "type_in_use")
        #expect(gone.reason == "not_found")
    }

    @Test func `other services are told`() async throws {
        let staff = try staff()
        let type = try await staff.createOrganizationType(.init(name: "School"))
        _ = try await staff.updateOrganizationType(
            .init(organizationType: OrganizationType(id: type.id, name: "Academy")))
        _ = try await staff.deleteOrganizationType(.init(id: type.id))
        _ = try await staff.createOrganizationType(.init(name: "Kept"))

        let told = try await installation.events(OrganizationType.self)

        #expect(told.map(\.name) == ["School", "Academy", "Academy", "Kept"])
        #expect(told.map(\.version) == [1, 2, 3, 1])
        #expect(told.map(\.removed) == [false, false, true, false])
        #expect(try await installation.findings().isEmpty)
    }

    @Test func `of fifty creations of one name at once exactly one succeeds`() async throws {
        let staff = try staff()

        let reasons = await outcomes(of: 50) { number in
            _ = try await staff.createOrganizationType(.init(name: "School"))
        }

        #expect(reasons.filter { $0 == nil }.count == 1)
        #expect(reasons.filter { $0 == "name_taken" }.count == 49)
    }

    @Test func `a repeated creation is one`() async throws {
        let staff = try staff()

        let first = try await staff.createOrganizationType(.init(name: "A"), options: .key("k"))
        let second = try await staff.createOrganizationType(.init(name: "A"), options: .key("k"))

        #expect(first == second)
        #expect(try await staff.listOrganizationTypes(.init()).totalSize == 1)
    }
}
