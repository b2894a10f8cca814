import Access
import ServiceKit

// Business dates: whole days in UTC, inclusive.

extension CalendarDay {
    /// The day in a field that may be empty.
    static func optional(_ text: String, field: String) throws(FieldFault) -> CalendarDay? {
        guard !text.isEmpty else { return nil }
        guard let day = CalendarDay(text: text) else {
            throw FieldFault(
                field: field, sentence: "Please write the day as year-month-day: “2026-12-31”.")
        }
        return day
    }
}

/// The day on which somebody wants an organization to expire.
enum ExpiryRule {
    /// What is kept.
    ///
    /// A form whose date stands at today means that nothing was chosen: where no day was kept
    /// before, today becomes never. A day that is kept already may be sent again, whatever it is.
    /// - Parameters:
    ///   - asked: The day that was sent.
    ///   - kept: The day that is kept now.
    ///   - today: The day of the call.
    ///   - field: Where the day stood.
    /// - Returns: The day to keep, and whether it is another than was sent.
    /// - Throws: ``Refusal/dateInPast(field:)``.
    static func decide(
        _ asked: CalendarDay?, kept: CalendarDay?, today: CalendarDay, field: String
    ) throws(Refusal) -> (day: CalendarDay?, isNormalized: Bool) {
        guard let asked, asked != kept else { return (asked, false) }
        if asked == today, kept == nil { return (nil, true) }
        guard asked >= today else { throw .dateInPast(field: field) }
        return (asked, false)
    }
}

/// A trial as somebody asks for it.
struct TrialWish: Sendable, Hashable {
    let isEnabled: Bool
    let until: CalendarDay?
    /// Where the last day stood.
    private let dayField: String

    init(isEnabled: Bool, validUntil: String, field: String) throws(FieldFault) {
        self.isEnabled = isEnabled
        dayField = "\(field).valid_until"
        until = try CalendarDay.optional(validUntil, field: dayField)
        // A day without the word would end a trial that somebody means to prolong.
        guard isEnabled || until == nil else {
            throw FieldFault(
                field: "\(field).enabled",
                sentence: "Please enable the trial that has a last day, or leave the day out.")
        }
    }

    /// The last day to keep; nil ends the trial.
    ///
    /// - Throws: ``Refusal/trialNeedsDate(field:)`` without a day, ``Refusal/dateInPast(field:)``
    ///   with one that is over and not kept already.
    func decide(kept: CalendarDay?, today: CalendarDay) throws(Refusal) -> CalendarDay? {
        guard isEnabled else { return nil }
        guard let until else { throw .trialNeedsDate(field: dayField) }
        guard until >= today || until == kept else { throw .dateInPast(field: dayField) }
        return until
    }
}
