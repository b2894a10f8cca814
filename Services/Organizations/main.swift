import Access
import Mail
import Messages
import RPC
import ServiceKit
import Spreadsheets
import Storage

// Files are read and written by this same program, started again for one file.
SpreadsheetProcess.serveIfAsked()

await ServiceRunner(
    name: "organizations", defaultPort: 7101, upstreams: [.membership, .branding, .partners],
    keys: Limits.keys + MailSettings.keys
).main { environment in
    let database = try environment.openDatabase(migrations: migrations)
    let membership = MembershipClient(try environment.channel(to: "membership"))
    let branding = BrandingClient(try environment.channel(to: "branding"))
    let partners = PartnersClient(try environment.channel(to: "partners"))
    let limits = Limits(environment.configuration)
    let mail = try MailSettings(environment.configuration)
    let pageTokens = PageTokens(keys: environment.keys)
    let service = Service(
        database: database, feed: FeedServer(database), identifiers: environment.identifiers,
        pageTokens: pageTokens, limits: limits,
        textRecords: SystemTextRecords(server: try .configured(environment.configuration)),
        others: OtherServices(
            membership: membership, branding: branding, partners: partners,
            followingMax: limits.acknowledgementTimeMax))
    let relocations = Relocations(
        moveSubtree: { _ = try await membership.moveSubtree($0, options: $1) },
        cancelMove: { _ = try await membership.cancelSubtreeMove($0, options: $1) },
        restoreSubtree: { _ = try await membership.restoreSubtree($0, options: $1) },
        cancelRestore: { _ = try await membership.cancelSubtreeRestore($0, options: $1) },
        clock: environment.clock, logger: environment.logger)
    let runner = relocations.runner(of: database)
    let operators = WorkflowService(desk: relocations.desk(of: database, pages: pageTokens))
    let counts = MemberCounts(
        database: database,
        ask: { try await membership.listMemberCounts($0, options: CallOptions()) },
        logger: environment.logger)
    let desk = ImportDesk(
        database: database, identifiers: environment.identifiers, limits: limits,
        clock: environment.clock, spreadsheets: SpreadsheetProcesses(),
        logger: environment.logger)
    let imports = ImportService(
        database: database, desk: desk, identifiers: environment.identifiers,
        pageTokens: pageTokens)
    let (clock, transport) = (environment.clock, MailTransport(to: mail.destination))
    let mailDesk = MailDesk(
        database: database,
        addresses: { id in
            try await membership.listMailAddresses(
                ListMailAddressesRequest(organizationID: id.text),
                options: CallOptions(timeout: MailDesk.questionTimeMax)
            ).addresses
        }, limits: limits, clock: clock, logger: environment.logger)
    let sender = MailSender(
        database: database, from: mail.from, clock: { clock.now() }, logger: environment.logger,
        deliver: transport.deliver, ended: { try $0.noteEnd(ofMailsFor: $1) })
    let upkeep = Upkeep(database: database, limits: limits)
    return ServiceParts(
        methods: service.methods + [imports.registeredMethods, operators.registeredMethods],
        openMethods: Service.openMethods,
        children: [
            ServiceChild("imports", desk.run), ServiceChild("workflows", runner.run),
            ServiceChild("member counts", counts.run),
            ServiceChild("mails to write", mailDesk.run),
            ServiceChild("mails to send", sender.run),
            ServiceChild("upkeep") {
                try await upkeep.run(clock: environment.clock, logger: environment.logger)
            },
        ], verifiers: verifiers)
}
