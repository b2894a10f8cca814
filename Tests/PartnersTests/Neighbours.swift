import Access
import Messages
import RPC
import ServiceKit
import Synchronization

/// What a sale asks of the other services.
enum Step: String, Sendable, Hashable, CaseIterable {
    case prepareOrganization, grantSeats, prepareAppearance, commitOrganization
    case cancelPreparation, cancelSeatGrant, cancelAppearance

    /// The steps of a sale to a new organization, in their order.
    static let forward: [Step] = [
        .prepareOrganization, .grantSeats, .prepareAppearance, .commitOrganization,
    ]
}

/// What goes wrong with one call.
enum Mishap: Sendable, Hashable {
    /// The request is lost; the caller learns nothing.
    case lostRequest(Status.Code)
    /// The reply is lost; the caller learns nothing.
    case lostReply(Status.Code)
    /// The request is refused for good.
    case refusal(String)
    /// The request never arrives, and the caller waits.
    case silenceBefore
    /// The request has its effect, and the caller waits.
    case silenceAfter
    /// The request arrives only when the test says so; the caller learns nothing.
    case late
}

/// What the other services hold of sales, and how often they did something.
struct World: Sendable {
    enum Answer: Sendable {
        case done
        case refused(Status)
        case cancelled
    }

    struct Delivery: Sendable {
        let step: Step
        let key: String
        let effect: @Sendable (inout World) throws(Status) -> Void
    }

    var answers: [String: Answer] = [:]
    /// Titles by identifier.
    var prepared: [String: String] = [:]
    var committed: [String: String] = [:]
    var seats: [String: Int64] = [:]
    var appearances: [String: Colors] = [:]
    var effects: [Step: Int] = [:]
    var arrivals: [Step: Int] = [:]
    var mishaps: [Step: [Mishap]] = [:]
    /// Requests of these steps are lost for as long as they stand here.
    var outages: Set<Step> = []
    /// Whether Organizations says how far its feed has come.
    var tellsHead = true
    var late: [Delivery] = []
    var nodes: [OrganizationNode] = []
    /// Everything that the feed of Organizations has told.
    var events: [FeedEvent] = []
    var watchers: [AsyncStream<Void>.Continuation] = []

    var isEmpty: Bool {
        prepared.isEmpty && committed.isEmpty && seats.isEmpty && appearances.isEmpty
    }

    /// Does what is asked once, whatever the key is sent for again.
    mutating func take(_ delivery: Delivery, refusal: Status?) throws(Status) {
        switch answers[delivery.key] {
        case .done: return
        case .refused(let status): throw status
        case .cancelled: throw .refusal(.commandCancelled, "This was cancelled.")
        case nil: break
        }
        do throws(Status) {
            if let refusal { throw refusal }
            try delivery.effect(&self)
        } catch {
            answers[delivery.key] = .refused(error)
            throw error
        }
        answers[delivery.key] = .done
        effects[delivery.step, default: 0] += 1
    }

    /// Undoes what was asked under a key, and refuses it should it come later.
    mutating func cancel(_ step: Step, key: String, undo: (inout World) -> Void) {
        if case .done = answers[key] {
            undo(&self)
            effects[step, default: 0] += 1
        }
        answers[key] = .cancelled
    }

    mutating func publish(_ node: OrganizationNode) {
        var node = node
        node.version = Int64(events.count + 1)
        nodes.append(node)
        tell(
            OrganizationNode.messageName, of: OrganizationID(text: node.id)?.bytes ?? [],
            node.encoded())
    }

    mutating func publish(_ type: OrganizationType) {
        tell(
            OrganizationType.messageName, of: OrganizationTypeID(text: type.id)?.bytes ?? [],
            type.encoded())
    }

    private mutating func tell(_ kind: String, of aggregate: [UInt8], _ body: [UInt8]) {
        let sequence = Int64(events.count + 1)
        events.append(
            FeedEvent(
                sequence: sequence, kind: kind, aggregateID: aggregate, version: sequence,
                body: body))
        for watcher in watchers { watcher.yield() }
    }
}

