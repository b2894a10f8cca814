import Access
import Messages
import ServiceKit

// What is asked about the modules and the subscription of an organization, checked field by field.

/// The modules of an organization as they were asked for.
struct ModuleSetOrder: Sendable, Hashable {
    let organization: OrganizationID
    /// Nil takes the setting away.
    let grants: [ModuleGrant]?

    init(_ request: SetOrganizationModulesRequest) throws(Refusal) {
        var check = FieldCheck()
        let organization: OrganizationID? = check.identifier(
            request.organizationID, "organization_id")
        var grants: [ModuleGrant]?
        if let own = request.own { grants = check.grants(own.modules) }
        try check.finish()
        guard let organization else { preconditionFailure("a field that is wrong was refused") }
        self.organization = organization
        self.grants = grants
    }
}

/// A subscription as it was asked for.
struct SubscriptionOrder: Sendable, Hashable {
    let organization: OrganizationID
    let plan: String
    let courses: [CourseID]

    init(_ request: CreateSubscriptionRequest) throws(Refusal) {
        var check = FieldCheck()
        let organization: OrganizationID? = check.identifier(
            request.organizationID, "organization_id")
        let plan = check.name(request.plan, "plan")
        let courses: [CourseID] = check.identifiers(
            request.courseIDs, "course_ids", atMost: SubscriptionLimits.coursesMax)
        try check.finish()
        guard let organization, let plan else {
            preconditionFailure("a field that is wrong was refused")
        }
        self.organization = organization
        self.plan = plan.text
        self.courses = courses
    }
}

extension SubscriptionChange {
    /// What a request changes.
    init(_ request: UpdateSubscriptionRequest, isImplied: Bool) throws(Refusal) {
        let asked = request.subscription ?? Messages.Subscription()
        var present: Set<SubscriptionField> = []
        if !asked.plan.isEmpty { present.insert(.plan) }
        if !asked.courseIDs.isEmpty { present.insert(.courses) }
        let fields = try SubscriptionField.named(
            request.updateMask?.paths ?? [], present: present, isImplied: isImplied)
        var check = FieldCheck()
        if fields.contains(.plan) { plan = check.name(asked.plan, "subscription.plan")?.text }
        if fields.contains(.courses) {
            courses = check.identifiers(
                asked.courseIDs, "subscription.course_ids", atMost: SubscriptionLimits.coursesMax)
        }
        try check.finish()
    }
}

extension Payment {
    /// The payment that a request tells of.
    init(_ request: CompletePaymentRequest) throws(Refusal) {
        var check = FieldCheck()
        let id = check.paymentName(request.paymentID)
        let organization: OrganizationID? = check.identifier(
            request.organizationID, "organization_id")
        let periodEnd = check.require(
            CalendarDay(text: request.periodEnd), "period_end",
            "The last day that is paid for is written as YYYY-MM-DD.")
        try check.finish()
        guard let id, let organization, let periodEnd else {
            preconditionFailure("a field that is wrong was refused")
        }
        self.init(id: id, organization: organization, periodEnd: periodEnd)
    }
}

extension FieldCheck {
    /// How a payment is called, in the form in which it is kept.
    fileprivate mutating func paymentName(_ text: String) -> String? {
        let most = SubscriptionLimits.paymentCharactersMax
        // What is wrong with it is said in one sentence, whatever it is.
        let name = try? Text.accept(text, field: "payment_id", lengths: 1...most)
        return require(
            name, "payment_id",
            "A payment has a name of 1 to \(most) characters, none of them a control character.")
    }

    /// The modules in a request, each once, with chapters that are each there once.
    fileprivate mutating func grants(_ given: [Messages.ModuleGrant]) -> [ModuleGrant] {
        let most = ModuleSetLimits.modulesMax
        expect(given.count <= most, "own.modules", "There can be at most \(most) here.")
        let chapterCount = given.reduce(0) { $0 + $1.chapterIDs.count }
        expect(
            chapterCount <= ModuleSetLimits.chaptersMax, "own.modules",
            "All modules together can name at most \(ModuleSetLimits.chaptersMax) chapters.")
        var grants: [ModuleGrant] = []
        var seen: Set<ModuleID> = []
        for (index, grant) in given.prefix(most).enumerated() {
            let place = "own.modules[\(index)]"
            let chapters: [ChapterID] = identifiers(
                grant.chapterIDs, "\(place).chapter_ids", atMost: CatalogLimits.chaptersMax)
            guard let module: ModuleID = identifier(grant.moduleID, "\(place).module_id") else {
                continue
            }
            expect(seen.insert(module).inserted, "\(place).module_id", "This is here twice.")
            grants.append(ModuleGrant(module: module, chapters: chapters))
        }
        return grants
    }
}
