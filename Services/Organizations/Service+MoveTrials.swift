import Access
import Messages
import RPC
import ServiceKit
import Storage

// The dry run of a move: what would be otherwise, and what refuses it. Membership, Branding and
// Partners are asked; one that does not answer leaves a gap, which is told.

extension Service {
    /// What would come of a move.
    func tryMove(
        _ id: OrganizationID, to target: OrganizationID?, _ context: CallContext
    ) async throws -> MoveOrganizationReply {
        let principal = try context.principal
        let day = context.now.day
        let (facts, own, sight) = try await database.read {
            [platformReceiver = limits.contactReceiver] snapshot in
            let facts = try snapshot.moveFacts(of: id, to: target, for: principal, on: day)
            guard let node = try snapshot.node(id) else { throw OutOfScope() }
            var reply = MoveOrganizationReply(organization: Organization(node, in: facts.line))
            let sight = try snapshot.sight(
                of: principal, among: (facts.line.ids + (facts.target?.ids ?? [])).map(\.text),
                on: day)
            if facts.isNothing { return (facts, reply, sight) }
            reply.effects = try snapshot.effects(of: facts, or: platformReceiver)
            reply.obstacles = facts.obstacles.map(MoveObstacle.init)
            if try snapshot.isMoving(facts) {
                reply.obstacles.append(MoveObstacle(.organizationMoving))
            }
            return (facts, reply, sight)
        }
        if facts.isNothing { return own }
        var reply = own
        // Of what cannot be nobody can say what would come of it.
        if !facts.obstacles.contains(.cycle) {
            reply.add(try await opinions(on: id, to: target, context))
        }
        reply.hideOrganizations(except: sight)
        return reply
    }

    /// What the other services say of a move, asked at the same time.
    private func opinions(
        on id: OrganizationID, to target: OrganizationID?, _ context: CallContext
    ) async throws -> MoveOpinions {
        let (organization, parent) = (id.text, target?.text ?? "")
        // What is left of the deadline is for the answer: a gap is told in time.
        let timeout = context.patience(atMost: limits.acknowledgementTimeMax)
        async let counts = ifAnswered {
            try await others.membershipTries(
                MoveSubtreeRequest(
                    organizationID: organization, newParentID: parent, dryRun: true),
                context.tracing(timeout: timeout))
        }
        async let looks = ifAnswered {
            try await others.brandingTries(
                PreviewAppearanceRequest(organizationID: organization, newParentID: parent),
                context.tracing(timeout: timeout))
        }
        async let assignment = ifAnswered {
            try await others.partnersTry(
                PreviewAssignmentRequest(organizationID: organization, newParentID: parent),
                context.tracing(timeout: timeout))
        }
        async let modules = ifAnswered {
            try await others.modulesTry(
                PreviewModulesRequest(organizationID: organization, newParentID: parent),
                context.tracing(timeout: timeout))
        }
        return try await MoveOpinions(
            counts: counts, looks: looks, assignment: assignment, modules: modules)
    }

    /// What a service answers; nil when it does not answer, or does not know the organization yet.
    private func ifAnswered<Reply: Sendable>(
        _ call: @Sendable () async throws -> Reply
    ) async throws -> Reply? {
        do {
            return try await call()
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            guard Status(thrown: error).leavesGap else { throw error }
            return nil
        }
    }
}

/// What the other services say of a move; nil: nothing.
private struct MoveOpinions: Sendable {
    let counts: MoveSubtreeReply?
    let looks: PreviewAppearanceReply?
    let assignment: PreviewAssignmentReply?
    let modules: PreviewModulesReply?
}

extension MoveOrganizationReply {
    /// Adds what the other services say, and names the aspects of which they say nothing.
    fileprivate mutating func add(_ opinions: MoveOpinions) {
        if let counts = opinions.counts {
            effects += counts.capChanges.map(MoveEffect.init)
            obstacles += counts.gates.map(MoveObstacle.init)
        } else {
            unknownAspects.append("limits")
        }
        if let looks = opinions.looks {
            effects += looks.changes.map(MoveEffect.init)
        } else {
            unknownAspects.append("branding")
        }
        if let assignment = opinions.assignment {
            effects += [MoveEffect(assignment)].compactMap { $0 }
        } else {
            unknownAspects.append("partner")
        }
        if let modules = opinions.modules {
            effects += [MoveEffect(modules)].compactMap { $0 }
        } else {
            unknownAspects.append("modules")
        }
    }

    /// Leaves out the identifiers of organizations that the caller may not know of.
    ///
    /// What holds at the organization itself is the caller's to see: values stay.
    fileprivate mutating func hideOrganizations(except sight: Sight) {
        for index in effects.indices {
            effects[index].fromOrganizationID = sight.shown(effects[index].fromOrganizationID)
            effects[index].toOrganizationID = sight.shown(effects[index].toOrganizationID)
        }
        for index in obstacles.indices {
            obstacles[index].organizationID = sight.shown(obstacles[index].organizationID)
        }
    }
}

extension MoveFacts {
    /// The state that would hold, if it is another.
    fileprivate var stateEffect: MoveEffect? {
        let moved = Line(below: target, line.end, on: line.day)
        guard moved.state != line.state else { return nil }
        return MoveEffect(
            aspect: "state", fromOrganizationID: line.obstacle?.id.text ?? "",
            toOrganizationID: moved.obstacle?.id.text ?? "",
            fromValue: "\(EffectiveState(line.state))",
            toValue: "\(EffectiveState(moved.state))")
    }
}

