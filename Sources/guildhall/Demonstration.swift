import Messages
import RPC

/// A small tenant to look at: a distributor, a school district at its members limit, a sale.
///
/// Every call carries a key made from its name, so that loading again after an interruption
/// continues instead of doubling.
struct Demonstration: Sendable {
    static let districtTitle = "Riverside School District"
    static let fullSchoolTitle = "Lincoln Elementary"
    /// The district's members limit; the two schools fill it by halves.
    static let membersLimit = 100
    /// Calls in flight while members are added.
    static let callsInFlightMax = 16

    let channel: any Channel
    let token: String

    func load() async throws {
        let distributor = try await create(
            "Northwind Learning", below: nil, .businessTrainingCenter)
        _ = try await partners.setDistributorDiscount(
            SetDistributorDiscountRequest(organizationID: distributor.id, basisPoints: 1_250),
            options: options("distributor-discount"))

        let district = try await create(Self.districtTitle, below: nil, .academicK12)
        _ = try await membership.updateCaps(
            UpdateCapsRequest(organizationID: district.id, members: Int64(Self.membersLimit)),
            options: options("district-limit"))
        _ = try await branding.updateAppearance(
            UpdateAppearanceRequest(
                organizationID: district.id,
                colors: Colors(primary: "#124a5c", secondary: "#40a0a0")),
            options: options("district-colors"))
        _ = try await branding.setLogo(
            SetLogoRequest(
                organizationID: district.id, image: PackageResources.riverside_logo_png),
            options: options("district-logo"))

        let lincoln = try await create(Self.fullSchoolTitle, below: district, .academicK12)
        let washington = try await create("Washington High", below: district, .academicK12)
        try await fill(lincoln, "lincoln", with: Self.membersLimit / 2)
        try await fill(washington, "washington", with: Self.membersLimit / 2)
        try await sell(below: district)
    }

    /// The school in which the next member is refused, when the demonstration is here.
    func fullSchool() async throws -> Organization? {
        guard let district = try await child(titled: Self.districtTitle, of: "") else { return nil }
        return try await child(titled: Self.fullSchoolTitle, of: district.id)
    }
}

extension Demonstration {
    private var organizations: OrganizationsClient { OrganizationsClient(channel) }
    private var membership: MembershipClient { MembershipClient(channel) }
    private var partners: PartnersClient { PartnersClient(channel) }
    private var branding: BrandingClient { BrandingClient(channel) }

    private func options(_ name: String? = nil) -> CallOptions {
        var options = CallOptions(timeout: .seconds(10))
        options.metadata[text: MetadataKey.authorization] = "Bearer \(token)"
        options.metadata[text: MetadataKey.idempotencyKey] = name.map { "demonstration-\($0)" }
        return options
    }

    private func create(
        _ title: String, below parent: Organization?, _ category: OrganizationCategory
    ) async throws -> Organization {
        let name = title.lowercased().replacing(" ", with: "-")
        return try await organizations.createOrganization(
            CreateOrganizationRequest(
                parentID: parent?.id ?? "", title: title, category: category, country: "US"),
            options: options("create-\(name)"))
    }

    private func child(titled title: String, of parent: String) async throws -> Organization? {
        let page = try await organizations.listOrganizations(
            ListOrganizationsRequest(parent: parent, pageSize: 500, q: title), options: options())
        return page.organizations.first { $0.title == title }
    }

    private func fill(
        _ school: Organization, _ domain: String, with count: Int
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...count {
                if number > Self.callsInFlightMax { try await group.next() }
                group.addTask {
                    let isTeacher = number % 10 == 1
                    _ = try await membership.addMember(
                        AddMemberRequest(
                            organizationID: school.id,
                            email: "person\(number)@\(domain).riverside.example",
                            name: "\(isTeacher ? "Teacher" : "Student") \(number)",
                            roles: [isTeacher ? .teacher : .student]),
                        options: options("\(domain)-\(number)"))
                }
            }
            try await group.waitForAll()
        }
    }

    private func sell(below district: Organization) async throws {
        let partner = try await partners.createPartner(
            CreatePartnerRequest(name: "Cascade Partners", region: ["US", "CA"]),
            options: options("partner"))
        let seat = try await partners.createProduct(
            CreateProductRequest(name: "Classroom seat", unitPriceMinor: 1_500, currency: "USD"),
            options: options("product"))
        let sale = try await partners.createSale(
            CreateSaleRequest(
                partnerID: partner.id,
                newOrganization: NewOrganization(
                    parentID: district.id, title: "Jefferson Middle School",
                    category: .academicK12, country: "US", colors: Colors(primary: "#8a3b12")),
                lines: [SaleLine(productID: seat.id, quantity: 25)]),
            options: options("sale"))
        _ = try await partners.registerSale(
            RegisterSaleRequest(id: sale.id), options: options("sale-register"))
        _ = try await partners.approveSale(
            ApproveSaleRequest(id: sale.id), options: options("sale-approve"))
    }
}