/// The three services that a sale needs, each keeping one answer for each key.
final class Neighbours: OrganizationsService, MembershipService, BrandingService {
    static let incarnation = [UInt8](repeating: 7, count: 16)

    /// The calls that have fallen silent, as they do.
    let silences: AsyncStream<Step>
    private let silence: AsyncStream<Step>.Continuation
    private let state = Mutex(World())

    init() {
        (silences, silence) = AsyncStream.makeStream()
    }

    /// A copy of what is there now.
    var world: World { state.withLock { $0 } }

    func change(_ change: (inout sending World) -> Void) {
        state.withLock { change(&$0) }
    }

    /// Makes the next calls of a step go wrong, one after the other.
    func expect(_ mishaps: Mishap..., at step: Step) {
        state.withLock { $0.mishaps[step, default: []] += mishaps }
    }

    /// Lets requests arrive that were late; answers how many were refused.
    func deliverLate() -> Int {
        state.withLock { world in
            let late = world.late
            world.late = []
            return late.count { delivery in
                do throws(Status) {
                    try world.take(delivery, refusal: nil)
                    return false
                } catch {
                    return true
                }
            }
        }
    }

    private func perform(
        _ step: Step, _ action: ServiceAction, _ context: CallContext,
        _ effect: @escaping @Sendable (inout World) throws(Status) -> Void
    ) async throws {
        try context.require(action)
        let delivery = World.Delivery(
            step: step, key: try context.idempotencyKey, effect: effect)
        let mishap = arrival(of: step)
        switch mishap {
        case .lostRequest(let code): throw Status(code, "The request was lost.")
        case .silenceBefore: try await fallSilent(at: step)
        case .late:
            state.withLock { $0.late.append(delivery) }
            silence.yield(step)
            throw Status(.unavailable, "The request is on its way.")
        case .lostReply, .refusal, .silenceAfter, nil: break
        }
        try state.withLock { try $0.take(delivery, refusal: mishap?.refusal) }
        try await leave(step, mishap)
    }

    private func cancel(
        _ step: Step, _ action: ServiceAction, _ context: CallContext, key: String,
        _ undo: @Sendable (inout World) -> Void
    ) async throws {
        try context.require(action)
        let mishap = arrival(of: step)
        if case .lostRequest(let code) = mishap { throw Status(code, "The request was lost.") }
        if case .silenceBefore = mishap { try await fallSilent(at: step) }
        state.withLock { $0.cancel(step, key: key, undo: undo) }
        try await leave(step, mishap)
    }

    private func arrival(of step: Step) -> Mishap? {
        state.withLock { world in
            world.arrivals[step, default: 0] += 1
            guard var mishaps = world.mishaps[step], !mishaps.isEmpty else {
                return world.outages.contains(step) ? .lostRequest(.unavailable) : nil
            }
            let mishap = mishaps.removeFirst()
            world.mishaps[step] = mishaps
            return mishap
        }
    }

    private func leave(_ step: Step, _ mishap: Mishap?) async throws {
        if case .lostReply(let code) = mishap { throw Status(code, "The reply was lost.") }
        if case .silenceAfter = mishap { try await fallSilent(at: step) }
    }

    private func fallSilent(at step: Step) async throws -> Never {
        silence.yield(step)
        // Ends when the call is cancelled, and not before.
        for await _ in AsyncStream<Void>.makeStream().stream {}
        throw CancellationError()
    }
}

extension Mishap {
    fileprivate var refusal: Status? {
        guard case .refusal(let reason) = self else { return nil }
        return Status(
            .failedPrecondition, "Refused: \(reason).",
            details: [.errorInfo(reason: reason, domain: errorDomain, metadata: [:])])
    }
}

// MARK: Organizations

