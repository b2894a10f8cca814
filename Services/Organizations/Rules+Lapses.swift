import Access

// The passing of days: what was valid through a day has lapsed on the next.

/// What the feed tells of an organization when days pass, once for each time.
enum Lapse: Sendable, Hashable {
    /// With the last day of the trial.
    case trialEnded(CalendarDay)
    /// With the last day on which it was valid.
    case expired(CalendarDay)
    /// A change of its days has taken back all that was told, and it has not lapsed otherwise.
    case reactivated

    /// The last day that is over.
    var lastDay: CalendarDay? {
        switch self {
        case .trialEnded(let day), .expired(let day): day
        case .reactivated: nil
        }
    }

    /// The number of the kind, as it is stored.
    var kind: Int {
        switch self {
        case .trialEnded: 1
        case .expired: 2
        case .reactivated: 3
        }
    }
}

/// The last days of an organization: those that are set, or those that the feed has told are over.
struct LastDays: Sendable, Hashable {
    var trial: CalendarDay?
    var expiry: CalendarDay?

    static let noDays = LastDays()

    /// Those of them that are over on a day.
    func over(on day: CalendarDay) -> LastDays {
        LastDays(
            trial: trial.flatMap { $0 < day ? $0 : nil },
            expiry: expiry.flatMap { $0 < day ? $0 : nil })
    }

    /// What is to be told on a day, when so much was told.
    func untold(on day: CalendarDay, after told: LastDays) -> [Lapse] {
        let over = over(on: day)
        var lapses: [Lapse] = []
        if let day = over.trial, told.trial == nil { lapses.append(.trialEnded(day)) }
        if let day = over.expiry, told.expiry == nil { lapses.append(.expired(day)) }
        return lapses
    }

    /// Those of them that stand while these days are set.
    func standing(with days: LastDays) -> LastDays {
        LastDays(
            trial: trial == days.trial ? trial : nil,
            expiry: expiry == days.expiry ? expiry : nil)
    }
}

extension Details {
    var lastDays: LastDays { LastDays(trial: trialUntil, expiry: expiresOn) }
}
