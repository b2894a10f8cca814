import Access

// Which mails about the last days of an organization are due on a day.

/// What ends.
enum NoticeKind: Int, Sendable, Hashable, CaseIterable {
    case trial = 1
    case expiry = 2
}

/// When a mail is due: so many days before the last one.
enum NoticeStage: Int, Sendable, Hashable, CaseIterable {
    case lastDay = 0
    case threeDays = 3
    case fourteenDays = 14

    /// After the last day it is told for so long that it is over, if nobody was told on the day.
    static let daysLateMax = 7
    /// The days around today on which an end is worth a mail.
    static func window(around today: CalendarDay) -> ClosedRange<CalendarDay> {
        today.advanced(by: -daysLateMax)...today.advanced(by: fourteenDays.rawValue)
    }

    /// The most urgent mail that is due on a day; nil when none is: the earlier ones are skipped.
    ///
    /// - Parameters:
    ///   - lastDay: The last day, which is not over before its end in UTC.
    ///   - today: The day.
    init?(ofLastDay lastDay: CalendarDay, on today: CalendarDay) {
        switch lastDay.daysSince1970 - today.daysSince1970 {
        case -Self.daysLateMax...0: self = .lastDay
        case 1...Self.threeDays.rawValue: self = .threeDays
        case Self.threeDays.rawValue + 1...Self.fourteenDays.rawValue: self = .fourteenDays
        default: return nil
        }
    }

    /// What is due on a day when so much was told of this very day; nil when nothing is.
    static func due(
        ofLastDay lastDay: CalendarDay, on today: CalendarDay, after told: NoticeStage?
    ) -> NoticeStage? {
        guard let stage = NoticeStage(ofLastDay: lastDay, on: today) else { return nil }
        if let told, told.rawValue <= stage.rawValue { return nil }
        return stage
    }
}

extension Level {
    /// The last day of a kind.
    func lastDay(of kind: NoticeKind) -> CalendarDay? {
        switch kind {
        case .trial: trialUntil
        case .expiry: expiresOn
        }
    }
}

extension Line {
    /// Whether its organization is mailed of a last day: it is in use but for that day, and so is
    /// everything above it.
    func isMailed(of kind: NoticeKind, lastDay: CalendarDay) -> Bool {
        guard end.standing == .present, end.isActivated, end.lastDay(of: kind) == lastDay,
            parents.map({ $0.state == .active }) ?? true
        else { return false }
        // What was over before ended its use already.
        let other = NoticeKind.allCases.filter { $0 != kind }.compactMap(end.lastDay(of:))
        return other.allSatisfy { $0 >= min(lastDay, day) }
    }
}

/// A mail about a last day, in words.
struct NoticeText: Sendable, Hashable {
    let title: String
    /// What ends on the day: one or both.
    let kinds: Set<NoticeKind>
    let lastDay: CalendarDay
    let today: CalendarDay
    /// Whom to ask.
    let contact: String

    var subject: String {
        let verb = daysLeft < 0 ? "ended" : "ends"
        return "\(title): \(what) \(verb) on \(lastDay.text)"
    }

    var text: String {
        """
        Hello,

        \(opening)

        What happens then: access is suspended for everybody in this organization and in those \
        below it, and nobody can be added. Nothing is lost: people, seats, settings and content \
        are kept, and access is back at once when the date is moved.

        If it is to go on, or if you have questions, please write to \(contact).

        This mail was written by a program.
        """
    }

    private var daysLeft: Int { lastDay.daysSince1970 - today.daysSince1970 }

    private var what: String {
        if kinds == [.trial] { return "the trial" }
        return kinds == [.expiry] ? "the validity" : "the trial, and the validity,"
    }

    private var opening: String {
        let whose = "\(what) of the organization “\(title)”"
        let sentence: String
        switch daysLeft {
        case ..<0: sentence = "\(whose) ended with \(lastDay.text) (UTC)."
        case 0: sentence = "\(whose) ends today, with the end of \(lastDay.text) (UTC)."
        case 1: sentence = "\(whose) ends tomorrow, with the end of \(lastDay.text) (UTC)."
        default:
            sentence =
                "\(whose) ends in \(daysLeft) days, with the end of \(lastDay.text) (UTC)."
        }
        return sentence.prefix(1).uppercased() + sentence.dropFirst()
    }
}
