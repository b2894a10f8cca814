import RPC
import ServiceKit

await ServiceRunner(
    name: "gateway", defaultPort: 7100,
    upstreams: [.organizations, .membership, .partners, .branding], keys: Configuration.keys
).main { environment in
    let configuration = try Configuration(environment.configuration)
    let upstreams = Upstreams(
        organizations: try environment.plainChannel(to: "organizations"),
        membership: try environment.plainChannel(to: "membership"),
        partners: try environment.plainChannel(to: "partners"),
        branding: try environment.plainChannel(to: "branding"))
    let sessions = Sessions(membership: upstreams.membership, signer: environment.signer)
    let openCalls = OpenCalls(limits: configuration.limits, proxies: configuration.trustedProxies)
    let address = HTTPAddress(configured: configuration.publicURL)
    let api = API(
        routes: RouteTable(Routes.all), transcoder: Transcoder(limits: configuration.limits),
        sessions: sessions, openCalls: openCalls, upstreams: upstreams)
    let door = PageDoor(
        sessions: sessions, openCalls: openCalls, upstreams: upstreams, address: address,
        limits: configuration.limits)
    let front = Front(
        limits: configuration.limits, api: api,
        pages: Pages(upstreams: upstreams, address: address),
        assets: Assets(
            branding: upstreams.branding, callTimeout: configuration.limits.callTimeout),
        contact: Contact(
            organizations: upstreams.organizations, openCalls: openCalls, address: address,
            limits: configuration.limits),
        accounts: Accounts(door: door, api: api),
        crossOrigin: configuration.crossOrigin, logger: environment.logger)
    let http = HTTPServer(
        front: front, host: environment.configuration.host, port: configuration.httpPort,
        address: address)
    let port = RPCPort(
        sessions: sessions, openCalls: openCalls, upstreams: upstreams, routes: Routes.all)
    return ServiceParts(
        methods: [port.methods],
        children: [ServiceChild("http", http.run)], authentication: OwnAuthentication(),
        readySuffix: address.whenListening)
}
