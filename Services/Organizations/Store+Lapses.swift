import Access
import Messages
import RPC
import ServiceKit
import Storage

// What the feed is told when days pass. It is written beside what was told, so that a day that is
// over is told once, whoever finds it first: the sweep, or a change of the days.

extension Statements {
    /// Present organizations of which a trial is over that was not told, those over longest first.
    static func trialsOver(before day: CalendarDay, limit: Int) -> SQL {
        """
        SELECT number, id, trial_until FROM organization
        WHERE standing = 1 AND trial_told IS NULL AND trial_until < \(day)
        ORDER BY trial_until LIMIT \(limit)
        """
    }

    /// Present organizations that have expired, which was not told, those over longest first.
    static func expired(before day: CalendarDay, limit: Int) -> SQL {
        """
        SELECT number, id, expires_on FROM organization
        WHERE standing = 1 AND expiry_told IS NULL AND expires_on < \(day)
        ORDER BY expires_on LIMIT \(limit)
        """
    }
}

/// An organization of which a lapse is to be told.
private struct LapsedOrganization {
    let number: Int64
    let id: OrganizationID
    let lastDay: CalendarDay

    init(row: Row) throws {
        number = try row.int64(0)
        id = try row.identifier(1)
        lastDay = CalendarDay(daysSince1970: try row.int(2))
    }
}

extension Reading {
    /// The last days of which the feed has told that they are over.
    func toldDays(of number: Int64) throws -> LastDays {
        try row(
            "SELECT trial_told, expiry_told FROM organization WHERE number = \(number)"
        ) { LastDays(trial: try $0.dayOrNil(0), expiry: try $0.dayOrNil(1)) } ?? .noDays
    }
}

extension Transaction {
    /// Tells the feed of present organizations whose last days are over on a day, each once.
    ///
    /// - Parameters:
    ///   - day: The day that has begun.
    ///   - most: The most that are told of.
    ///   - now: When.
    /// - Returns: How many were told of.
    /// - Throws: `StorageFault`.
    func tellLapses(on day: CalendarDay, atMost most: Int, at now: WallTime) throws -> Int {
        let trials = try rows(
            Statements.trialsOver(before: day, limit: most), LapsedOrganization.init(row:))
        for found in trials {
            try tell(.trialEnded(found.lastDay), of: found.id, found.number, at: now)
        }
        let expired = try rows(
            Statements.expired(before: day, limit: most - trials.count),
            LapsedOrganization.init(row:))
        for found in expired {
            try tell(.expired(found.lastDay), of: found.id, found.number, at: now)
        }
        return trials.count + expired.count
    }

    /// Tells what is over of one organization whose days are about to change, if nothing has yet.
    func tellLapses(of node: Node, at now: WallTime) throws {
        guard node.standing == .present else { return }
        let told = try toldDays(of: node.number)
        for lapse in node.details.lastDays.untold(on: now.day, after: told) {
            try tell(lapse, of: node.id, node.number, at: now)
        }
    }

    /// Takes back what was told of an organization as far as its days have changed, and tells so
    /// once nothing of it stands.
    func takeBackLapses(of node: Node, at now: WallTime) throws {
        let told = try toldDays(of: node.number)
        let standing = told.standing(with: node.details.lastDays)
        guard standing != told else { return }
        try execute(
            """
            UPDATE organization
            SET trial_told = \(standing.trial), expiry_told = \(standing.expiry)
            WHERE number = \(node.number)
            """)
        // What was over and not told has been told before this.
        guard node.standing == .present, standing == .noDays else { return }
        try tell(.reactivated, of: node.id, node.number, at: now)
    }

    /// Tells the feed, and notes it.
    private func tell(
        _ lapse: Lapse, of id: OrganizationID, _ number: Int64, at now: WallTime
    ) throws {
        switch lapse {
        case .trialEnded(let day):
            try execute("UPDATE organization SET trial_told = \(day) WHERE number = \(number)")
        case .expired(let day):
            try execute("UPDATE organization SET expiry_told = \(day) WHERE number = \(number)")
        case .reactivated: break
        }
        try execute(
            """
            INSERT INTO lapse (number, kind, last_day, version)
            VALUES (\(number), \(lapse.kind), \(lapse.lastDay), 1)
            ON CONFLICT (number, kind) DO UPDATE
            SET last_day = excluded.last_day, version = lapse.version + 1
            """)
        let version = try row(
            "SELECT version FROM lapse WHERE number = \(number) AND kind = \(lapse.kind)"
        ) { try $0.int64(0) }
        let event = OrganizationLapse(
            organizationID: id.text, kind: OrganizationLapseKind(lapse),
            lastDay: lapse.lastDay.map { Int32(clamping: $0.daysSince1970) })
        // An aggregate for each kind: none of them supersedes another.
        try publish(
            kind: OrganizationLapse.messageName, aggregate: id.bytes + [UInt8(lapse.kind)],
            version: version ?? 1, body: event.encoded(), at: now)
    }
}

extension OrganizationLapseKind {
    fileprivate init(_ lapse: Lapse) {
        self =
            switch lapse {
            case .trialEnded: .trialEnded
            case .expired: .expired
            case .reactivated: .reactivated
            }
    }
}
