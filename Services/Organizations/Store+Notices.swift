import Access
import Mail
import ServiceKit
import Storage

// Mails about last days: the sweep notes which are due, and each is written once Membership has
// said to whom.

/// A mail about a last day that is to be written.
struct Notice: Sendable, Hashable {
    /// So many organizations are looked at in one go.
    static let pageSize = 500
    /// So many are written in one round.
    static let writtenAtOnce = 20

    let number: Int64
    let kind: NoticeKind
    let lastDay: CalendarDay
    let stage: NoticeStage
}

/// An organization with a last day near today.
private struct EndingOrganization {
    let number: Int64
    let lastDay: CalendarDay
    /// What was told of this very day.
    let told: NoticeStage?

    init(row: Row) throws {
        number = try row.int64(0)
        lastDay = CalendarDay(daysSince1970: try row.int(1))
        told = try row.intOrNil(2).map(NoticeStage.init(stored:))
    }
}

/// Where a page of them begins: after a day and a number.
struct EndingCursor: Sendable, Hashable {
    let lastDay: CalendarDay
    let number: Int64
}

extension Statements {
    /// Present organizations whose trial ends in a range of days, with what was told of that.
    static func trialsEnding(
        after cursor: EndingCursor, until last: CalendarDay, limit: Int
    ) -> SQL {
        """
        SELECT o.number, o.trial_until, n.stage
        FROM organization AS o LEFT JOIN notice AS n
            ON n.number = o.number AND n.kind = 1 AND n.last_day = o.trial_until
        WHERE o.standing = 1 AND (o.trial_until, o.number) > (\(cursor.lastDay), \(cursor.number))
            AND o.trial_until <= \(last) AND o.trial_until > 0
        ORDER BY o.trial_until, o.number LIMIT \(limit)
        """
    }

    /// Present organizations that expire in a range of days, with what was told of that.
    static func expiring(
        after cursor: EndingCursor, until last: CalendarDay, limit: Int
    ) -> SQL {
        """
        SELECT o.number, o.expires_on, n.stage
        FROM organization AS o LEFT JOIN notice AS n
            ON n.number = o.number AND n.kind = 2 AND n.last_day = o.expires_on
        WHERE o.standing = 1 AND (o.expires_on, o.number) > (\(cursor.lastDay), \(cursor.number))
            AND o.expires_on <= \(last) AND o.expires_on > 0
        ORDER BY o.expires_on, o.number LIMIT \(limit)
        """
    }

    /// Mails that are to be written, those that wait longest first.
    static func notices(dueAt now: WallTime, limit: Int) -> SQL {
        """
        SELECT number, kind, last_day, stage FROM notice
        WHERE state = 1 AND due_micros <= \(now) ORDER BY due_micros LIMIT \(limit)
        """
    }
}

extension Reading {
    /// The mails that became due of one kind, on a page of organizations.
    ///
    /// - Returns: The mails, and where the next page begins; nil: there is none.
    func noticesDue(
        of kind: NoticeKind, on today: CalendarDay, after cursor: EndingCursor?
    ) throws -> (due: [Notice], next: EndingCursor?) {
        let window = NoticeStage.window(around: today)
        // Numbers begin with 1.
        let start = cursor ?? EndingCursor(lastDay: window.lowerBound, number: 0)
        let page = try rows(
            kind == .trial
                ? Statements.trialsEnding(
                    after: start, until: window.upperBound, limit: Notice.pageSize)
                : Statements.expiring(
                    after: start, until: window.upperBound, limit: Notice.pageSize),
            EndingOrganization.init(row:))
        let due = try page.compactMap { found -> Notice? in
            guard
                let stage = NoticeStage.due(
                    ofLastDay: found.lastDay, on: today, after: found.told),
                Line(try levels(toNumber: found.number), on: today)
                    .isMailed(of: kind, lastDay: found.lastDay)
            else { return nil }
            return Notice(
                number: found.number, kind: kind, lastDay: found.lastDay, stage: stage)
        }
        let next = page.count == Notice.pageSize ? page.last : nil
        return (due, next.map { EndingCursor(lastDay: $0.lastDay, number: $0.number) })
    }

    /// The mails that became due of one organization.
    func noticesDue(ofNumber number: Int64, along line: Line) throws -> [Notice] {
        try NoticeKind.allCases.compactMap { kind -> Notice? in
            guard let lastDay = line.end.lastDay(of: kind),
                line.isMailed(of: kind, lastDay: lastDay)
            else { return nil }
            let told = try row(
                """
                SELECT stage FROM notice
                WHERE number = \(number) AND kind = \(kind.rawValue) AND last_day = \(lastDay)
                LIMIT 1
                """
            ) { try NoticeStage(stored: $0.int(0)) }
            return NoticeStage.due(ofLastDay: lastDay, on: line.day, after: told).map {
                Notice(number: number, kind: kind, lastDay: lastDay, stage: $0)
            }
        }
    }

    /// The mails that are to be written now.
    func notices(dueAt now: WallTime, limit: Int) throws -> [Notice] {
        try rows(Statements.notices(dueAt: now, limit: limit), Notice.init(row:))
    }

    /// What is to be written of an organization.
    func waitingNotices(of number: Int64) throws -> [Notice] {
        try rows(
            """
            SELECT number, kind, last_day, stage FROM notice
            WHERE number = \(number) AND state = 1 ORDER BY kind LIMIT 2
            """, Notice.init(row:))
    }
}

extension Transaction {
    /// Notes mails that are to be written; of the same day a less urgent one gives way, and what is
    /// noted already, or was written, stays as it is.
    func insert(_ notices: [Notice], at now: WallTime) throws {
        for notice in notices {
            try execute(
                """
                INSERT INTO notice (number, kind, last_day, stage, state, due_micros)
                VALUES (\(notice.number), \(notice.kind.rawValue), \(notice.lastDay),
                    \(notice.stage.rawValue), 1, \(now))
                ON CONFLICT (number, kind) DO UPDATE SET last_day = excluded.last_day,
                    stage = excluded.stage, state = 1, due_micros = excluded.due_micros
                WHERE notice.last_day <> excluded.last_day OR notice.stage > excluded.stage
                """)
        }
    }

    /// Notes that a mail was written.
    func noteWritten(_ notice: Notice) throws {
        try execute(
            """
            UPDATE notice SET state = 2
            WHERE number = \(notice.number) AND kind = \(notice.kind.rawValue)
                AND last_day = \(notice.lastDay) AND stage = \(notice.stage.rawValue)
            """)
    }

    /// Forgets a mail that is not to be written, as nothing was told.
    func withdraw(_ notice: Notice) throws {
        try execute(
            """
            DELETE FROM notice
            WHERE number = \(notice.number) AND kind = \(notice.kind.rawValue) AND state = 1
            """)
    }

    /// Has a mail written later.
    func postpone(_ notice: Notice, until due: WallTime) throws {
        try execute(
            """
            UPDATE notice SET due_micros = \(due)
            WHERE number = \(notice.number) AND kind = \(notice.kind.rawValue) AND state = 1
            """)
    }
}

extension Notice {
    fileprivate init(row: Row) throws {
        self.init(
            number: try row.int64(0), kind: try NoticeKind(stored: row.int(1)),
            lastDay: CalendarDay(daysSince1970: try row.int(2)),
            stage: try NoticeStage(stored: row.int(3)))
    }
}
