import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service: SignUpRulesService {
    func resolveSignUp(
        _ request: ResolveSignUpRequest, _ context: CallContext
    ) async throws -> ResolveSignUpReply {
        try context.require(.resolveSignUp)
        let address = try accept(request.email, field: "email", as: EmailAddress.init)
        let day = context.now.day
        return try await database.read { snapshot in
            guard
                let found = try snapshot.destination(
                    of: address.domain, over: request.customURL, on: day),
                let node = try snapshot.node(found.organization)
            else { return ResolveSignUpReply() }
            let line = try snapshot.line(of: node, on: day)
            let type = try node.details.type.flatMap { try snapshot.organizationType($0) }?.details
            let approval = try SignUpApproval.decide(
                type: type, isSwitchedOn: snapshot.platformSettings().values.signUpApproval
            ) {
                try snapshot.isCovered(address.domain, along: line)
            }
            return ResolveSignUpReply(
                organizationID: node.id.text, title: node.details.title.text,
                source: found.source, value: found.value,
                signUpAllowed: type?.allowsSignUp ?? true, approval: JoinApproval(approval))
        }
    }
}

/// Where somebody goes who signs up.
private struct Destination {
    let organization: OrganizationID
    let source: JoinSource
    /// The slug or the mask.
    let value: String
}

extension Reading {
    /// The organization that addresses of a domain join: that of the custom URL, if one was
    /// followed, else that of the strongest mask.
    ///
    /// - Throws: Why a custom URL leads nowhere: then no mask is asked.
    fileprivate func destination(
        of domain: Domain, over slug: String, on day: CalendarDay
    ) throws -> Destination? {
        guard slug.isEmpty else {
            let url = try enabledCustomURL(slug, on: day)
            return Destination(
                organization: url.organization, source: .customURL, value: url.slug)
        }
        return try organization(joinedFrom: domain).map { organization, mask in
            Destination(organization: organization, source: .emailMask, value: mask)
        }
    }
}

extension JoinApproval {
    fileprivate init(_ approval: SignUpApproval) {
        self =
            switch approval {
            case .notNeeded: .notNeeded
            case .noMask: .noMask
            case .typeRequires: .typeRequires
            }
    }
}
