import Foundation
import Logging
import Messages
import RPC
import RPCTransport

/// Loads the demonstration on the first start and tells the person at the terminal what to do.
struct Welcome: Sendable {
    let installation: Installation
    let ports: Ports
    let owner: OwnerSignIn
    let console: Console

    private var url: String { "http://\(Ports.host):\(ports.http)" }

    func run(loadingDemonstration wantsDemonstration: Bool) async throws {
        try await withChannel { channel in
            let session = try await signIn(channel)
            if wantsDemonstration && !installation.hasDemonstration {
                console.line("Loading the demonstration.")
                let demonstration = Demonstration(channel: channel, token: session.token)
                try await demonstration.load()
                try installation.markDemonstration()
            }
            try await greet(channel, session)
        }
    }

    private func withChannel(_ body: (any Channel) async throws -> Void) async throws {
        let client = RPCClient(
            .tcp(host: Ports.host, port: ports.rpcPort(of: .gateway)),
            logger: Logger(label: "guildhall") { _ in SwiftLogNoOpLogHandler() })
        do {
            try await body(client)
        } catch {
            await client.close()
            throw error
        }
        await client.close()
    }

    private func signIn(_ channel: any Channel) async throws -> Session {
        try await MembershipClient(channel).signIn(
            SignInRequest(email: owner.email, password: owner.password),
            options: CallOptions(timeout: .seconds(10)))
    }

    private func greet(_ channel: any Channel, _ session: Session) async throws {
        let example = try await exampleCalls(channel, session.token)
        console.line()
        console.line("Sign-in: \(owner.email)  password: \(owner.password)")
        console.line("         (kept in \(installation.ownerFilePath), readable by you alone)")
        console.line()
        console.line("Try it:")
        for line in example { console.line(line) }
        console.line()
        console.line("Ctrl-C stops everything. The data stays in \(installation.data.path).")
        console.line("guildhall ready \(url)")
    }

    /// Three lines for a shell that work as they stand while the session lasts.
    private func exampleCalls(_ channel: any Channel, _ token: String) async throws -> [String] {
        let authorization = "-H 'Authorization: Bearer \(token)'"
        let json = "-H 'Content-Type: application/json'"
        let signIn = """
            curl -s \(url)/v1/sessions \(json) -d '{"email": "\(owner.email)", \
            "password": "\(owner.password)"}'
            """
        let list = "curl -s '\(url)/v1/organizations' \(authorization)"
        let demonstration = Demonstration(channel: channel, token: token)
        guard let school = try await demonstration.fullSchool() else {
            let create = """
                curl -s \(url)/v1/organizations \(authorization) \(json) -d '{"title": "My school", \
                "category": "ORGANIZATION_CATEGORY_ACADEMIC_K12", "country": "US"}'
                """
            return [signIn, list, create]
        }
        let refused = """
            curl -s \(url)/v1/organizations/\(school.id)/members \(authorization) \(json) \
            -d '{"email": "one.too.many@riverside.example", "name": "One Too Many"}'
            """
        return [signIn, list, refused]
    }
}
