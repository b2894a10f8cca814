import Messages
import RPC
import ServiceKit
import TreeCopy

await ServiceRunner(
    name: "branding", defaultPort: 7104, upstreams: [.organizations],
    keys: PlatformAppearance.keys
).main { environment in
    let platform = try PlatformAppearance(environment.configuration)
    let database = try environment.openDatabase(migrations: migrations)
    let organizations = OrganizationsClient(try environment.channel(to: "organizations"))
    let tree = FeedConsumer(
        FeedSource(organizations), into: database, target: .treeCopy, logger: environment.logger)
    let service = Service(
        database: database, feed: FeedServer(database), platform: platform,
        treeCatchesUp: { try await tree.catchUp() })
    return ServiceParts(
        methods: [service.registeredMethods], openMethods: [BrandingMethods.getAsset],
        children: [ServiceChild("tree") { try await tree.run() }], copies: [tree],
        verifiers: verifiers)
}
