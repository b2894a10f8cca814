import Access
import Messages
import RPC
import ServiceKit
import Storage

/// The calls of Organizations, in the order of the proto.
struct Service: OrganizationsService {
    /// Of more organizations with one title only so many are looked at for a warning.
    static let namesakesMax = 100

    let database: Database
    let feed: FeedServer
    let identifiers: IdentifierSource
    let pageTokens: PageTokens
    let limits: Limits
    /// Proves that domains are their claimants'.
    let textRecords: any TextRecords
    let others: OtherServices
    /// What hooks may be.
    var hooks = HookRules()
    /// How many calls may wait for a hook.
    var hookPace = HookPace()

    func createOrganization(
        _ request: CreateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        let principal = try context.principal
        let parent = try OrganizationID.optional(
            requestText: request.parentID, field: "parent_id")
        let id: OrganizationID = identifiers.next()
        let now = context.now
        let (details, normalized) = try Details.new(DetailsInput(request), today: now.day)
        return try await database.command(context, request) { transaction in
            let above = try parent.map {
                try transaction.line(to: $0, seenBy: principal, on: now.day)
            }
            try principal.requireCreation(below: above)
            if details.isContractual {
                try principal.require(.setTypeTrialExpiry, at: above?.ids ?? [])
            }
            try transaction.requireAssignable(
                details.type, by: principal, at: above?.ids ?? [], field: "type_id")
            try above?.admitChild()
            try transaction.requireSettled(above)
            let node = Node(
                id: id, number: try transaction.nextNumber(), below: above, details,
                standing: .present, origin: principal.originOfCreation(below: above), at: now)
            try transaction.insert(node, below: above?.end.id, by: principal.scope)
            return Organization(
                node, in: Line(below: above, node.level, on: now.day),
                warnings: try transaction.warnings(about: node, for: principal, on: now.day),
                normalized: normalized)
        }
    }

    func getOrganization(
        _ request: GetOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        let principal = try context.principal
        let id = try OrganizationID(requestText: request.id, field: "id")
        let day = context.now.day
        return try database.readInline { snapshot in
            let (node, line) = try snapshot.organization(
                id, seenBy: principal, on: day, archive: .included)
            return Organization(node, in: line)
        }
    }

    func updateOrganization(
        _ request: UpdateOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        let principal = try context.principal
        let asked = request.organization ?? Organization()
        let id = try OrganizationID(requestText: asked.id, field: "organization.id")
        let input = DetailsInput(asked)
        let mask = try UpdateMask(
            naming: request.updateMask?.paths ?? [], in: input, isImplied: context.isMaskImplied)
        let change = try DetailsChange(input, fields: mask.fields)
        let now = context.now
        return try await database.command(context, request) { transaction in
            var (node, line) = try transaction.organization(id, seenBy: principal, on: now.day)
            let wish = Result { try change.applied(to: node.details, today: now.day) }
            // What is sent back as it was read needs no right of its own.
            let changed = try? wish.get().details.fields(differingFrom: node.details)
            try principal.requireEdit(of: changed ?? mask.fields, at: line)
            try context.requireMatch(version: node.version, etag: asked.etag)
            try mask.requireParent(asked.parentID, is: line.parents?.end.id)
            let (details, normalized) = try wish.get()
            if details.type != node.details.type {
                try transaction.requireAssignable(
                    details.type, by: principal, at: line.ids, field: "organization.type_id")
            }
            if !details.isWrittenLike(node.details) {
                try transaction.requireSettled(line)
                var next = node
                next.details = details
                node = try transaction.update(
                    next, from: node, below: line.parents?.end.id, at: now)
            }
            return Organization(
                node, in: line.replacing(node.level),
                warnings: change.title == nil
                    ? [] : try transaction.warnings(about: node, for: principal, on: now.day),
                normalized: normalized)
        }
    }

    func watch(
        _ request: WatchRequest, _ context: CallContext, _ replies: ReplyStream<WatchReply>
    ) async throws {
        try await feed.watch(request, context, replies)
    }

    func getFeedHead(
        _ request: GetFeedHeadRequest, _ context: CallContext
    ) async throws -> FeedHead {
        try feed.head(request, context)
    }
}

extension Service {
    /// Every method of this program.
    var methods: [[RegisteredMethod]] {
        [
            (self as any OrganizationsService).registeredMethods,
            (self as any OrganizationTypesService).registeredMethods,
            (self as any EmailMasksService).registeredMethods,
            (self as any CustomUrlsService).registeredMethods,
            (self as any ContactsService).registeredMethods,
            (self as any MemberDiscountsService).registeredMethods,
            (self as any PlatformService).registeredMethods,
            (self as any SignUpRulesService).registeredMethods,
            (self as any HooksService).registeredMethods,
        ]
    }

    /// The methods that need no principal: whoever has a question may have no account.
    static let openMethods: Set<MethodDescriptor> = [ContactsMethods.submitContact]
}

extension Details {
    /// Whether anything is set that only roles which set type, trial and expiry may set.
    fileprivate var isContractual: Bool {
        type != nil || trialUntil != nil || expiresOn != nil || externalID != nil
    }
}

extension Access.Principal {
    /// Requires the rights to change fields of the organization at the end of a line.
    fileprivate func requireEdit(of fields: Set<DetailsField>, at line: Line) throws {
        let contractual = fields.intersection(DetailsField.contractual)
        if !contractual.isEmpty { try requireOpen(.setTypeTrialExpiry, at: line) }
        guard contractual.isEmpty || fields != contractual else { return }
        let conditions: Set<Condition> = fields.isSubset(of: [.title]) ? [.titleOnly] : []
        try requireOpen(.editOrganization, at: line, meeting: conditions)
    }
}
