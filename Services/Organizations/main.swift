import Messages
import RPC
import ServiceKit

await ServiceRunner(
    name: "organizations", defaultPort: 7101, upstreams: [.membership], keys: Limits.keys
).main { environment in
    let database = try environment.openDatabase(migrations: migrations)
    let membership = MembershipClient(try environment.channel(to: "membership"))
    let limits = Limits(environment.configuration)
    let service = Service(
        database: database, feed: FeedServer(database), identifiers: environment.identifiers,
        pageTokens: PageTokens(keys: environment.keys), limits: limits
    ) { head, context in
        _ = try await membership.awaitTree(
            AwaitTreeRequest(incarnation: head.incarnation, sequence: head.sequence),
            options: context.tracing(timeout: limits.acknowledgementTimeMax))
    }
    return ServiceParts(methods: [service.registeredMethods], verifiers: verifiers)
}
