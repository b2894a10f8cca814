import Access
import Mail
import Messages
import RPC
import ServiceKit
import Spreadsheets
import Storage
import Webhooks

// Files are read and written by this same program, started again for one file.
SpreadsheetProcess.serveIfAsked()

await ServiceRunner(
    name: "organizations", defaultPort: 7101, upstreams: [.membership, .branding, .partners],
    keys: Limits.keys + MailSettings.keys + HookSettings.keys
).main { environment in
    let database = try environment.openDatabase(migrations: migrations)
    let membership = MembershipClient(try environment.channel(to: "membership"))
    let branding = BrandingClient(try environment.channel(to: "branding"))
    let partnersChannel = try environment.channel(to: "partners")
    let partners = PartnersClient(partnersChannel)
    let limits = Limits(environment.configuration)
    let mail = try MailSettings(environment.configuration, of: "organizations")
    let hooks = try HookSettings(environment.configuration)
    let pageTokens = PageTokens(keys: environment.keys)
    let service = Service(
        database: database, feed: FeedServer(database), identifiers: environment.identifiers,
        pageTokens: pageTokens, limits: limits,
        textRecords: SystemTextRecords(server: try .configured(environment.configuration)),
        others: OtherServices(
            membership: membership, branding: branding, partners: partners,
            modules: OrganizationModulesClient(partnersChannel),
            followingMax: limits.acknowledgementTimeMax), hooks: hooks.rules)
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
    let clock = environment.clock
    let mailDesk = MailDesk(
        database: database,
        addresses: { id in
            try await membership.listMailAddresses(
                ListMailAddressesRequest(organizationID: id.text),
                options: CallOptions(timeout: MailDesk.questionTimeMax)
            ).addresses
        }, limits: limits, clock: clock, logger: environment.logger)
    let sender = mail.sender(
        of: database, clock: clock, logger: environment.logger,
        ended: { try $0.noteEnd(ofMailsFor: $1) })
    let mails = MailService(
        database, pages: pageTokens, reopened: { try $0.noteReopening(ofMailsFor: $1) })
    try await database.settleHooks(at: clock.now())
    let hookDesk = HookDesk(
        database: database, identifiers: environment.identifiers, clock: clock,
        logger: environment.logger)
    let webhooks = WebhookTransport(
        rules: hooks.rules.addresses, allowsPlaintext: hooks.rules.allowsPlaintext,
        authorities: hooks.authorities)
    let hookSender = HookSender(
        database: database, clock: clock, logger: environment.logger, send: webhooks.send)
    let upkeep = Upkeep(database: database, limits: limits)
    return ServiceParts(
        methods: service.methods + [
            imports.registeredMethods, operators.registeredMethods, mails.registeredMethods,
        ],
        openMethods: Service.openMethods,
        children: [
            ServiceChild("imports", desk.run), ServiceChild("workflows", runner.run),
            ServiceChild("member counts", counts.run),
            ServiceChild("mails to write", mailDesk.run),
            ServiceChild("mails to send", sender.run),
            ServiceChild("hooks to tell", hookDesk.run),
            ServiceChild("hooks to call", hookSender.run),
            ServiceChild("upkeep") {
                try await upkeep.run(clock: environment.clock, logger: environment.logger)
            },
        ], verifiers: verifiers)
}
