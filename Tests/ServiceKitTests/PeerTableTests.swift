import Messages
import RPC
import Testing

@testable import RPCTransport
@testable import ServiceKit

/// Who may call what, by the name in its certificate.
@Suite struct `The table of peers` {
    private static let peers = [
        "organizations", "membership", "partners", "branding", "gateway", "guildhall",
    ]

    @Test(arguments: [
        ("organizations", SignUpRulesMethods.resolveSignUp, ["membership"]),
        ("organizations", OrganizationsMethods.commitOrganization, ["membership", "partners"]),
        ("membership", SignUpsMethods.verifyEmail, ["gateway"]),
        ("membership", MembershipMethods.moveSubtree, ["organizations"]),
        ("membership", MembershipMethods.cancelSubtreeMove, ["organizations"]),
        ("membership", MembershipMethods.cancelSubtreeRestore, ["organizations"]),
        ("branding", BrandingMethods.previewAppearance, ["organizations"]),
        ("branding", BrandingMethods.getAppearance, ["organizations", "gateway"]),
        ("branding", BrandingMethods.prepareAppearance, ["partners"]),
        ("branding", BrandingMethods.updateAppearance, ["gateway"]),
        ("partners", PartnersMethods.previewAssignment, ["organizations"]),
        ("partners", PartnersMethods.getPartner, ["gateway"]),
        ("organizations", OrganizationsMethods.provisionOrganization, ["membership", "gateway"]),
        ("membership", ApiKeysMethods.createApiKey, ["gateway"]),
        ("membership", MemberAccessMethods.getMemberAccess, ["gateway"]),
        ("membership", SeatTypesMethods.createSeatType, ["gateway"]),
        (
            "partners", PartnersMethods.watch,
            ["organizations", "membership", "partners", "branding", "gateway"]
        ),
        ("membership", ProvisioningMethods.provisionMember, ["gateway"]),
        ("organizations", HooksMethods.createHook, ["gateway"]),
        ("organizations", MailsMethods.listMails, ["guildhall"]),
        ("membership", OperationsMethods.backup, ["guildhall"]),
    ])
    func `a method is for those who need it`(
        service: String, method: MethodDescriptor, callers: [String]
    ) throws {
        let policy = PeerTable.policy(of: service)

        let granted = try Self.peers.filter { name in
            let identity = try PeerIdentity(installation: "guildhall.test", name: name)
            return policy.grants(of: identity).include(method)
        }

        #expect(granted == callers)
    }
}
