import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service: ContactsService {
    func getContactReceivers(
        _ request: GetContactReceiversRequest, _ context: CallContext
    ) async throws -> ContactReceivers {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let day = context.now.day
        return try await database.read { [platformReceiver = limits.contactReceiver] snapshot in
            let (node, line) = try snapshot.organization(
                id, seenBy: principal, on: day, archive: .included)
            try principal.requireOpen(.openSettings, at: line)
            return try ContactReceivers(of: node, at: line, in: snapshot, or: platformReceiver)
        }
    }

    func setContactReceivers(
        _ request: SetContactReceiversRequest, _ context: CallContext
    ) async throws -> ContactReceivers {
        let principal = try context.principal
        let id = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let receivers = try Receivers(
            request.receivers.map { ($0.kind.rawValue, $0.addresses) },
            most: limits.contactReceiversMax)
        let now = context.now
        return try await database.command(context, request) {
            [platformReceiver = limits.contactReceiver] transaction in
            var (node, line) = try transaction.organization(id, seenBy: principal, on: now.day)
            try principal.requireOpen(.editAppearance, at: line)
            try context.requireMatch(version: node.version)
            if try transaction.receivers(of: id) != receivers {
                try transaction.set(receivers, of: id)
                node = try transaction.touch(node, in: line, at: now)
            }
            return try ContactReceivers(of: node, at: line, in: transaction, or: platformReceiver)
        }
    }

    func submitContact(
        _ request: SubmitContactRequest, _ context: CallContext
    ) async throws -> SubmitContactReply {
        let draft = try ContactDraft(
            kind: request.kind.rawValue, email: request.email, subject: request.subject,
            text: request.text)
        let slug = Slug.known(request.customURL)
        let id: ContactMessageID = identifiers.next()
        let now = context.now
        let start = now.advanced(by: .zero - HourlyPace.period)
        let (pace, fallback) = (limits.contactPace, limits.contactReceiver)
        try await database.write { transaction in
            // An address that leads nowhere is answered like one that does.
            let url = try slug.flatMap { try transaction.customURL($0) }
            let organization = url?.state == .enabled ? url?.organization : nil
            let line = try organization.map { Line(try transaction.levels(to: $0), on: now.day) }
            let receivers = EffectiveAddresses(
                of: draft.kind, along: try line.map(transaction.receivers(along:)) ?? [],
                platform: try transaction.platformReceivers(or: fallback))
            let message = ContactMessage(
                id: id, draft: draft, organization: organization,
                receivers: receivers.addresses, createdAt: now)
            guard try !transaction.isKnown(message, after: start) else { return }
            let counts = try transaction.contactMessageCounts(
                after: start, from: draft.senderKey)
            guard pace.admits(all: counts.all, ofOne: counts.ofSender) else {
                throw Refusal.tooManyMessages
            }
            try transaction.insert(message)
            try transaction.queueMails(of: message, at: now)
        }
        return SubmitContactReply()
    }
}

extension Reading {
    /// Who receives what no organization receives: as set, else as the program was told.
    func platformReceivers(or fallback: String) throws -> [String] {
        let set = try platformSettings().values.contactReceivers
        return set.isEmpty ? [fallback] : set
    }
}

extension ContactReceivers {
    fileprivate init(
        of node: Node, at line: Line, in reading: some Reading, or fallback: String
    ) throws {
        let along = try reading.receivers(along: line)
        let platform = try reading.platformReceivers(or: fallback)
        self.init(
            organizationID: node.id.text,
            own: QueryKind.allCases.compactMap { kind in
                along.first?.1.addresses[kind].map { addresses in
                    KindReceivers(kind: ContactKind(kind), addresses: addresses)
                }
            },
            effective: QueryKind.allCases.map { kind in
                let found = EffectiveAddresses(of: kind, along: along, platform: platform)
                return EffectiveReceivers(
                    kind: ContactKind(kind), addresses: found.addresses,
                    sourceOrganizationID: found.source?.text ?? "")
            },
            etag: EntityTag.of(version: node.version))
    }
}

extension ContactKind {
    fileprivate init(_ kind: QueryKind) {
        self.init(rawValue: Int32(kind.rawValue))
    }
}