extension Reading {
    /// Whether the tree at the old place or the new is closed for another move.
    fileprivate func isMoving(_ facts: MoveFacts) throws -> Bool {
        try [facts.line, facts.target].compactMap(\.self).contains { line in
            try isMoving(inTreeOf: line.levels[0].number)
        }
    }

    /// What the organization would have otherwise at the new place, as far as it is known here.
    fileprivate func effects(
        of facts: MoveFacts, or platformReceiver: String
    ) throws -> [MoveEffect] {
        let own = [facts.stateEffect, try discountEffect(of: facts)]
        return try own.compactMap(\.self) + contactEffects(of: facts, or: platformReceiver)
    }

    private func discountEffect(of facts: MoveFacts) throws -> MoveEffect? {
        let day = facts.line.day
        let discounts = try discounts(along: facts.line.end.number)
        let above = try facts.target.map { try self.discounts(along: $0.end.number) } ?? []
        let before = EffectiveDiscount(along: discounts, on: day)
        let after = EffectiveDiscount(along: discounts.prefix(1) + above, on: day)
        guard before != after else { return nil }
        return MoveEffect(
            aspect: "member_discount", fromOrganizationID: before.source?.text ?? "",
            toOrganizationID: after.source?.text ?? "",
            fromValue: Percentage.text(before.basisPoints),
            toValue: Percentage.text(after.basisPoints))
    }

    private func contactEffects(
        of facts: MoveFacts, or platformReceiver: String
    ) throws -> [MoveEffect] {
        let receivers = try receivers(along: facts.line)
        let above = try facts.target.map { try self.receivers(along: $0) } ?? []
        let platform = try platformReceivers(or: platformReceiver)
        return QueryKind.allCases.compactMap { kind in
            let before = EffectiveAddresses(of: kind, along: receivers, platform: platform)
            let after = EffectiveAddresses(
                of: kind, along: receivers.prefix(1) + above, platform: platform)
            return before == after ? nil : MoveEffect(from: before, to: after)
        }
    }
}

extension MoveObstacle {
    fileprivate init(_ refusal: Refusal) {
        var place: OrganizationID?
        if case .organizationNotActive(let id) = refusal { place = id }
        let status = refusal.status
        self.init(
            code: status.reason ?? "", organizationID: place?.text ?? "",
            message: status.message)
    }

    /// A limit under which not all have room.
    fileprivate init(_ gate: AdmissionGate) {
        self.init(
            code: gate.code, organizationID: gate.organizationID,
            message: """
                \(gate.newcomers) more do not fit under a limit of \(gate.kind): \
                \(gate.used) of \(gate.cap) are taken.
                """)
    }
}

extension MoveEffect {
    /// A limit that begins or ends to count.
    fileprivate init(_ change: CapChange) {
        self.init(
            aspect: "\(change.kind)_limit",
            fromOrganizationID: change.begins ? "" : change.organizationID,
            toOrganizationID: change.begins ? change.organizationID : "",
            fromValue: change.begins ? "" : String(change.cap),
            toValue: change.begins ? String(change.cap) : "")
    }

    /// Others who receive what people write.
    fileprivate init(from before: EffectiveAddresses, to after: EffectiveAddresses) {
        self.init(
            aspect: "contact_receivers.\(before.kind.word)",
            fromOrganizationID: before.source?.text ?? "",
            toOrganizationID: after.source?.text ?? "",
            fromValue: before.addresses.joined(separator: ", "),
            toValue: after.addresses.joined(separator: ", "))
    }

    /// A part of an appearance that is another, or is set elsewhere.
    fileprivate init(_ change: AppearanceChange) {
        self.init(
            aspect: "branding.\(change.field)",
            fromOrganizationID: change.from?.source?.organizationID ?? "",
            toOrganizationID: change.to?.source?.organizationID ?? "",
            fromValue: change.from?.value ?? "", toValue: change.to?.value ?? "")
    }

    /// Another partner, or one that is assigned elsewhere; nil when it stays.
    fileprivate init?(_ reply: PreviewAssignmentReply) {
        let (from, to) = (reply.from ?? PartnerPlace(), reply.to ?? PartnerPlace())
        guard from != to else { return nil }
        self.init(
            aspect: "partner", fromOrganizationID: from.organizationID,
            toOrganizationID: to.organizationID, fromValue: from.partnerName,
            toValue: to.partnerName)
    }

    /// Other modules, or a restriction that is set elsewhere; nil when both stay.
    fileprivate init?(_ reply: PreviewModulesReply) {
        let (from, to) = (reply.from ?? ModulePlace(), reply.to ?? ModulePlace())
        guard from != to else { return nil }
        self.init(
            aspect: "modules", fromOrganizationID: from.organizationID,
            toOrganizationID: to.organizationID, fromValue: from.words, toValue: to.words)
    }
}

extension ModulePlace {
    /// The most names that are told; how many more there are is told after them.
    private static var namesMax: Int { 100 }

    /// What may be used, for a person: names, `all`, or nothing.
    fileprivate var words: String {
        if unrestricted { return "all" }
        let named = moduleNames.prefix(Self.namesMax)
        let more = moduleNames.count - named.count
        return named.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    }
}

extension Status {
    /// Whether a dry run goes on without the answer: nobody is there, there was no time, the
    /// organization has not arrived, or an older version does not know the question.
    fileprivate var leavesGap: Bool {
        switch code {
        case .unavailable, .deadlineExceeded, .resourceExhausted, .notFound, .unimplemented: true
        default: false
        }
    }
}
