import Access
import Messages
import RPC
import RPCTesting
import ServiceKit
import Storage
import Testing

@testable import Partners

// What tests ask of the catalog, of modules and of subscriptions.

extension Bench {
    /// Puts an organization into the tree, or tells of a change of it.
    func tell(
        _ id: OrganizationID, below parent: OrganizationID? = nil,
        type: OrganizationTypeID? = nil, status: OrganizationStatus = .active,
        archived: Bool = false
    ) {
        neighbours.change { world in
            world.publish(
                OrganizationNode(
                    id: id.text, parentID: parent?.text ?? "", title: "Organization",
                    status: status, origin: .manual, archived: archived,
                    typeID: type?.text ?? ""))
        }
    }

    /// Tells of a type that begins with modules; nil: with all.
    func tell(_ type: OrganizationTypeID, modules: [String]?, removed: Bool = false) {
        neighbours.change { world in
            world.publish(
                OrganizationType(
                    id: type.text, name: "Type",
                    access: OrganizationTypeAccess(
                        defaultModules: modules.map { ModuleSelection(moduleIDs: $0) }),
                    removed: removed))
        }
    }

    /// A person with one role at an organization.
    func person(_ role: Access.Role, at organization: OrganizationID) -> TestCaller {
        .person(identifiers.next(), [Access.Grant(role, at: organization)])
    }
}

extension Life {
    var catalog: CatalogClient { CatalogClient(InProcessChannel(router)) }
    var modules: OrganizationModulesClient { OrganizationModulesClient(InProcessChannel(router)) }
    var subscriptions: SubscriptionsClient { SubscriptionsClient(InProcessChannel(router)) }

    /// Returns once everything that was told by now is applied.
    func catchUp() async throws {
        let nobody: OrganizationID = bench.identifiers.next()
        await expect(refusing: "not_found") { try await self.modules(of: nobody) }
    }

    func module(
        _ name: String, chapters: [String] = [], by caller: TestCaller = .owner
    ) async throws -> Messages.Module {
        try await catalog.createModule(
            CreateModuleRequest(
                name: name, chapters: chapters.map { Messages.Chapter(title: $0) }),
            options: options(caller))
    }

    func course(
        _ name: String, in module: Messages.Module, chapter: Int? = nil,
        by caller: TestCaller = .owner
    ) async throws -> Messages.Course {
        try await catalog.createCourse(
            CreateCourseRequest(
                name: name, moduleID: module.id,
                chapterID: chapter.map { module.chapters[$0].id } ?? ""),
            options: options(caller))
    }

    func update(
        _ module: Messages.Module, _ paths: String..., by caller: TestCaller = .owner
    ) async throws -> Messages.Module {
        try await catalog.updateModule(
            UpdateModuleRequest(
                module: module, updateMask: paths.isEmpty ? nil : FieldMask(paths: paths)),
            options: options(caller))
    }

    func update(
        _ course: Messages.Course, _ paths: String..., by caller: TestCaller = .owner
    ) async throws -> Messages.Course {
        try await catalog.updateCourse(
            UpdateCourseRequest(
                course: course, updateMask: paths.isEmpty ? nil : FieldMask(paths: paths)),
            options: options(caller))
    }

    func now(_ module: Messages.Module) async throws -> Messages.Module {
        try await catalog.getModule(GetModuleRequest(id: module.id), options: options())
    }

    func delete(_ module: Messages.Module, by caller: TestCaller = .owner) async throws {
        _ = try await catalog.deleteModule(
            DeleteModuleRequest(id: module.id), options: options(caller))
    }

    func delete(_ course: Messages.Course, by caller: TestCaller = .owner) async throws {
        _ = try await catalog.deleteCourse(
            DeleteCourseRequest(id: course.id), options: options(caller))
    }

    func modules(
        of organization: OrganizationID, by caller: TestCaller = .owner
    ) async throws -> OrganizationModuleSet {
        try await modules.getOrganizationModules(
            GetOrganizationModulesRequest(organizationID: organization.text),
            options: options(caller))
    }

    /// Sets the modules of an organization; nil takes the setting away.
    @discardableResult
    func set(
        _ grants: [Messages.ModuleGrant]?, at organization: OrganizationID,
        by caller: TestCaller = .owner, key: String? = nil, ifMatch etag: String? = nil
    ) async throws -> OrganizationModuleSet {
        var options = try options(caller, key: key)
        options.metadata[text: MetadataKey.ifMatch] = etag
        return try await modules.setOrganizationModules(
            SetOrganizationModulesRequest(
                organizationID: organization.text,
                own: grants.map { ModuleGrants(modules: $0) }), options: options)
    }

    func subscribe(
        _ organization: OrganizationID, to courses: [Messages.Course] = [],
        by caller: TestCaller = .owner
    ) async throws -> Messages.Subscription {
        try await subscriptions.createSubscription(
            CreateSubscriptionRequest(
                organizationID: organization.text, plan: "Everything",
                courseIDs: courses.map(\.id)), options: options(caller))
    }

    func subscription(
        of organization: OrganizationID, by caller: TestCaller = .owner
    ) async throws -> Messages.Subscription {
        try await subscriptions.getSubscription(
            GetSubscriptionRequest(organizationID: organization.text), options: options(caller))
    }

    func cancelSubscription(
        of organization: OrganizationID, by caller: TestCaller = .owner
    ) async throws -> Messages.Subscription {
        try await subscriptions.cancelSubscription(
            CancelSubscriptionRequest(organizationID: organization.text),
            options: options(caller))
    }

    @discardableResult
    func pay(
        _ payment: String, for organization: OrganizationID, until day: String,
        by caller: TestCaller = .owner, key: String? = nil
    ) async throws -> Messages.Subscription {
        try await subscriptions.completePayment(
            CompletePaymentRequest(
                paymentID: payment, organizationID: organization.text, periodEnd: day),
            options: options(caller, key: key))
    }

    /// The last events of a kind in the feed of this service, in their order.
    func told<Body: Message>(_ kind: Body.Type, named name: String) async throws -> [Body] {
        try await database.feed.events(after: 0, limit: 1_000).filter { $0.kind == name }
            .map { try Body(decoding: $0.body) }
    }

    /// Expects that recomputing everything finds nothing that differs.
    func expectSound(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await database.verify(verifiers) { findings in
            #expect(
                findings.differences.isEmpty, "\(findings.name)", sourceLocation: sourceLocation)
        }
    }
}

extension Messages.ModuleGrant {
    /// A whole module, or chapters of it by their positions.
    static func of(_ module: Messages.Module, chapters: Int...) -> Messages.ModuleGrant {
        Messages.ModuleGrant(
            moduleID: module.id, chapterIDs: chapters.map { module.chapters[$0].id })
    }
}

extension OrganizationModuleSet {
    /// What may be used, in short: names, with the number of chapters where not all may be.
    var short: [String] {
        effective.map { $0.whole ? $0.name : "\($0.name) \($0.chapterIDs.count)" }
    }
}
