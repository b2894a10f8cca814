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
            do {
                let session = try await signIn(channel)
                try installation.keep(owner)
                if wantsDemonstration {
                    console.line("Loading the demonstration.")
                    let demonstration = Demonstration(channel: channel, token: session.token)
                    try await demonstration.load()
                    try installation.keep(DemonstrationState.loaded)
                }
                try await greet(channel, session)
            } catch let status as Status where status.code == .unauthenticated {
                console.line()
                console.line(
                    "\(owner.email) does not sign in with the password that is known here; it was "
                        + "changed, or another was given on the first start, or the databases were "
                        + "put back from a backup: the password of then holds. Everything runs all "
                        + "the same.")
            }
        }
    }

    /// Says what went wrong: all parts run, and nobody's work should end for a demonstration.
    func apologize(for error: any Error) {
        console.line()
        console.line(
            "The demonstration or the greeting failed: \(error). Everything runs all the same; "
                + "the next start tries again.")
    }

    /// Says where the API is, and that it answers.
    func sayReady() {
        console.line()
        console.line("Ctrl-C stops everything. The data stays in \(installation.data.path).")
        console.line("guildhall ready \(url)")
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
        console.line("In a browser: \(url)/console")
        console.line()
        console.line("By a program:")
        for line in example { console.line(line) }
    }

    /// Three lines for a shell that work as they stand while the session lasts.
    private func exampleCalls(_ channel: any Channel, _ token: String) async throws -> [String] {
        let authorization = "-H 'Authorization: Bearer \(token)'"
        let json = "-H 'Content-Type: application/json'"
        let credentials = try quoted(["email": owner.email, "password": owner.password])
        let signIn = "curl -s \(url)/v1/sessions \(json) -d \(credentials)"
        let list = "curl -s '\(url)/v1/organizations' \(authorization)"
        let demonstration = Demonstration(channel: channel, token: token)
        guard let school = try await demonstration.fullSchool() else {
            let create = try quoted([
                "title": "My school", "category": "ORGANIZATION_CATEGORY_ACADEMIC_K12",
                "country": "US",
            ])
            return [
                signIn, list,
                "curl -s \(url)/v1/organizations \(authorization) \(json) -d \(create)",
            ]
        }
        let person = try quoted(["email": "one.too.many@riverside.example", "name": "Too Many"])
        let members = "\(url)/v1/organizations/\(school.id)/members"
        return [signIn, list, "curl -s \(members) \(authorization) \(json) -d \(person)"]
    }

    /// A JSON object as one word of a shell, whatever its texts hold.
    private func quoted(_ members: [String: String]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(members), as: UTF8.self)
        return "'" + text.replacing("'", with: "'\\''") + "'"
    }
}
