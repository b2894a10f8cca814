import Messages
import RPC
import ServiceKit

/// One of the four services behind the gateway.
enum Backend: String, Sendable, Hashable, CaseIterable {
    case organizations, membership, partners, branding

    /// The methods that the service has.
    var methods: [MethodDescriptor] {
        switch self {
        case .organizations: ServiceMethods.organizations
        case .membership: ServiceMethods.membership
        case .partners: ServiceMethods.partners
        case .branding: BrandingMethods.all
        }
    }

    /// The service that has a method.
    init?(of method: MethodDescriptor) {
        guard let found = Self.byService[method.service] else { return nil }
        self = found
    }

    private static let byService: [String: Backend] = {
        var result: [String: Backend] = [:]
        for upstream in allCases {
            for method in upstream.methods { result[method.service] = upstream }
        }
        return result
    }()
}

/// The channels to the four services.
struct Upstreams: Sendable {
    let organizations: any Channel
    let membership: any Channel
    let partners: any Channel
    let branding: any Channel

    /// The channel to a service.
    subscript(upstream: Backend) -> any Channel {
        switch upstream {
        case .organizations: organizations
        case .membership: membership
        case .partners: partners
        case .branding: branding
        }
    }
}
