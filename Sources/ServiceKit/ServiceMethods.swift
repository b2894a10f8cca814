internal import Messages
public import RPC

/// The methods of each program, those that every program has left out.
public enum ServiceMethods {
    /// The methods of Organizations.
    public static let organizations: [MethodDescriptor] = Array(
        [
            OrganizationsMethods.all, OrganizationTypesMethods.all, EmailMasksMethods.all,
            CustomUrlsMethods.all, ContactsMethods.all, MemberDiscountsMethods.all,
            PlatformMethods.all, ImportsMethods.all, OrganizationWorkflowsMethods.all,
            SignUpRulesMethods.all, HooksMethods.all,
        ].joined())

    /// The methods of Membership.
    public static let membership: [MethodDescriptor] = Array(
        [
            MembershipMethods.all, SignUpsMethods.all, ApiKeysMethods.all, ProvisioningMethods.all,
            SignUpWorkflowsMethods.all, SeatTypesMethods.all, LicenseTypesMethods.all,
            MemberAccessMethods.all,
        ].joined())

    /// The methods of Partners.
    public static let partners: [MethodDescriptor] = Array(
        [
            PartnersMethods.all, CatalogMethods.all, OrganizationModulesMethods.all,
            SubscriptionsMethods.all,
        ].joined())
}
