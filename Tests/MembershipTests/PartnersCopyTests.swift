import Access
import Messages
import RPC
import RPCTesting
import ServiceKit
import Storage
import Testing

@testable import Membership

/// The copy of what Partners says.
@Suite struct PartnersCopyTests {
    /// Everything that the copy holds, a line each.
    private func rows(_ hall: Hall) async throws -> Set<String> {
        let tables: [SQL] = [
            """
            SELECT 'module ' || name || ' ' || hex(chapters) || ' ' || removed || ' ' || stale
            FROM catalog_module
            """,
            """
            SELECT 'course ' || name || ' ' || CASE WHEN chapter_id IS NULL THEN '-'
                ELSE hex(chapter_id) END || ' ' || removed || ' ' || stale FROM catalog_course
            """,
            """
            SELECT 'set ' || CASE WHEN grants IS NULL THEN '-' ELSE hex(grants) END || ' '
                || stale FROM organization_modules
            """,
            """
            SELECT 'subscription ' || coalesce(gives_until, '-') || ' ' || hex(courses) || ' '
                || stale FROM subscription
            """,
        ]
        return try await hall.database.read { snapshot in
            Set(try tables.flatMap { try snapshot.rows($0) { try $0.text(0) } })
        }
    }

    @Test func `an event that is old, or comes again, changes nothing`() async throws {
        let hall = try Hall()
        let organization = try await hall.organization()
        let (module, course): (ModuleID, CourseID) = (
            hall.identifiers.next(), hall.identifiers.next()
        )
        let subscription: SubscriptionID = hall.identifiers.next()
        func facts(_ name: String, _ day: Int32?, version: Int64) -> [Messages.FeedEvent] {
            [
                event(
                    Module(id: module.text, name: name), of: Module.messageName,
                    version: version),
                event(
                    Course(id: course.text, name: name, moduleID: module.text),
                    of: Course.messageName, version: version),
                event(
                    OrganizationModuleSet(
                        organizationID: organization.text,
                        own: day == nil ? nil : ModuleGrants()),
                    of: OrganizationModuleSet.messageName, version: version),
                event(
                    Subscription(
                        id: subscription.text, organizationID: organization.text,
                        courseIDs: [course.text], givesUntil: day),
                    of: Subscription.messageName, version: version),
            ]
        }
        try await hall.tellPartners(facts("Old", nil, version: 1))
        try await hall.tellPartners(facts("New", 20_000, version: 2))
        let known = try await rows(hall)
        #expect(known.contains("module New  0 0") && known.contains("course New - 0 0"))
        #expect(known.contains("set  0"))

        try await hall.tellPartners(facts("New", 20_000, version: 2))
        try await hall.tellPartners(facts("Old", nil, version: 1))

        #expect(try await rows(hall) == known)
    }

    @Test func `what is not what its kind promises is refused, other kinds are passed over`()
        async throws
    {
        let hall = try Hall()
        let bad: [Messages.FeedEvent] = [
            event(Module(id: "x", name: "M"), of: Module.messageName),
            event(Course(id: CourseID(high: 1, low: 1).text), of: Course.messageName),
            Messages.FeedEvent(sequence: 1, kind: Module.messageName, version: 1, body: [0xFF]),
        ]
        for event in bad {
            await #expect(throws: PartnersFault.self) { try await hall.tellPartners([event]) }
        }
        let other = event(Module(id: "x"), of: "guildhall.partners.v1.Sale")
        try await hall.tellPartners([other])
        #expect(try await rows(hall).isEmpty)
    }

    @Test func `it follows the feed, goes on while Partners is away, and a new life begins anew`()
        async throws
    {
        let hall = try Hall()
        let school = try await hall.organization()
        let ada = try await hall.admit(to: school)
        let first = try Catalog(hall)
        try await first.publish("Old", count: 3)
        #expect(
            await refusal { try await hall.access(of: ada, in: school) }?.code == .unavailable)

        try await first.followed { consumer in
            try await consumer.catchUp(within: .seconds(30))
            #expect(try await rows(hall).count == 6)
        }
        // Partners is away: what is known goes on to hold, and members come and go.
        #expect(try await hall.access(of: ada, in: school).obstacles.isEmpty)
        try await hall.admit(to: school)

        // The same life goes on after where it was, the events of before not applied again.
        try await first.publish("More", count: 1)
        try await first.followed { consumer in
            try await consumer.catchUp(within: .seconds(30))
            #expect(try await rows(hall).count == 8)
        }

