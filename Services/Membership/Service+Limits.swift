import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

extension Service {
    func getCaps(_ request: GetCapsRequest, _ context: CallContext) async throws -> Caps {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        return try await whenKnown {
            try database.readInline { snapshot in
                let path = try path(to: organization, context, in: snapshot)
                try checkView(.openSettings, caller, path)
                return try Self.caps(at: path, in: snapshot)
            }
        }
    }

    func updateCaps(_ request: UpdateCapsRequest, _ context: CallContext) async throws -> Caps {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let change = try Parse.capChange(request)
        return try await whenKnown {
            try await database.command(context, request) { transaction in
                let path = try path(to: organization, context, in: transaction)
                if change.touchesMembers {
                    try check(caller.decide(.setMembersLimit, at: path.ids, pausedAt: path.pause))
                }
                if change.touchesQuotas {
                    try check(
                        caller.decide(
                            .setRoleQuotasAndModules, at: path.ids, pausedAt: path.pause))
                }
                var settings = try transaction.settings(of: organization)
                try context.requireMatch(version: settings.capsVersion)
                settings.capsVersion += 1
                for (kind, cap) in change.values {
                    try transaction.setCap(cap, of: kind, at: organization)
                }
                for kind in change.remove {
                    try transaction.setCap(nil, of: kind, at: organization)
                }
                try transaction.put(settings, of: organization)
                return try Self.caps(at: path, in: transaction)
            }
        }
    }

    private static func caps(at path: TreePath, in reading: some Reading) throws -> Caps {
        let organization = path.node.id
        let counters = try upward(path, in: reading)
        var set = CapSet()
        for counter in counters where counter.node == organization {
            set.caps[counter.kind] = counter.cap
        }
        return Caps(
            of: organization, set, version: try reading.settings(of: organization).capsVersion,
            warnings: set.warnings(at: organization, counters))
    }

    /// Every count of people on a path, the organization's own first.
    private static func upward(_ path: TreePath, in reading: some Reading) throws -> [Counter] {
        Admission.counters(
            try reading.counters(at: path.ids, for: nil), path: path.ids,
            roles: [.student, .teacher], takesSeat: false)
    }

    func getUsage(_ request: GetUsageRequest, _ context: CallContext) async throws -> Usage {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        return try await whenKnown {
            try database.readInline { snapshot in
                let path = try path(to: organization, context, in: snapshot)
                try checkView(.openSettings, caller, path)
                let counters = try Self.upward(path, in: snapshot)
                let people = counters.first { $0.node == organization && $0.kind == .members }
                return Usage(
                    organizationID: organization.text, people: people?.used ?? 0,
                    caps: counters.filter { $0.node == organization || $0.cap != nil }
                        .map { CapUsage($0) },
                    seats: try Self.seats(of: organization, in: snapshot))
            }
        }
    }

    // MARK: - Seats

    func getSeats(_ request: GetSeatsRequest, _ context: CallContext) async throws -> Seats {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        return try await whenKnown {
            try database.readInline { snapshot in
                let path = try path(to: organization, context, in: snapshot)
                // Whoever may set the number may read it.
                if caller.decide(.setSeatCount, at: path.ids, pausedAt: path.pause) != .allowed {
                    try checkView(.openSettings, caller, path)
                }
                return try Self.seats(of: organization, in: snapshot)
            }
        }
    }

    func updateSeats(_ request: UpdateSeatsRequest, _ context: CallContext) async throws -> Seats {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let count = try Parse.seatCount(request.seatCount)
        let now = context.now
        return try await whenKnown {
            try await database.command(context, request) { transaction in
                let path = try path(to: organization, context, in: transaction)
                try check(caller.decide(.setSeatCount, at: path.ids, pausedAt: path.pause))
                let settings = try transaction.settings(of: organization)
                try context.requireMatch(version: settings.seatsVersion)
                let pool = try transaction.seatPool(of: organization, settings).resized(to: count)
                return try transaction.keep(
                    pool, of: organization, settings, cause: .settings, at: now)
            }
        }
    }

    func listSeatLedger(
        _ request: ListSeatLedgerRequest, _ context: CallContext
    ) async throws -> ListSeatLedgerReply {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        var arguments = request
        arguments.pageSize = 0
        arguments.pageToken = ""
        let page = try pageTokens.page(
            context, size: request.pageSize, token: request.pageToken, arguments: arguments)
        let before = try Parse.sequence(after: page)
        return try await whenKnown {
            try await database.read { snapshot in
                let path = try path(to: organization, context, in: snapshot)
                try checkView(.openSettings, caller, path)
                let found = try snapshot.ledger(
                    of: organization, before: before, limit: page.limit)
                let (lines, next) = page.cut(found) { [$0.sequence] }
                return ListSeatLedgerReply(
                    entries: lines.map { SeatLedgerEntry($0) }, nextPageToken: next,
                    totalSize: try snapshot.ledgerLineCount(of: organization))
            }
        }
    }

