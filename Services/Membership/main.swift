import Glibc
import Mail
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

await ServiceRunner(
    name: "membership", defaultPort: 7102,
    upstreams: [
        .init("organizations", defaultPort: 7101), .init("partners", defaultPort: 7103),
    ],
    keys: Configuration.keys + MailSettings.keys
).main { environment in
    let settings = try Configuration(environment.configuration)
    let database = try environment.openDatabase(migrations: migrations)
    let passwords = Passwords()
    let random: @Sendable (Int) -> [UInt8] = { count in
        (0..<count).map { _ in UInt8.random(in: 0 ... .max) }
    }
    let paths = TreePaths()
    let follower = TreeFollower(
        paths: paths, identifiers: environment.identifiers, clock: environment.clock)
    let channel = try environment.channel(to: "organizations")
    let organizations = OrganizationsClient(channel)
    let signUpRules = SignUpRulesClient(channel)
    let consumer = follower.consumer(
        of: FeedSource(organizations), into: database, logger: environment.logger)
    let partners = PartnersCopy.consumer(
        of: FeedSource(PartnersClient(try environment.channel(to: "partners"))), into: database,
        logger: environment.logger)
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
    let founding = FoundOrganization(
        service: service,
        prepare: { _ = try await organizations.prepareOrganization($0, options: $1) },
        cancel: { _ = try await organizations.cancelPreparation($0, options: $1) },
        commit: { _ = try await organizations.commitOrganization($0, options: $1) },
        clock: environment.clock)
    let runner = founding.runner(logger: environment.logger)
    let operators = WorkflowService(desk: founding.desk(pages: service.pageTokens))
    let restores = RestoreWatch(
        of: [FeedSource(organizations)], database: database, clock: environment.clock,
        logger: environment.logger, repeatSteps: runner.repeatSteps)
    let signUps = SignUpService(
        service: service,
        destinations: Destinations { try await signUpRules.resolveSignUp($0, options: $1) },
        publicAddress: settings.publicAddress, pace: settings.signUpPace)
    let sender = settings.mail.sender(
        of: database, clock: environment.clock, logger: environment.logger)
    let mails = MailService(database, pages: service.pageTokens)
    let upkeep = Upkeep(database: database)
    let keys = APIKeyDesk(
        service: service, secrets: environment.keys.secret(for: APIKeySecret.purpose))
    let provisioning = ProvisioningDesk(
        service: service,
        organization: { try await organizations.provisionOrganization($0, options: $1) })
    return ServiceParts(
        methods: [
            service.registeredMethods, signUps.registeredMethods, keys.registeredMethods,
            provisioning.registeredMethods, operators.registeredMethods, mails.registeredMethods,
            SeatTypeDesk(service: service).registeredMethods,
            LicenseTypeDesk(service: service).registeredMethods,
            AccessDesk(service: service).registeredMethods,
        ],
        openMethods: Service.openMethods,
        children: [
            ServiceChild("tree", consumer.run), ServiceChild("catalog", partners.run),
            ServiceChild("workflows", runner.run),
            ServiceChild("restores", restores.run), ServiceChild("mails to send", sender.run),
            ServiceChild("upkeep") {
                try await upkeep.run(clock: environment.clock, logger: environment.logger)
            },
        ], copies: [consumer], verifiers: verifiers)
}
