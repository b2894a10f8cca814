import Messages
import ServiceKit
import Storage
import TreeCopy

await ServiceRunner(
    name: Configuration.name, defaultPort: Configuration.port,
    upstreams: [
        .init("organizations", defaultPort: 7101), .init("membership", defaultPort: 7102),
        .init("branding", defaultPort: 7104),
    ]
).main { environment in
    let database = try environment.openDatabase(migrations: Configuration.migrations)
    let organizations = OrganizationsClient(try environment.channel(to: "organizations"))
    let consumer = FeedConsumer(
        FeedSource(organizations), into: database, target: Configuration.treeTarget,
        logger: environment.logger)
    let membership = MembershipClient(try environment.channel(to: "membership"))
    let branding = BrandingClient(try environment.channel(to: "branding"))
    let fulfilment = FulfilSale(
        organizations: organizations, membership: membership, branding: branding,
        clock: environment.clock)
    let runner = fulfilment.runner(of: database, logger: environment.logger)
    let restores = RestoreWatch(
        of: [FeedSource(organizations), FeedSource(membership), FeedSource(branding)],
        database: database, clock: environment.clock, logger: environment.logger,
        repeatSteps: runner.repeatSteps)
    let pages = PageTokens(keys: environment.keys)
    let service = Service(
        database: database, organizations: consumer, pages: pages,
        identifiers: environment.identifiers,
        workflows: fulfilment.desk(of: database, pages: pages))
    return ServiceParts(
        methods: service.methods,
        children: [
            ServiceChild("tree", consumer.run), ServiceChild("workflows", runner.run),
            ServiceChild("restores", restores.run),
        ], copies: [consumer], verifiers: verifiers)
}
