import Messages
import Testing

@testable import Organizations

/// What is set at an organization beside its title: kind, sales representative and services.
struct DetailTests {
    @Test func `a kind, a sales representative and services are set, changed and taken away`()
        async throws
    {
        let owner = try Installation().platformOwner()

        let made = try await owner.createOrganization(
            .arena(
                kind: .lanCenter, salesRepEmail: "Ann@Sales.EXAMPLE",
                services: ["shop", "booking"]))
        let changed = try await owner.updateOrganization(
            UpdateOrganizationRequest(
                organization: Organization(
                    id: made.id, kind: .university, salesRepEmail: "bob@sales.example",
                    services: ["booking"])))
        let cleared = try await owner.updateOrganization(
            UpdateOrganizationRequest(
                organization: Organization(id: made.id),
                updateMask: FieldMask(paths: ["kind", "sales_rep_email", "services"])))
        let found = try await owner.getOrganization(GetOrganizationRequest(id: made.id))

        #expect(made.kind == .lanCenter)
        // The domain of an address is folded, its name is the other side's.
        #expect(made.salesRepEmail == "Ann@sales.example")
        #expect(Set(made.services) == ["shop", "booking"])
        #expect(changed.kind == .university && changed.title == "Arena")
        #expect(changed.salesRepEmail == "bob@sales.example" && changed.services == ["booking"])
        #expect(cleared.kind == .unspecified && cleared.salesRepEmail.isEmpty)
        #expect(cleared.services.isEmpty && found == cleared)
    }

    @Test func `every kind of the API is kept`() async throws {
        let owner = try Installation().platformOwner()

        for number in Int32(1)...6 {
            let kind = OrganizationKind(rawValue: number)
            var request = CreateOrganizationRequest.arena(kind: kind)
            request.title = "Kind \(number)"
            let made = try await owner.createOrganization(request)
            #expect(made.kind == kind)
        }
    }

    @Test func `what is no kind, no address or no service is refused, each by its field`()
        async throws
    {
        let owner = try Installation().platformOwner()

        let refused = try await refusal {
            try await owner.createOrganization(
                .arena(
                    kind: OrganizationKind(rawValue: 7), salesRepEmail: "ann.sales.example",
                    services: ["Not one"]))
        }

        #expect(Set(refused.invalidFields) == ["kind", "sales_rep_email", "services"])
    }

    @Test(arguments: ["müller@x.org", "a..b@x.org", ".a@x.org", "a.@x.org"])
    func `a sales representative is somebody who can be mailed`(address: String) async throws {
        let owner = try Installation().platformOwner()

        let refused = try await refusal {
            try await owner.createOrganization(.arena(kind: .lanCenter, salesRepEmail: address))
        }

        #expect(refused.invalidFields == ["sales_rep_email"])
    }
}

extension CreateOrganizationRequest {
    fileprivate static func arena(
        kind: OrganizationKind, salesRepEmail: String = "", services: [String] = []
    ) -> CreateOrganizationRequest {
        var request = named("Arena")
        request.kind = kind
        request.salesRepEmail = salesRepEmail
        request.services = services
        return request
    }
}