    func listWorkspaces(
        _ request: ListWorkspacesRequest, _ context: CallContext
    ) async throws -> ListWorkspacesReply {
        let caller = try context.principal
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        return try await whenKnown {
            try await database.read { snapshot in
                let path = try path(to: organization, context, in: snapshot)
                try checkView(.viewOrganization, caller, path)
                return ListWorkspacesReply(
                    workspaces: try snapshot.workspaces(of: organization).map { Workspace($0) })
            }
        }
    }

    private static func seats(
        of organization: OrganizationID, in reading: some Reading
    ) throws -> Seats {
        let settings = try reading.settings(of: organization)
        return Seats(
            of: organization, try reading.seatPool(of: organization, settings),
            version: settings.seatsVersion)
    }

    // MARK: - Sold seats

    func grantSeats(_ request: GrantSeatsRequest, _ context: CallContext) async throws -> Seats {
        try context.require(.grantSeats)
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let quantity = try Parse.quantity(request.quantity)
        let sale = try Text.accept(request.saleID, field: "sale_id", lengths: 1...100)
        let key = try context.idempotencyKey
        let now = context.now
        return try await whenKnown(otherwise: Denial.treeBehind) {
            try await database.command(context, request) { transaction in
                _ = try path(to: organization, context, in: transaction)
                // Granted long ago, and the stored reply is gone.
                if try transaction.seatGrant(key: key) != nil {
                    return try Self.seats(of: organization, in: transaction)
                }
                // The sale was fulfilled before, in a past that its seller has forgotten: the grant
                // is that of the attempt that goes on, which alone may undo it.
                if let granted = try transaction.seatGrantKey(ofSale: sale, at: organization) {
                    try transaction.rename(seatGrant: granted, to: key)
                    return try Self.seats(of: organization, in: transaction)
                }
                let settings = try transaction.settings(of: organization)
                let before = try transaction.seatPool(of: organization, settings)
                try transaction.add(
                    SeatGrantRecord(
                        key: key, organization: organization, quantity: quantity, sale: sale,
                        wasUnlimited: before.count == nil, granted: now))
                return try transaction.keep(
                    try before.granted(quantity), of: organization, settings, cause: .sale,
                    at: now)
            }
        }
    }

    func cancelSeatGrant(
        _ request: CancelSeatGrantRequest, _ context: CallContext
    ) async throws -> CancelSeatGrantReply {
        try context.require(.grantSeats)
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        let key = request.grantKey
        let now = context.now
        try await database.cancel(context, MembershipMethods.grantSeats, key: key) {
            (transaction, _: Seats?) in
            // The grant itself says whether it was made: the reply may be gone.
            guard let grant = try transaction.seatGrant(key: key),
                grant.organization == organization
            else { return }
            try transaction.removeSeatGrant(key: key)
            let settings = try transaction.settings(of: organization)
            let isLast = try !transaction.hasSeatGrant(organization)
            let pool = try transaction.seatPool(of: organization, settings)
                .withoutGrant(grant.quantity, restoringUnlimited: isLast && grant.wasUnlimited)
            _ = try transaction.keep(pool, of: organization, settings, cause: .sale, at: now)
        }
        return CancelSeatGrantReply()
    }
}

extension Reading {
    fileprivate func seatPool(
        of organization: OrganizationID, _ settings: SettingsRecord
    ) throws -> SeatPool {
        let counter = try counters(at: [organization], for: nil).first { $0.kind == .seat }
        return SeatPool(
            count: counter?.cap, ceiling: settings.seatCeiling, used: counter?.used ?? 0)
    }
}

extension Transaction {
    /// Writes a pool as it now stands, and its ledger line.
    fileprivate func keep(
        _ pool: SeatPool, of organization: OrganizationID, _ before: SettingsRecord,
        cause: LedgerCause, at now: WallTime
    ) throws -> Seats {
        var settings = before
        settings.seatCeiling = pool.ceiling
        settings.seatsVersion += 1
        try setCap(pool.count, of: .seat, at: organization)
        try put(settings, of: organization)
        try append(
            LedgerLine(
                organization: organization, kind: .seat, operation: .resize, user: nil,
                cause: cause, balanceAfter: pool.count ?? pool.used, occurred: now))
        return Seats(of: organization, pool, version: settings.seatsVersion)
    }
}
