import Access
import Messages
import RPC
import RPCTesting
import ServiceKit
import Storage
import Synchronization
import Testing
import TreeCopy

@testable import Membership

@Suite struct `the copy of the tree` {
    private func workspaces(_ hall: Hall, _ organization: OrganizationID) async throws -> [String] {
        try await hall.platformOwner.listWorkspaces(
            ListWorkspacesRequest(organizationID: organization.text)
        ).workspaces.map(\.title)
    }

    @Test func `every organization gets one default workspace when it arrives`() async throws {
        let hall = try Hall()
        let school = try await hall.organization(status: .provisioning)

        try await hall.organization(school, status: .active)
        let node = hall.node(school, status: .active)
        try await hall.apply(node)
        try await hall.apply(node)

        #expect(try await workspaces(hall, school) == ["Default Workspace"])
    }

    @Test func `the workspace of a cancelled preparation goes with it`() async throws {
        let hall = try Hall()
        let school = try await hall.organization(status: .provisioning)

        try await hall.organization(school, status: .provisioning, removed: true)

        let left = try await hall.database.read {
            try $0.rows("SELECT id FROM workspace") { try $0.bytes(0) }
        }
        #expect(left.isEmpty)
    }

    @Test func `what is being prepared is not visible to people`() async throws {
        let hall = try Hall()
        let school = try await hall.organization(status: .provisioning)

        #expect(await refusal { try await workspaces(hall, school) }?.code == .notFound)
        #expect(
            try await hall.service("partners").getSeats(
                GetSeatsRequest(organizationID: school.text)
            ).used == 0)
    }

    @Test func `a rebuild from zero loses nothing else`() async throws {
        let hall = try Hall()
        let district = try await hall.organization()
        let school = try await hall.organization(below: district)
        _ = try await hall.platformOwner.updateCaps(
            UpdateCapsRequest(organizationID: district.text, members: 1))
        let ada = try await hall.admit(to: school)
        try await hall.database.write { [follower = hall.follower] transaction in
            try transaction.execute("DELETE FROM tree_node")
            follower.paths.forget()
        }
        #expect(await refusal { try await hall.admit(to: school) }?.code == .notFound)

        try await hall.organization(school, below: district)
        #expect(await refusal { try await hall.admit(to: school) }?.code == .notFound)
        try await hall.organization(district)

        #expect(
            await refusal { try await hall.admit(to: school) }?.reason == "members_limit_reached")
        #expect(
            try await hall.platformOwner.getMember(
                GetMemberRequest(organizationID: school.text, userID: ada.text)
            ).state == .active)
        #expect(try await workspaces(hall, school) == ["Default Workspace"])
        try await expectInvariants(hall)
    }

    @Test func `an organization that is new elsewhere is caught up with before it is not found`()
        async throws
    {
        let hall = Mutex<Hall?>(nil)
        let school = Sample.organization(7)
        let late = TreeBarrier(
            catchUp: { try await hall.withLock { $0 }?.organization(school) },
            wait: { _, _ in })
        let running = try Hall(tree: late)
        hall.withLock { $0 = running }
        defer { hall.withLock { $0 = nil } }

        try await running.admit(to: school)

        #expect(
            await refusal { try await running.admit(to: Sample.organization(8)) }?.code == .notFound
        )
    }

    @Test func `an organization that was opened just now is caught up with`() async throws {
        let hall = Mutex<Hall?>(nil)
        let school = Sample.organization(7)
        let catchUps = Atomic(0)
        let late = TreeBarrier(
            catchUp: {
                catchUps.add(1, ordering: .relaxed)
                try await hall.withLock { $0 }?.organization(school, status: .active)
            },
            wait: { _, _ in })
        let running = try Hall(tree: late)
        hall.withLock { $0 = running }
        defer { hall.withLock { $0 = nil } }
        try await running.organization(school, status: .provisioning)
        let other = try await running.organization(status: .provisioning)

        try await running.admit(to: school)
        let refused = await refusal { try await running.admit(to: other) }

        #expect(refused?.code == .notFound)
        #expect(refused?.message == "There is no such organization.")
        #expect(catchUps.load(ordering: .relaxed) == 2)
    }

    @Test func `only Organizations waits for the tree`() async throws {
        let hall = try Hall()
        let request = AwaitTreeRequest(incarnation: [1], sequence: 3)

        let reply = try await hall.service("organizations").awaitTree(request)

        #expect(reply.sequence == 3)
        #expect(
            await refusal { try await hall.service("partners").awaitTree(request) }?.code
                == .permissionDenied)
    }

    @Test func `while it is rebuilt nobody is admitted to what was paused later in its history`()
        async throws
    {
        let source = try Hall()
        let hall = try Hall()
        let school: OrganizationID = source.identifiers.next()
        try await source.publish(source.node(school))
        for _ in 0..<FeedServer.eventsMax {
            try await source.publish(source.node(source.identifiers.next()))
        }
        try await source.publish(source.node(school, status: .inactive))
        let ada = try await hall.person()
        let first = AsyncStream.makeStream(of: Void.self)

        // The second reply waits until the call was made on what the first one told.
        try await hall.following(
            source,
            afterFirstReply: { for await _ in first.stream { return } }
        ) { consumer in
            while consumer.position == nil { await Task.yield() }
            let early = await refusal { try await hall.admit(ada, to: school) }
            #expect(early?.code == .notFound)
            first.continuation.yield()
            try await consumer.catchUp(within: .seconds(30))
            let late = await refusal { try await hall.admit(ada, to: school) }
            #expect(late?.reason == "org_not_active")
        }
    }

    @Test func `an organization that a rebuild does not meet again loses its workspace`()
        async throws
    {
        let hall = try Hall()
        let school = try await hall.organization()

        try await hall.database.write { [follower = hall.follower] transaction in
            try TreeCopy.reset(in: transaction)
            try follower.caughtUp(in: transaction)
        }

        let left = try await hall.database.read { snapshot in
            try snapshot.exists("SELECT 1 FROM workspace WHERE organization_id = \(school)")
        }
        #expect(!left)
    }

    @Test func `it follows the feed of Organizations and is rebuilt when it was deleted`()
        async throws
    {
        let source = try Hall()
        let hall = try Hall()
        let district: OrganizationID = source.identifiers.next()
        let school: OrganizationID = source.identifiers.next()
        for node in [source.node(district), source.node(school, below: district)] {
            try await source.publish(node)
        }

        try await hall.following(source) { consumer in
            try await consumer.catchUp(within: .seconds(30))
            try await hall.admit(to: school)
            try await source.publish(source.node(district, status: .inactive))
            let head = FeedServer(source.database).head
            try await consumer.waitUntilApplied(head.sequence, incarnation: head.incarnation)
            #expect(await refusal { try await hall.admit(to: school) }?.reason == "org_not_active")
        }
        _ = try await hall.database.write { try $0.execute("DELETE FROM tree_node") }
        try await hall.following(source) { consumer in
            try await consumer.catchUp(within: .seconds(30))
            #expect(await refusal { try await hall.admit(to: school) }?.reason == "org_not_active")
            #expect(try await workspaces(hall, school) == ["Default Workspace"])
        }
        try await expectInvariants(hall)
    }
}

