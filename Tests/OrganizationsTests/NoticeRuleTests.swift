import Access
import Testing

@testable import Organizations

/// Which mails about last days are due, by numbers.
struct NoticeRuleTests {
    private let last = CalendarDay(daysSince1970: 20_500)

    @Test func `mails are due fourteen and three days before the last, and on it`() {
        let stages = (-20...10).map { NoticeStage(ofLastDay: last, on: last.advanced(by: $0)) }

        let expected: [NoticeStage?] =
            Array(repeating: nil, count: 6)  // 20 to 15 days before
            + Array(repeating: .fourteenDays, count: 11)  // 14 to 4
            + Array(repeating: .threeDays, count: 3)  // 3 to 1
            + Array(repeating: .lastDay, count: 8)  // the day, and 7 days late
            + Array(repeating: nil, count: 3)
        #expect(stages == expected)
    }

    /// The days, counted from the last one, on which a mail goes out when a program runs on some.
    private func days(running: [Int]) -> [String] {
        var told: NoticeStage?
        var mails: [String] = []
        for day in running {
            guard
                let stage = NoticeStage.due(
                    ofLastDay: last, on: last.advanced(by: day), after: told)
            else { continue }
            told = stage
            mails.append("\(day): \(stage.rawValue)")
        }
        return mails
    }

    @Test func `each is told once, and after a stop only the most urgent`() {
        #expect(days(running: Array(-30...30)) == ["-14: 14", "-3: 3", "0: 0"])
        // Every hour.
        #expect(
            days(running: (-30...30).flatMap { [$0, $0, $0] }) == ["-14: 14", "-3: 3", "0: 0"])
        // Down for a week, at every place.
        #expect(days(running: Array(-30 ... -16) + Array(-8...30)) == ["-8: 14", "-3: 3", "0: 0"])
        #expect(days(running: Array(-30 ... -10) + Array(-2...30)) == ["-14: 14", "-2: 3", "0: 0"])
        #expect(days(running: Array(-30 ... -5) + Array(3...30)) == ["-14: 14", "3: 0"])
        #expect(days(running: Array(-30 ... -1) + Array(7...30)) == ["-14: 14", "-3: 3", "7: 0"])
        #expect(days(running: Array(-30 ... -1) + Array(8...30)) == ["-14: 14", "-3: 3"])
        // A day that is set when it is near is told of at once.
        #expect(days(running: Array(-9...30)) == ["-9: 14", "-3: 3", "0: 0"])
        #expect(days(running: Array(-1...30)) == ["-1: 3", "0: 0"])
        #expect(days(running: Array(8...30)) == [])
    }

    @Test func `the window holds every day of which something is due, and no more`() {
        for distance in -40...40 {
            let today = last.advanced(by: distance)
            #expect(
                NoticeStage.window(around: today).contains(last)
                    == (NoticeStage(ofLastDay: last, on: today) != nil))
        }
    }

    private func level(
        _ standing: Standing = .present, active: Bool = true, trial: Int? = nil, expiry: Int? = nil
    ) -> Level {
        Level(
            id: OrganizationID(high: 1, low: 1), number: 1, title: "School", standing: standing,
            isActivated: active, trialUntil: trial.map { last.advanced(by: $0) },
            expiresOn: expiry.map { last.advanced(by: $0) })
    }

    @Test func `only what is in use is mailed of its days`() {
        func isMailed(_ levels: Level..., on day: Int) -> Bool {
            Line(levels, on: last.advanced(by: day)).isMailed(of: .trial, lastDay: last)
        }

        #expect(isMailed(level(trial: 0), on: -3) && isMailed(level(trial: 0), on: 5))
        #expect(!isMailed(level(trial: 1), on: -3), "another day")
        #expect(!isMailed(level(expiry: 0), on: -3), "another kind")
        #expect(!isMailed(level(active: false, trial: 0), on: -3))
        #expect(!isMailed(level(.archived, trial: 0), on: -3))
        #expect(!isMailed(level(.provisioning, trial: 0), on: -3))
        #expect(isMailed(level(), level(trial: 0), on: -3))
        #expect(!isMailed(level(active: false), level(trial: 0), on: -3))
        #expect(!isMailed(level(.archived), level(trial: 0), on: -3))
        #expect(!isMailed(level(expiry: -4), level(trial: 0), on: -3))
        #expect(isMailed(level(expiry: -3), level(trial: 0), on: -3))
        // Its other day: over before, it counts; over later, or not yet, it does not.
        #expect(!isMailed(level(trial: 0, expiry: -4), on: -3))
        #expect(isMailed(level(trial: 0, expiry: -3), on: -3))
        #expect(!isMailed(level(trial: 0, expiry: -1), on: 2))
        #expect(isMailed(level(trial: 0, expiry: 0), on: 2))
        #expect(isMailed(level(trial: 0, expiry: 1), on: 2))
    }

    private func words(_ kinds: Set<NoticeKind>, on day: Int) -> NoticeText {
        NoticeText(
            title: "School", kinds: kinds, lastDay: last, today: last.advanced(by: day),
            contact: "help@example.org")
    }

    @Test func `a mail says what ends when, what happens then and whom to ask`() {
        let words = words([.trial], on: -14)

        #expect(words.subject == "School: the trial ends on 2026-02-16")
        #expect(
            words.text == """
                Hello,

                The trial of the organization “School” ends in 14 days, with the end of \
                2026-02-16 (UTC).

                What happens then: access is suspended for everybody in this organization and in \
                those below it, and nobody can be added. Nothing is lost: people, seats, settings \
                and content are kept, and access is back at once when the date is moved.

                If it is to go on, or if you have questions, please write to help@example.org.

                This mail was written by a program.
                """)
    }

    @Test(arguments: [
        (-2, "ends in 2 days, with the end of 2026-02-16 (UTC)."),
        (-1, "ends tomorrow, with the end of 2026-02-16 (UTC)."),
        (0, "ends today, with the end of 2026-02-16 (UTC)."),
        (3, "ended with 2026-02-16 (UTC)."),
    ])
    func `a mail is right on the day on which it is written`(day: Int, says: String) {
        for (kinds, what) in [
            ([.trial], "The trial of"), ([.expiry], "The validity of"),
            ([.trial, .expiry], "The trial, and the validity, of"),
        ] as [(Set<NoticeKind>, String)] {
            let words = words(kinds, on: day)
            #expect(words.text.contains("\n\n\(what) the organization “School” \(says)\n\n"))
            #expect(words.subject.contains(day > 0 ? " ended on " : " ends on "))
        }
    }
}