extension Neighbours {
    func prepareOrganization(
        _ request: PrepareOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        try await perform(.prepareOrganization, .prepareOrganization, context) {
            (world) throws(Status) in
            let titles = [world.prepared, world.committed].flatMap(\.values)
            guard !titles.contains(request.title) else {
                throw .refusal(.nameTaken, "There is such an organization.")
            }
            world.prepared[request.id] = request.title
            world.publish(
                OrganizationNode(
                    id: request.id, parentID: request.parentID, title: request.title,
                    status: .provisioning, origin: request.origin))
        }
        return Organization(id: request.id, title: request.title)
    }

    func commitOrganization(
        _ request: CommitOrganizationRequest, _ context: CallContext
    ) async throws -> Organization {
        try await perform(.commitOrganization, .prepareOrganization, context) {
            (world) throws(Status) in
            guard let title = world.prepared.removeValue(forKey: request.id) else {
                throw .notFound("There is no such preparation.")
            }
            world.committed[request.id] = title
            world.publish(
                OrganizationNode(id: request.id, title: title, status: .active, origin: .sale))
        }
        return Organization(id: request.id)
    }

    func cancelPreparation(
        _ request: CancelPreparationRequest, _ context: CallContext
    ) async throws -> CancelPreparationReply {
        try await cancel(
            .cancelPreparation, .prepareOrganization, context, key: request.preparationKey
        ) { world in
            world.prepared[request.id] = nil
            world.publish(OrganizationNode(id: request.id, removed: true))
        }
        return CancelPreparationReply()
    }

    func watch(
        _ request: WatchRequest, _ context: CallContext, _ replies: ReplyStream<WatchReply>
    ) async throws {
        let (changes, watcher) = AsyncStream<Void>.makeStream()
        watcher.yield()
        state.withLock { $0.watchers.append(watcher) }
        var sent = request.incarnation == Self.incarnation ? Int(request.afterSequence) : 0
        for await _ in changes {
            let events = world.events
            try await replies.write(
                WatchReply(
                    incarnation: Self.incarnation, events: Array(events.dropFirst(sent)),
                    headSequence: Int64(events.count)))
            sent = events.count
        }
    }

    func getFeedHead(
        _ request: GetFeedHeadRequest, _ context: CallContext
    ) async throws -> FeedHead {
        let world = world
        guard world.tellsHead else { throw Status(.unavailable, "Nobody answers.") }
        return FeedHead(incarnation: Self.incarnation, sequence: Int64(world.events.count))
    }
}

// MARK: Membership and Branding

extension Neighbours {
    func grantSeats(
        _ request: GrantSeatsRequest, _ context: CallContext
    ) async throws -> Seats {
        try await perform(.grantSeats, .grantSeats, context) { (world) throws(Status) in
            world.seats[request.organizationID, default: 0] += request.quantity
        }
        return Seats(organizationID: request.organizationID)
    }

    func cancelSeatGrant(
        _ request: CancelSeatGrantRequest, _ context: CallContext
    ) async throws -> CancelSeatGrantReply {
        try await cancel(
            .cancelSeatGrant, .grantSeats, context, key: request.grantKey
        ) { $0.seats[request.organizationID] = nil }
        return CancelSeatGrantReply()
    }

    func prepareAppearance(
        _ request: PrepareAppearanceRequest, _ context: CallContext
    ) async throws -> Appearance {
        try await perform(.prepareAppearance, .prepareAppearance, context) {
            (world) throws(Status) in
            world.appearances[request.organizationID] = request.colors ?? Colors()
        }
        return Appearance(organizationID: request.organizationID)
    }

    func cancelAppearance(
        _ request: CancelAppearanceRequest, _ context: CallContext
    ) async throws -> CancelAppearanceReply {
        try await cancel(
            .cancelAppearance, .prepareAppearance, context, key: request.preparationKey
        ) { $0.appearances[request.organizationID] = nil }
        return CancelAppearanceReply()
    }
}
