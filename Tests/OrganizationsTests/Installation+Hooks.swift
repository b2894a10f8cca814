import Access
import Foundation
import Logging
import Messages
import RPC
import ServiceKit
import Storage
import TestSupport
import Webhooks

@testable import Organizations

extension HookRules {
    /// What an operator allows who has receivers on the same machine.
    static let onLoopback = HookRules(
        allowsPlaintext: true,
        addresses: AddressRules(allowing: ["127.0.0.0/8"].compactMap(Network.init)))
}

extension Installation {
    /// Hooks as a person with grants calls them.
    func hooks(_ grants: Access.Grant...) throws -> HooksClient {
        HooksClient(try channel(grants))
    }

    /// What tells hooks.
    func hookDesk(_ pace: HookPace = HookPace()) -> HookDesk {
        HookDesk(
            database: database, identifiers: identifiers, clock: clock.clock,
            logger: Logger(label: "test"), pace: pace)
    }

    /// What calls hooks, over real sockets.
    func hookSender(_ pace: HookPace = HookPace()) -> HookSender {
        HookSender(
            database: database, clock: clock.clock, logger: Logger(label: "test"),
            send: WebhookTransport(
                rules: HookRules.onLoopback.addresses, allowsPlaintext: true
            ).send, pace: pace)
    }

    /// What calls hooks where nobody is there to be called.
    func hookSender(
        _ pace: HookPace = HookPace(),
        _ send: @escaping @Sendable (WebhookCall) async -> WebhookOutcome
    ) -> HookSender {
        HookSender(
            database: database, clock: clock.clock, logger: Logger(label: "test"), send: send,
            pace: pace)
    }
}

extension HooksClient {
    /// A hook of an organization.
    func create(
        _ url: String = "https://example.com/hook", at organization: Organization,
        kinds: [HookEventKind] = []
    ) async throws -> CreateHookReply {
        try await createHook(
            CreateHookRequest(organizationID: organization.id, url: url, kinds: kinds))
    }

    /// What a hook was or will be sent, the oldest first.
    func deliveries(
        of hook: CreateHookReply, _ state: Messages.HookDeliveryState = .unspecified
    ) async throws -> [HookDelivery] {
        let reply = try await listHookDeliveries(
            ListHookDeliveriesRequest(
                organizationID: hook.hook?.organizationID ?? "", hookID: hook.hook?.id ?? "",
                state: state, pageSize: 500))
        return reply.deliveries.reversed()
    }
}

/// What a call says, as its receiver reads it.
struct Told: Decodable, Hashable {
    struct Data: Decodable, Hashable {
        var id: String?
        var parentId: String?
        var title: String?
        var status: String?
        var archived: Bool?
        var origin: String?
        var externalId: String?
        var version: String?
        var movedAway: Bool?
        var lapse: String?
        var lastDay: String?
        var hookId: String?
        var organizationId: String?
    }

    let type: String
    let timestamp: String
    let data: Data

    /// What is told, in short.
    var words: String {
        let name = data.title ?? (data.movedAway == true ? "(moved away)" : "-")
        return "\(type.split(separator: ".").last ?? "") \(name)"
    }
}

extension HookDelivery {
    /// What it says.
    var told: Told {
        get throws { try JSONDecoder().decode(Told.self, from: Data(body.utf8)) }
    }
}