extension Hall {
    /// Adds an organization to the feed of this hall's database, as Organizations does.
    fileprivate func publish(_ node: OrganizationNode) async throws {
        let now = clock.now
        try await database.write { transaction in
            try transaction.publish(
                kind: OrganizationNode.messageName,
                aggregate: OrganizationID(text: node.id)?.bytes ?? [], version: node.version,
                body: node.encoded(), at: now)
        }
    }

    /// Runs a body while this hall follows the feed in the database of another.
    fileprivate func following(
        _ source: Hall, afterFirstReply pause: @escaping @Sendable () async -> Void = {},
        _ body: @escaping @Sendable (FeedConsumer) async throws -> Void
    ) async throws {
        let feed = FeedServer(source.database)
        let router = Router(
            services: [
                [
                    RegisteredMethod(
                        OrganizationsMethods.watch,
                        .serverStreaming { payload, context, writer in
                            try await feed.watch(
                                try WatchRequest(decoding: payload.bytes), context,
                                ReplyStream(writer))
                        }),
                    RegisteredMethod(
                        OrganizationsMethods.getFeedHead,
                        .unary { _, _ in .message(feed.head) }),
                ]
            ], interceptors: [try source.interceptor(for: "organizations")])
        let channel = InProcessChannel(router).acting {
            try source.statement(of: "partners", audience: "organizations")
        }
        let client = OrganizationsClient(channel)
        let replies = Atomic(0)
        let paused = FeedSource(
            name: "organizations",
            watch: { request, options, onReply in
                try await client.watch(request, options: options) { reply in
                    let number = replies.add(1, ordering: .relaxed).newValue
                    if number == 2 { await pause() }
                    try await onReply(reply)
                }
            },
            head: { try await client.getFeedHead($0, options: $1) })
        let consumer = follower.consumer(of: paused, into: database)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await consumer.run() }
            try await body(consumer)
            group.cancelAll()
        }
    }
}
