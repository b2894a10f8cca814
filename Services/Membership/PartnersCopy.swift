import Access
import Logging
import Messages
import RPC
import ServiceKit
import Storage

/// The copy of what Partners says that decides access: modules, courses, the modules of
/// organizations and subscriptions.
///
/// A rebuild from zero overwrites it in place. From the first event to the last of a rebuild it is
/// in the past, where what was paid for once may still give: until ``caughtUp(in:)`` nobody is told
/// what they may open. While Partners is away the copy goes on as it was.
enum PartnersCopy {
    /// Follows the feed of Partners into a database.
    static func consumer(
        of partners: FeedSource, into database: Database,
        logger: Logger = Logger(label: "membership")
    ) -> FeedConsumer {
        FeedConsumer(partners, into: database, target: target, logger: logger)
    }

    private static var target: FeedTarget {
        FeedTarget(
            apply: { try apply($0, in: $1) }, reset: { try reset(in: $0) },
            caughtUp: { try caughtUp(in: $0) }, isLost: { try !$0.hasPartnersCopy() })
    }

    /// Applies an event.
    ///
    /// Again, or when it is older than what is known, it changes nothing. Of other kinds nothing is
    /// kept.
    /// - Throws: ``PartnersFault`` when the event is not what its kind promises.
    static func apply(_ event: Messages.FeedEvent, in transaction: Transaction) throws {
        switch event.kind {
        case Module.messageName:
            let module: Module = try decoded(event)
            try transaction.keep(
                module, id: try identifier(module.id, event), version: event.version)
        case Course.messageName:
            let course: Course = try decoded(event)
            try transaction.keep(
                course, id: try identifier(course.id, event),
                module: course.removed ? nil : identifier(course.moduleID, event),
                version: event.version)
        case OrganizationModuleSet.messageName:
            let set: OrganizationModuleSet = try decoded(event)
            try transaction.keep(
                set.own, of: try identifier(set.organizationID, event), version: event.version)
        case Subscription.messageName:
            let subscription: Subscription = try decoded(event)
            try transaction.keep(
                subscription, id: try identifier(subscription.id, event),
                of: try identifier(subscription.organizationID, event), version: event.version)
        default: break
        }
    }

    /// Begins a rebuild from zero: what is known gives way to whatever comes.
    static func reset(in transaction: Transaction) throws {
        try transaction.markPartnersFactsStale()
        try transaction.markPartnersCopy(filled: false)
    }

    /// Ends a rebuild, or the first filling: what the feed no longer names is gone.
    static func caughtUp(in transaction: Transaction) throws {
        guard try !transaction.isPartnersCopyFilled() else { return }
        try transaction.removeStalePartnersFacts()
        try transaction.markPartnersCopy(filled: true)
    }

    private static func decoded<Body: Message>(_ event: Messages.FeedEvent) throws -> Body {
        do {
            return try Body(decoding: event.body, limits: .bulk)
        } catch {
            throw PartnersFault(description: "event \(event.sequence) does not decode: \(error)")
        }
    }

    private static func identifier<Kind>(
        _ text: String, _ event: Messages.FeedEvent
    ) throws -> Identifier<Kind> {
        guard let id = Identifier<Kind>(text: text) else {
            throw PartnersFault(
                description: "event \(event.sequence) names “\(text)”, which is no identifier")
        }
        return id
    }
}

/// Why an event of Partners cannot be applied.
struct PartnersFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, for logs.
    let description: String
}
