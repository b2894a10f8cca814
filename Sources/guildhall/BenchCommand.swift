import Access
import ArgumentParser
import Foundation
import Logging
import Messages
import RPC
import RPCTransport
import ServiceKit

/// `guildhall bench`: loads a running installation and reports calls a second and latencies.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures a running installation by RPC, closed loop.",
        discussion: """
            It makes an organization of its own, and members in it when adding is measured. Run it \
            against an installation that you can delete.
            """
    )

    /// What is called again and again.
    enum Subject: String, ExpressibleByArgument, CaseIterable {
        /// Organizations/GetOrganization, a read.
        case getOrganization = "get-organization"
        /// Membership/AddMember, a durable write.
        case addMember = "add-member"
        /// Health/Check of Organizations: the cost of a call that does nothing.
        case checkHealth = "check-health"
    }

    @Argument(help: "What to call: get-organization, add-member or check-health.")
    var subject: Subject
    @Option(help: "The folder of the installation's data; its operator key signs the calls.")
    var data = "data"
    @Option(help: "The RPC address of Organizations.")
    var organizations = "127.0.0.1:7101"
    @Option(help: "The RPC address of Membership.")
    var membership = "127.0.0.1:7102"
    @Option(help: "How many connections.")
    var connections = 8
    @Option(help: "How many calls in flight on each connection.")
    var inFlight = 16
    @Option(help: "How many seconds to measure.")
    var seconds = 5
    @Flag(help: "Prints one line of JSON.")
    var json = false

    func validate() throws {
        for (name, value) in [
            ("connections", connections), ("in-flight", inFlight), ("seconds", seconds),
        ] where !(1...10_000).contains(value) {
            throw ValidationError("--\(name) is from 1 to 10000")
        }
    }

    func run() async throws {
        let loops = RPCEventLoops()
        let report: LoadGenerator.Report
        switch subject {
        case .getOrganization: report = try await getOrganization(loops)
        case .addMember: report = try await addMember(loops)
        case .checkHealth: report = try await checkHealth(loops)
        }
        await loops.shutDown()
        show(report)
        guard report.failures == 0 else { throw ExitCode.failure }
    }
}

extension BenchCommand {
    private var generator: LoadGenerator {
        LoadGenerator(
            callers: connections * inFlight, duration: .seconds(seconds), warmUp: .seconds(1))
    }

    private func getOrganization(_ loops: RPCEventLoops) async throws -> LoadGenerator.Report {
        let clients = try clients(of: "organizations", at: organizations, loops)
        let organization = try await makeOrganization(clients[0])
        return await generator.run { caller, _ in
            _ = try await OrganizationsClient(clients[caller % clients.count])
                .getOrganization(GetOrganizationRequest(id: organization.id))
        }
    }

    private func addMember(_ loops: RPCEventLoops) async throws -> LoadGenerator.Report {
        let organization = try await makeOrganization(
            try clients(of: "organizations", at: organizations, loops)[0])
        let clients = try clients(of: "membership", at: membership, loops)
        let run = UUID().uuidString.lowercased()
        return await generator.run { caller, count in
            _ = try await MembershipClient(clients[caller % clients.count]).addMember(
                AddMemberRequest(
                    organizationID: organization.id,
                    email: "p\(count)@c\(caller).\(run).example", name: "Person \(count)"))
        }
    }

    private func checkHealth(_ loops: RPCEventLoops) async throws -> LoadGenerator.Report {
        let clients = try clients(of: "organizations", at: organizations, loops)
        return await generator.run { caller, _ in
            _ = try await HealthClient(clients[caller % clients.count])
                .check(CheckHealthRequest())
        }
    }

    /// A client for each connection; its calls act for a platform owner.
    private func clients(
        of service: String, at address: String, _ loops: RPCEventLoops
    ) throws -> [OperatorChannel] {
        let folder = URL(filePath: data).appending(path: "keys").path
        let signer = PrincipalSigner(
            keys: try KeyRing(folder: folder, name: Installation.operatorName))
        let target = try RPCAddress(parsing: address)
        let person = IdentifierSource(clock: .system).next() as UserID
        return (0..<connections).map { _ in
            OperatorChannel(
                client: RPCClient(
                    target, loops: loops,
                    logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }),
                signer: signer, person: person, audience: service)
        }
    }

    private func makeOrganization(_ channel: OperatorChannel) async throws -> Organization {
        try await OrganizationsClient(channel).createOrganization(
            CreateOrganizationRequest(
                title: "Bench \(UUID().uuidString)", category: .businessCompany, country: "US"),
            options: CallOptions(timeout: .seconds(10)))
    }

    private func show(_ report: LoadGenerator.Report) {
        let console = Console()
        let rate = Int(report.callsPerSecond)
        let latencies = [50.0, 90, 99, 99.9].map { ($0, report.microseconds(at: $0)) }
        if json {
            let members = latencies.map { "\"p\($0.0)_us\": \($0.1)" }.joined(separator: ", ")
            console.line(
                "{\"subject\": \"\(subject.rawValue)\", \"connections\": \(connections), "
                    + "\"in_flight\": \(inFlight), \"calls_per_second\": \(rate), "
                    + "\"failures\": \(report.failures), \(members)}")
        } else {
            console.line("\(subject.rawValue), \(connections) × \(inFlight) in flight")
            console.line("  \(rate) calls/s, \(report.failures) failed")
            for (percentile, value) in latencies {
                console.line("  p\(percentile)  \(value) µs")
            }
        }
        if let failure = report.firstFailure { console.line("  first failure: \(failure)") }
    }
}

/// A connection whose calls act for a platform owner, stated by the operator's key.
struct OperatorChannel: Channel {
    let client: RPCClient
    let signer: PrincipalSigner
    let person: UserID
    let audience: String

    func unary(
        _ method: MethodDescriptor, _ request: OutgoingMessage, options: CallOptions
    ) async throws -> any Payload {
        try await client.unary(method, request, options: try signed(options))
    }

    func serverStreaming(
        _ method: MethodDescriptor, _ request: OutgoingMessage, options: CallOptions,
        onReply: @Sendable (any Payload) async throws -> Void
    ) async throws {
        try await client.serverStreaming(
            method, request, options: try signed(options), onReply: onReply)
    }

    private func signed(_ options: CallOptions) throws -> CallOptions {
        var options = options
        options.metadata[bytes: MetadataKey.principal] = try signer.user(
            person, grants: [Access.Grant(.platformOwner, at: nil)], audience: audience)
        return options
    }
}
