import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service {
    func testHook(
        _ request: TestHookRequest, _ context: CallContext
    ) async throws -> HookDelivery {
        let order = try HookOrder(request.organizationID, context)
        let id = try HookID(requestText: request.id, field: "id")
        let delivery: HookDeliveryID = identifiers.next()
        return try await database.command(context, request) { [hookPace] transaction in
            let hook = try order.hook(id, in: transaction)
            try hook.requireCallable(hookPace)
            let body = HookBody.test(at: order.now.text, hook.id, of: order.organization)
            let event = try transaction.insertHookEvent(.test, body, at: order.now)
            try transaction.insertCall(delivery, of: event, forHook: hook.number, at: order.now)
            try transaction.resume(hook)
            return HookDelivery(
                try transaction.hookDelivery(delivery, ofHook: hook.number), of: hook.id)
        }
    }

    func listHookDeliveries(
        _ request: ListHookDeliveriesRequest, _ context: CallContext
    ) async throws -> ListHookDeliveriesReply {
        let order = try HookOrder(request.organizationID, context)
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
        return try await database.read { snapshot in
            let hook = try order.hook(id, in: snapshot, archive: .included)
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
        let order = try HookOrder(request.organizationID, context)
        let id = try HookID(requestText: request.hookID, field: "hook_id")
        let delivery = try HookDeliveryID(requestText: request.id, field: "id")
        return try await database.command(context, request) { [hookPace] transaction in
            let hook = try order.hook(id, in: transaction)
            let found = try transaction.hookDelivery(delivery, ofHook: hook.number)
            try hook.requireCallable(hookPace)
            try transaction.repeatCall(found, at: order.now)
            try transaction.resume(hook)
            return HookDelivery(
                try transaction.hookDelivery(delivery, ofHook: hook.number), of: hook.id)
        }
    }
}

extension HookRecord {
    /// Requires that another call may be queued for it.
    ///
    /// - Throws: ``Refusal/wrongState(_:)`` of one that is off, ``Refusal/tooMany(_:_:)``.
    fileprivate func requireCallable(_ pace: HookPace) throws(Refusal) {
        guard state == .enabled else {
            throw .wrongState("The hook is switched off. Switch it on first.")
        }
        guard waiting < pace.waitingMax else {
            throw .tooMany("calls that wait for a hook", pace.waitingMax)
        }
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
