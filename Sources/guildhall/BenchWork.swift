import ArgumentParser
import DynamicMessages
import Foundation
import Messages
import RPC
import RPCTransport

/// A call to be made again and again.
struct BenchWork: Sendable {
    let method: MethodDescriptor
    let target: TargetArgument
    /// The data folder whose key signs the calls, unless another is named.
    let dataFolder: String?
    private let options: @Sendable () -> CallOptions
    private let request: @Sendable (_ number: Int) throws -> OutgoingMessage

    /// Calls whose requests are made by a closure from the number of the call.
    init(
        _ method: MethodDescriptor, target: TargetArgument, dataFolder: String? = nil,
        options: @escaping @Sendable () -> CallOptions,
        request: @escaping @Sendable (_ number: Int) throws -> OutgoingMessage
    ) {
        self.method = method
        self.target = target
        self.dataFolder = dataFolder
        self.options = options
        self.request = request
    }

    /// Calls whose requests are made from a document.
    init(_ call: DynamicCall, document: String, target: TargetArgument) throws {
        guard !call.method.streamsRequests else {
            throw ValidationError("bench makes calls of one request; \(call.method.path) streams.")
        }
        let run = BenchWork.runName()
        let filled = document.replacing("{{run}}", with: run)
        // Also shows now what is wrong with the document.
        let first = try call.encode(filled.replacing("{{counter}}", with: "0"))
        let isConstant = !filled.contains("{{counter}}")
        self.init(call.method.descriptor, target: target, options: { call.keyed() }) { number in
            guard !isConstant else { return .encoded(first) }
            return .encoded(
                try call.encode(filled.replacing("{{counter}}", with: "\(number)")))
        }
    }

    /// Makes the call with a number.
    func call(_ number: Int, over channel: any Channel) async throws {
        let request = try request(number)
        if method.kind == .serverStreaming {
            try await channel.serverStreaming(method, request, options: options()) { _ in }
        } else {
            _ = try await channel.unary(method, request, options: options())
        }
    }

    /// Eight letters and digits that no other run has.
    static func runName() -> String {
        String(UUID().uuidString.lowercased().prefix(8))
    }
}

/// What can be measured at an installation without more ado.
enum BenchPreset: String, CaseIterable {
    /// Organizations/GetOrganization, a read.
    case getOrganization = "get-organization"
    /// Membership/AddMember, a durable write.
    case addMember = "add-member"
    /// Health/Check of Organizations: the cost of a call that does nothing.
    case checkHealth = "check-health"

    /// The data folder of `guildhall start`.
    private static let dataFolderDefault = "data"

    /// Prepares the installation and says what is to be called.
    func work(_ command: BenchCommand, _ loops: RPCEventLoops) async throws -> BenchWork {
        let options = command.caller.callOptions
        let folder = command.caller.data ?? Self.dataFolderDefault
        switch self {
        case .checkHealth:
            return BenchWork(
                HealthMethods.check, target: command.target ?? command.organizations,
                options: { options }
            ) { _ in .message(CheckHealthRequest()) }
        case .getOrganization:
            let target = command.target ?? command.organizations
            let id = try await makeOrganization(command, at: target, folder, loops)
            return BenchWork(
                OrganizationsMethods.getOrganization, target: target, dataFolder: folder,
                options: { options }
            ) { _ in .message(GetOrganizationRequest(id: id)) }
        case .addMember:
            let id = try await makeOrganization(command, at: command.organizations, folder, loops)
            let run = BenchWork.runName()
            return BenchWork(
                MembershipMethods.addMember, target: command.target ?? command.membership,
                dataFolder: folder, options: { Self.keyed(options) }
            ) { number in
                .message(
                    AddMemberRequest(
                        organizationID: id, email: "p\(number)@\(run).example",
                        name: "Person \(number)"))
            }
        }
    }

    private static func keyed(_ options: CallOptions) -> CallOptions {
        var options = options
        options.metadata[text: MetadataKey.idempotencyKey] = UUID().uuidString
        return options
    }

    private func makeOrganization(
        _ command: BenchCommand, at target: TargetArgument, _ folder: String,
        _ loops: RPCEventLoops
    ) async throws -> String {
        let client = try target.client(loops: loops, command.caller.protection.security())
        let organization = try await OrganizationsClient(
            try command.caller.signed(client, data: folder)
        ).createOrganization(
            CreateOrganizationRequest(
                title: "Bench \(BenchWork.runName())", category: .businessCompany, country: "US"),
            options: CallOptions(timeout: .seconds(10)))
        await client.close()
        return organization.id
    }
}