        let second = try Catalog(hall)
        try await second.publish("New", count: 1)
        try await second.followed { consumer in
            try await consumer.catchUp(within: .seconds(30))
            let known = try await rows(hall)
            #expect(known == ["module New 0  0 0", "course New 0 - 0 0"])
        }
    }

    @Test func `a copy that was taken away is made anew`() async throws {
        let hall = try Hall()
        let catalog = try Catalog(hall)
        try await catalog.publish("Course", count: 2)
        try await catalog.followed { try await $0.catchUp(within: .seconds(30)) }
        let known = try await rows(hall)
        try await hall.database.write { transaction in
            try transaction.execute("DELETE FROM partners_copy")
            try transaction.execute("DELETE FROM catalog_course")
        }

        try await catalog.followed { try await $0.catchUp(within: .seconds(30)) }

        #expect(try await rows(hall) == known && known.count == 4)
        #expect(try await hall.differences().isEmpty)
    }

    @Test func `while it is rebuilt nobody is told what was given earlier in its history`()
        async throws
    {
        let hall = try Hall()
        let school = try await hall.organization()
        let ada = try await hall.admit(to: school)
        let course = try await hall.course()
        let subscription = try await hall.subscription(
            of: school, to: [course], until: hall.clock.now.day)
        #expect(try await hall.explain(course, of: ada, in: school).allowed)

        // From the beginning: what gave once, and would not any more at the end.
        try await hall.database.write { try PartnersCopy.reset(in: $0) }
        let old = Subscription(
            id: subscription.text, organizationID: school.text, courseIDs: [course.text],
            givesUntil: 30_000)
        try await hall.tellPartners(
            [event(old, of: Subscription.messageName, version: 1)], isEnd: false)
        let refused = [
            await refusal { try await hall.access(of: ada, in: school) },
            await refusal { try await hall.explain(course, of: ada, in: school) },
        ]
        #expect(refused.allSatisfy { $0?.reason == "unavailable" })
        #expect(refused.allSatisfy { $0?.httpRetry ?? false })

        try await hall.tellPartners([])
        // The course and its module did not come again: they are gone.
        let explained = try await hall.explain(course, of: ada, in: school)
        #expect(explained.obstacles.map(\.code) == ["course_not_found"])
        #expect(explained.sources == [.subscription(subscription)])
        #expect(try await rows(hall).count == 1)
    }
}

extension Status {
    /// Whether it says when to try again.
    fileprivate var httpRetry: Bool {
        details.contains { detail in
            if case .retryInfo = detail { true } else { false }
        }
    }
}

/// The catalog of a Partners whose database lives for as long as this.
private final class Catalog: Sendable {
    private let follower: Hall
    private let source: Hall

    init(_ follower: Hall) throws {
        self.follower = follower
        source = try Hall()
    }

    /// Tells of modules with a course each.
    func publish(_ name: String, count: Int) async throws {
        for number in 0..<count {
            let (module, course): (ModuleID, CourseID) = (
                source.identifiers.next(), source.identifiers.next()
            )
            let now = source.clock.now
            try await source.database.write { transaction in
                try transaction.publish(
                    kind: Module.messageName, aggregate: module.bytes, version: 1,
                    body: Module(id: module.text, name: "\(name) \(number)").encoded(), at: now)
                try transaction.publish(
                    kind: Course.messageName, aggregate: course.bytes, version: 1,
                    body: Course(
                        id: course.text, name: "\(name) \(number)", moduleID: module.text
                    ).encoded(), at: now)
            }
        }
    }

    /// Runs a body while the hall follows this catalog.
    func followed(
        _ body: @escaping @Sendable (FeedConsumer) async throws -> Void
    ) async throws {
        let feed = FeedServer(source.database)
        let router = Router(
            services: [
                [
                    RegisteredMethod(
                        PartnersMethods.watch,
                        .serverStreaming { payload, context, writer in
                            try await feed.watch(
                                try WatchRequest(decoding: payload.bytes), context,
                                ReplyStream(writer))
                        }),
                    RegisteredMethod(
                        PartnersMethods.getFeedHead, .unary { _, _ in .message(feed.head) }),
                ]
            ], interceptors: [try source.interceptor(for: "partners")])
        let channel = InProcessChannel(router).acting { [source] in
            try source.statement(of: "organizations", audience: "partners")
        }
        let consumer = PartnersCopy.consumer(
            of: FeedSource(PartnersClient(channel)), into: follower.database)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await consumer.run() }
            try await body(consumer)
            group.cancelAll()
        }
    }
}
