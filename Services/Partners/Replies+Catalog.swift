import Access
import Messages
import ServiceKit
import Storage

// The messages in which the catalog, modules of organizations and subscriptions leave this service.

extension Messages.Module {
    init(_ module: Module, isRemoved: Bool = false) {
        self.init(
            id: module.id.text, name: module.name.text,
            chapters: module.chapters.map {
                Messages.Chapter(id: $0.id.text, title: $0.title.text)
            },
            createdAt: Timestamp(module.createdAt), updatedAt: Timestamp(module.updatedAt),
            version: module.version, etag: EntityTag.of(version: module.version),
            removed: isRemoved)
    }
}

extension Messages.Course {
    init(_ course: Course, isRemoved: Bool = false) {
        self.init(
            id: course.id.text, name: course.name.text, moduleID: course.module.text,
            chapterID: course.chapter?.text ?? "", createdAt: Timestamp(course.createdAt),
            updatedAt: Timestamp(course.updatedAt), version: course.version,
            etag: EntityTag.of(version: course.version), removed: isRemoved)
    }
}

extension OrganizationModuleSet {
    /// What is set at an organization, alone.
    init(_ own: OwnModules) {
        self.init(
            organizationID: own.organization.text,
            own: own.grants.map { grants in
                ModuleGrants(
                    modules: grants.map { grant in
                        Messages.ModuleGrant(
                            moduleID: grant.module.text, chapterIDs: grant.chapters.map(\.text))
                    })
            }, version: own.version, etag: EntityTag.of(version: own.version))
    }

    /// What is set at an organization, and what follows.
    ///
    /// It names those organizations that whoever asks has seen; of others that they restrict.
    init(
        _ own: OwnModules, scope: ModuleScope, usable: [UsableModule], seen: Set<OrganizationID>
    ) {
        self.init(own)
        unrestricted = scope.parts == nil
        effective = usable.map { module in
            ModuleAccess(
                moduleID: module.id.text, name: module.name.text, whole: module.isWhole,
                chapterIDs: module.chapters.map(\.text))
        }
        restrictedBy = scope.restrictions.map { restriction in
            let organization = restriction.organization
            return Messages.ModuleRestriction(
                organizationID: seen.contains(organization) ? organization.text : "",
                source: ModuleSource(restriction.source))
        }
    }
}

extension ModuleSource {
    fileprivate init(_ source: ModuleRestriction.Source) {
        self =
            switch source {
            case .own: .own
            case .type: .type
            }
    }
}

extension ModulePlace {
    /// What may be used at a place.
    init(_ scope: ModuleScope, usable: [UsableModule]) {
        self.init(
            moduleNames: usable.map(\.name.text), unrestricted: scope.parts == nil,
            organizationID: scope.restrictions.first?.organization.text ?? "")
    }
}

extension Messages.Subscription {
    /// A subscription as it stands on a day.
    init(_ subscription: Subscription, on day: CalendarDay) {
        self.init(
            id: subscription.id.text, organizationID: subscription.organization.text,
            plan: subscription.plan, courseIDs: subscription.courses.map(\.text),
            state: Messages.SubscriptionState(subscription.state(on: day)),
            periodEnd: subscription.periodEnd?.text ?? "",
            givesUntil: subscription.givesUntil.map { Int32($0.daysSince1970) },
            createdAt: Timestamp(subscription.createdAt),
            updatedAt: Timestamp(subscription.updatedAt),
            cancelledAt: subscription.cancelledAt.map { Timestamp($0) },
            version: subscription.version, etag: EntityTag.of(version: subscription.version))
    }
}

extension Messages.SubscriptionState {
    fileprivate init(_ state: SubscriptionState) {
        self =
            switch state {
            case .pendingPayment: .pendingPayment
            case .active: .active
            case .pastDue: .pastDue
            case .cancelled: .cancelled
            case .ended: .ended
            }
    }
}
