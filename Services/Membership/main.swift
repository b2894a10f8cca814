import Glibc
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

await ServiceRunner(
    name: "membership", defaultPort: 7102,
    upstreams: [.init("organizations", defaultPort: 7101)], keys: Configuration.keys
).main { environment in
    let settings = Configuration(environment.configuration)
    let database = try environment.openDatabase(migrations: migrations)
    let passwords = Passwords()
    let random: @Sendable (Int) -> [UInt8] = { count in
        (0..<count).map { _ in UInt8.random(in: 0 ... .max) }
    }
    let paths = TreePaths()
    let follower = TreeFollower(
        paths: paths, identifiers: environment.identifiers, clock: environment.clock)
    let organizations = OrganizationsClient(try environment.channel(to: "organizations"))
    let consumer = follower.consumer(
        of: FeedSource(organizations), into: database, logger: environment.logger)
    let owner = FirstOwner(
        database: database, passwords: passwords, identifiers: environment.identifiers,
        random: random)
    if let line = try await owner.ensure(
        email: settings.ownerEmail, password: settings.ownerPassword, at: environment.clock.now())
    {
        unsafe puts(line)
        fflush(nil)
    }
    let service = Service(
        database: database, identifiers: environment.identifiers, passwords: passwords,
        failures: SignInFailureTable(), random: random, paths: paths,
        tree: TreeBarrier(consumer), pageTokens: PageTokens(keys: environment.keys),
        digestKey: environment.keys.secret(for: "requests with passwords"),
        feed: FeedServer(database))
    return ServiceParts(
        methods: [service.registeredMethods], openMethods: Service.openMethods,
        children: [ServiceChild("tree", consumer.run)], copies: [consumer],
        verifiers: verifiers)
}
