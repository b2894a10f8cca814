import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service {
    func testHook(
        _ request: TestHookRequest, _ context: CallContext
    ) async throws -> HookDelivery {
        let principal = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let id = try HookID(requestText: request.id, field: "id")
        let delivery: HookDeliveryID = identifiers.next()
        let now = context.now
        return try await database.command(context, request) { transaction in
            let node = try transaction.organization(
                organization, opening: .openSettings, to: principal, on: now.day)
            let hook = try transaction.callableHook(id, of: node.number)
            let body = HookBody.test(at: now.text, hook.id, of: organization)
            let event = try transaction.insertHookEvent(.test, body, at: now)
            try transaction.insertCall(delivery, of: event, forHook: hook.number, at: now)
            try transaction.resume(hook)
            return HookDelivery(
                try transaction.hookDelivery(delivery, ofHook: hook.number), of: hook.id)
        }
    }

    func listHookDeliveries(
        _ request: ListHookDeliveriesRequest, _ context: CallContext
    ) async throws -> ListHookDeliveriesReply {
        let principal = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let id = try HookID(requestText: request.hookID, field: "hook_id")
        let state = try HookDeliveryState.optional(request.state)
        var arguments = request
        arguments.pageSize = 0
        arguments.pageToken = ""
        let page = try pageTokens.page(
            context, size: request.pageSize, token: request.pageToken, arguments: arguments)
        let place: Int64
        switch page.after {
        case nil: place = .max
        case .some(let keys):
            guard keys.count == 1, case .integer(let number) = keys[0] else {
                throw Status.pageTokenInvalid
            }
            place = number
        }
        let day = context.now.day
        return try await database.read { snapshot in
            let node = try snapshot.organization(
                organization, opening: .openSettings, to: principal, on: day)
            let hook = try snapshot.hook(id, of: node.number)
            let found = try snapshot.hookDeliveries(
                ofHook: hook.number, state, before: place, limit: page.limit)
            let (deliveries, next) = page.cut(found) { [$0.number] }
            return ListHookDeliveriesReply(
                deliveries: deliveries.map { HookDelivery($0, of: id) }, nextPageToken: next)
        }
    }

    func retryHookDelivery(
        _ request: RetryHookDeliveryRequest, _ context: CallContext
    ) async throws -> HookDelivery {
        let principal = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let id = try HookID(requestText: request.hookID, field: "hook_id")
        let delivery = try HookDeliveryID(requestText: request.id, field: "id")
        let now = context.now
        return try await database.command(context, request) { transaction in
            let node = try transaction.organization(
                organization, opening: .openSettings, to: principal, on: now.day)
            let hook = try transaction.hook(id, of: node.number)
            let found = try transaction.hookDelivery(delivery, ofHook: hook.number)
            _ = try transaction.callableHook(id, of: node.number)
            try transaction.repeatCall(found, at: now)
            try transaction.resume(hook)
            return HookDelivery(
                try transaction.hookDelivery(delivery, ofHook: hook.number), of: hook.id)
        }
    }
}

extension Reading {
    /// A hook of an organization that another call may be queued for.
    ///
    /// - Throws: ``Refusal/noSuchHook``, ``Refusal/wrongState(_:)`` of one that is off,
    ///   ``Refusal/tooMany(_:_:)``.
    fileprivate func callableHook(_ id: HookID, of organization: Int64) throws -> HookRecord {
        let hook = try hook(id, of: organization)
        guard hook.state == .enabled else {
            throw Refusal.wrongState("The hook is switched off. Switch it on first.")
        }
        let most = HookPace().waitingMax
        guard try waitingCalls(ofHook: hook.number, upTo: most) < most else {
            throw Refusal.tooMany("calls that wait for a hook", most)
        }
        return hook
    }
}

extension HookDeliveryState {
    /// The state that a list is limited to; nil when none is named.
    fileprivate static func optional(
        _ state: Messages.HookDeliveryState
    ) throws(Status) -> HookDeliveryState? {
        switch state {
        case .unspecified: return nil
        case .waiting: return .waiting
        case .delivered: return .delivered
        case .failed: return .failed
        case .unrecognized: throw .invalid("state", "There is no such state of a call.")
        }
    }
}

extension HookDelivery {
    /// A call as it is answered.
    fileprivate init(_ delivery: HookDeliveryRecord, of hook: HookID) {
        self.init(
            id: delivery.id.text, hookID: hook.text,
            kind: HookEventKind(rawValue: Int32(delivery.topic.rawValue)),
            state: Messages.HookDeliveryState(rawValue: Int32(delivery.state.rawValue)),
            attempts: Int32(clamping: delivery.attempts),
            lastStatus: Int32(clamping: delivery.lastStatus), lastError: delivery.lastError,
            body: delivery.body, createdAt: Timestamp(delivery.createdAt),
            nextAttemptAt: delivery.state == .waiting ? Timestamp(delivery.dueAt) : nil,
            deliveredAt: delivery.state == .delivered ? Timestamp(delivery.dueAt) : nil)
    }
}
