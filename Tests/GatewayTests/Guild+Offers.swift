import Access
import Messages
import RPC
import ServiceKit

@testable import Gateway

// What the guild's platform offers: modules, courses, types of seats and licenses, subscriptions.

extension Guild {
    static let algebra = ModuleID(millisecondsSince1970: 11, random: (1, 1)).text
    static let botany = ModuleID(millisecondsSince1970: 12, random: (1, 1)).text
    static let sets = ChapterID(millisecondsSince1970: 13, random: (1, 1)).text
    static let rings = ChapterID(millisecondsSince1970: 14, random: (1, 1)).text
    static let course = CourseID(millisecondsSince1970: 15, random: (1, 1)).text
    static let seatType = SeatTypeID(millisecondsSince1970: 16, random: (1, 1)).text
    static let licenseType = LicenseTypeID(millisecondsSince1970: 17, random: (1, 1)).text
    static let type = OrganizationTypeID(millisecondsSince1970: 18, random: (1, 1)).text

    struct Offers {
        var modules = [
            Module(
                id: Guild.algebra, name: "Algebra <1>",
                chapters: [
                    Chapter(id: Guild.sets, title: "Sets"),
                    Chapter(id: Guild.rings, title: "Rings"),
                ], etag: "m1"),
            Module(id: Guild.botany, name: "Botany", etag: "m1"),
        ]
        var courses = [
            Course(
                id: Guild.course, name: "First steps", moduleID: Guild.algebra,
                chapterID: Guild.sets, etag: "k1")
        ]
        var seatType = SeatType(
            id: Guild.seatType, name: "Standard seat", courseIDs: [Guild.course], isDefault: true,
            etag: "t1")
        var licenseType = LicenseType(id: Guild.licenseType, name: "Basics", etag: "l1")
        var type = OrganizationType(
            id: Guild.type, name: "K-12 <type>", visibility: .public,
            access: OrganizationTypeAccess(signupAllowed: true), etag: "o1")
        var set = OrganizationModuleSet(
            organizationID: Guild.school, unrestricted: true, etag: "g1")
        var subscription: Subscription?
        /// What the last change asked for.
        var askedType = UpdateOrganizationTypeRequest()
        var madeType = CreateOrganizationTypeRequest()
        var askedModule = UpdateModuleRequest()
        var madeModule = CreateModuleRequest()
        var askedCourse = UpdateCourseRequest()
        var askedSeat = UpdateSeatTypeRequest()
        var askedSubscription = UpdateSubscriptionRequest()
        var madeSubscription = CreateSubscriptionRequest()
        /// What every list and every question ends in.
        var refusal: Status?
    }

    private func offers<Reply: Sendable>(_ body: (inout Offers) -> Reply) throws -> Reply {
        if let refusal = with({ $0.offers.refusal }) { throw refusal }
        return with { body(&$0.offers) }
    }

    /// Makes a change of a record whose version is at a place.
    private func changeOffer<Reply: Message>(
        _ name: String, _ context: CallContext,
        _ tag: WritableKeyPath<Offers, String>? = nil,
        _ body: (inout Offers) -> Reply
    ) throws -> Reply {
        try change(name, context) { state in
            if let tag { try Self.require(state.offers[keyPath: tag], context) }
            let reply = body(&state.offers)
            if let tag { state.offers[keyPath: tag] += "+" }
            return reply
        }
    }

    var types: [RegisteredMethod] {
        [
            serve(OrganizationTypesMethods.listOrganizationTypes) {
                (_: ListOrganizationTypesRequest, _) throws -> ListOrganizationTypesReply in
                try self.offers {
                    ListOrganizationTypesReply(organizationTypes: [$0.type], totalSize: 1)
                }
            },
            serve(OrganizationTypesMethods.getOrganizationType) {
                (_: GetOrganizationTypeRequest, _) throws -> OrganizationType in
                try self.offers { $0.type }
            },
            serve(OrganizationTypesMethods.createOrganizationType) {
                (request: CreateOrganizationTypeRequest, context) throws -> OrganizationType in
                try self.changeOffer("make type", context) {
                    $0.madeType = request
                    return OrganizationType(id: Self.type, name: request.name)
                }
            },
            serve(OrganizationTypesMethods.updateOrganizationType) {
                (request: UpdateOrganizationTypeRequest, context) throws -> OrganizationType in
                try self.changeOffer("change type", context, \.type.etag) {
                    $0.askedType = request
                    return $0.type
                }
            },
            serve(OrganizationTypesMethods.deleteOrganizationType) {
                (_: DeleteOrganizationTypeRequest, context) throws -> DeleteOrganizationTypeReply in
                try self.changeOffer("delete type", context, \.type.etag) { _ in
                    DeleteOrganizationTypeReply()
                }
            },
            serve(SeatTypesMethods.listSeatTypes) {
                (_: ListSeatTypesRequest, _) throws -> ListSeatTypesReply in
                try self.offers { ListSeatTypesReply(seatTypes: [$0.seatType], totalSize: 1) }
            },
            serve(SeatTypesMethods.getSeatType) {
                (_: GetSeatTypeRequest, _) throws -> SeatType in try self.offers { $0.seatType }
            },
            serve(SeatTypesMethods.createSeatType) {
                (request: CreateSeatTypeRequest, context) throws -> SeatType in
                try self.changeOffer("make seat type \(request.name)", context) { $0.seatType }
            },
            serve(SeatTypesMethods.updateSeatType) {
                (request: UpdateSeatTypeRequest, context) throws -> SeatType in
                try self.changeOffer("change seat type", context, \.seatType.etag) {
                    $0.askedSeat = request
                    return $0.seatType
                }
            },
            serve(LicenseTypesMethods.listLicenseTypes) {
                (_: ListLicenseTypesRequest, _) throws -> ListLicenseTypesReply in
                try self.offers { ListLicenseTypesReply(licenseTypes: [$0.licenseType]) }
            },
            serve(LicenseTypesMethods.getLicenseType) {
                (_: GetLicenseTypeRequest, _) throws -> LicenseType in
                try self.offers { $0.licenseType }
            },
            serve(LicenseTypesMethods.createLicenseType) {
                (request: CreateLicenseTypeRequest, context) throws -> LicenseType in
                let name = "make license type \(request.name): \(request.courseIDs.count)"
                return try self.changeOffer(name, context) { $0.licenseType }
            },
            serve(LicenseTypesMethods.deleteLicenseType) {
                (_: DeleteLicenseTypeRequest, context) throws -> DeleteLicenseTypeReply in
                try self.changeOffer("delete license type", context, \.licenseType.etag) { _ in
                    DeleteLicenseTypeReply()
                }
            },
        ]
    }

