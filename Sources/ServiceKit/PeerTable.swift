internal import Access
internal import Messages
internal import RPC
internal import RPCServices
internal import RPCTransport

/// Which process of an installation may call what, by the name in its certificate.
///
/// Every peer may ask for health and reflection. The table says who may knock; what a caller may do
/// is decided by each service, from the principal.
enum PeerTable {
    /// The program for people at a terminal.
    static let operatorTool = "guildhall"

    /// Who may call a service; nobody when it is none of ours.
    static func policy(of service: String) -> PeerPolicy {
        switch service {
        case "organizations":
            let workflow = [
                OrganizationsMethods.prepareOrganization, OrganizationsMethods.commitOrganization,
                OrganizationsMethods.cancelPreparation,
            ]
            return policy(
                of: ServiceMethods.organizations,
                feed: [OrganizationsMethods.watch, OrganizationsMethods.getFeedHead],
                between: [
                    "partners": workflow,
                    "membership": workflow + [
                        OrganizationsMethods.resolveEmail, CustomUrlsMethods.resolveCustomUrl,
                        SignUpRulesMethods.resolveSignUp,
                        OrganizationsMethods.provisionOrganization,
                    ],
                    "branding": [CustomUrlsMethods.resolveCustomUrl],
                ], notForGateway: workflow + SignUpRulesMethods.all)
        case "membership":
            let workflow = [MembershipMethods.grantSeats, MembershipMethods.cancelSeatGrant]
            let organizations = [
                MembershipMethods.awaitTree, MembershipMethods.moveSubtree,
                MembershipMethods.cancelSubtreeMove, MembershipMethods.restoreSubtree,
                MembershipMethods.cancelSubtreeRestore, MembershipMethods.listMemberCounts,
                MembershipMethods.listUnaffiliatedUsers, MembershipMethods.admitUsers,
                MembershipMethods.listMailAddresses,
            ]
            return policy(
                of: ServiceMethods.membership,
                feed: [MembershipMethods.watch, MembershipMethods.getFeedHead],
                between: ["partners": workflow, "organizations": organizations],
                notForGateway: workflow + organizations)
        case "partners":
            let previews = [
                PartnersMethods.previewAssignment, OrganizationModulesMethods.previewModules,
            ]
            return policy(
                of: ServiceMethods.partners,
                feed: [PartnersMethods.watch, PartnersMethods.getFeedHead],
                between: ["organizations": previews], notForGateway: previews)
        case "branding":
            let workflow = [BrandingMethods.prepareAppearance, BrandingMethods.cancelAppearance]
            return policy(
                of: BrandingMethods.all,
                feed: [BrandingMethods.watch, BrandingMethods.getFeedHead],
                between: [
                    "partners": workflow,
                    "organizations": [
                        BrandingMethods.previewAppearance, BrandingMethods.getAppearance,
                    ],
                ], notForGateway: workflow + [BrandingMethods.previewAppearance])
        case "gateway":
            let services = [
                ServiceMethods.organizations, ServiceMethods.membership,
                ServiceMethods.partners, BrandingMethods.all,
            ]
            return PeerPolicy([
                operatorTool: Set(services.joined().map(\.path) + [introspection])
            ])
        default: return PeerPolicy([operatorTool: [introspection]])
        }
    }

    /// What every server tells those who operate it, and nobody else.
    private static let introspection = ServiceIntrospection.serviceName

    private static func policy(
        of methods: [MethodDescriptor], feed: [MethodDescriptor],
        between services: [String: [MethodDescriptor]] = [:],
        notForGateway: [MethodDescriptor] = []
    ) -> PeerPolicy {
        var grants = services.mapValues { Set($0.map(\.path)) }
        for follower in ServiceTable.services(for: .followFeed) {
            grants[follower, default: []].formUnion(feed.map(\.path))
        }
        let forGateway = Set(methods.map(\.path)).subtracting(notForGateway.map(\.path))
        grants["gateway", default: []].formUnion(forGateway)
        grants[operatorTool, default: []].formUnion([
            introspection, ServiceOperations.serviceName, MailsMethods.listMails.service,
        ])
        return PeerPolicy(grants)
    }
}