    var catalog: [RegisteredMethod] {
        [
            serve(CatalogMethods.listModules) {
                (_: ListModulesRequest, _) throws -> ListModulesReply in
                try self.offers { ListModulesReply(modules: $0.modules, totalSize: 2) }
            },
            serve(CatalogMethods.getModule) { (request: GetModuleRequest, _) throws -> Module in
                let found = try self.offers { $0.modules.first { $0.id == request.id } }
                guard let found else { throw Status.notFound("There is no such module.") }
                return found
            },
            serve(CatalogMethods.createModule) {
                (request: CreateModuleRequest, context) throws -> Module in
                try self.changeOffer("make module", context) {
                    $0.madeModule = request
                    return $0.modules[0]
                }
            },
            serve(CatalogMethods.updateModule) {
                (request: UpdateModuleRequest, context) throws -> Module in
                try self.changeOffer("change module", context, \.modules[0].etag) {
                    $0.askedModule = request
                    return $0.modules[0]
                }
            },
            serve(CatalogMethods.listCourses) {
                (request: ListCoursesRequest, _) throws -> ListCoursesReply in
                try self.offers { offers in
                    ListCoursesReply(
                        courses: offers.courses.filter {
                            request.moduleID.isEmpty || $0.moduleID == request.moduleID
                        })
                }
            },
            serve(CatalogMethods.getCourse) { (_: GetCourseRequest, _) throws -> Course in
                try self.offers { $0.courses[0] }
            },
            serve(CatalogMethods.createCourse) {
                (request: CreateCourseRequest, context) throws -> Course in
                let place = request.chapterID == Self.sets ? " in sets" : ""
                return try self.changeOffer("make course \(request.name)\(place)", context) {
                    $0.courses[0]
                }
            },
            serve(CatalogMethods.updateCourse) {
                (request: UpdateCourseRequest, context) throws -> Course in
                try self.changeOffer("change course", context, \.courses[0].etag) {
                    $0.askedCourse = request
                    return $0.courses[0]
                }
            },
            serve(CatalogMethods.deleteCourse) {
                (_: DeleteCourseRequest, context) throws -> DeleteCourseReply in
                try self.changeOffer("delete course", context, \.courses[0].etag) { _ in
                    DeleteCourseReply()
                }
            },
        ]
    }

    var given: [RegisteredMethod] {
        [
            serve(OrganizationModulesMethods.getOrganizationModules) {
                (_: GetOrganizationModulesRequest, _) throws -> OrganizationModuleSet in
                self.with { $0.offers.set }
            },
            serve(OrganizationModulesMethods.setOrganizationModules) {
                (request: SetOrganizationModulesRequest, context) throws -> OrganizationModuleSet in
                let name = request.own.map { "modules \($0.modules.count)" } ?? "no modules"
                return try self.changeOffer(name, context, \.set.etag) {
                    $0.set.own = request.own
                    return $0.set
                }
            },
            serve(SubscriptionsMethods.getSubscription) {
                (_: GetSubscriptionRequest, _) throws -> Subscription in
                guard let kept = self.with({ $0.offers.subscription }) else {
                    throw Status.notFound("There is no subscription.")
                }
                return kept
            },
            serve(SubscriptionsMethods.createSubscription) {
                (request: CreateSubscriptionRequest, context) throws -> Subscription in
                try self.changeOffer("begin \(request.plan)", context) {
                    $0.madeSubscription = request
                    let made = Subscription(plan: request.plan, state: .pendingPayment, etag: "s1")
                    $0.subscription = made
                    return made
                }
            },
            serve(SubscriptionsMethods.updateSubscription) {
                (request: UpdateSubscriptionRequest, context) throws -> Subscription in
                try self.changeOffer("change subscription", context, \.subscriptionTag) {
                    $0.askedSubscription = request
                    return $0.subscription ?? Subscription()
                }
            },
            serve(SubscriptionsMethods.cancelSubscription) {
                (_: CancelSubscriptionRequest, context) throws -> Subscription in
                try self.changeOffer("cancel subscription", context, \.subscriptionTag) {
                    $0.subscription?.state = .cancelled
                    return $0.subscription ?? Subscription()
                }
            },
        ]
    }
}

extension Guild.Offers {
    fileprivate var subscriptionTag: String {
        get { subscription?.etag ?? "" }
        set { subscription?.etag = newValue }
    }
}
