/// How long a session lasts.
enum SessionRules {
    /// A session that nobody uses for this long has ended.
    static let idleMicroseconds: Int64 = 30 * 60 * 1_000_000
    /// No session lasts longer.
    static let absoluteMicroseconds: Int64 = 12 * 60 * 60 * 1_000_000
    /// A use is written down only when the one written last is this old.
    ///
    /// That is a write a minute, not a write a request. A session may so end up to a minute early,
    /// never late.
    static let useGrainMicroseconds: Int64 = 60 * 1_000_000

    /// When a session ends unless it is used again, in microseconds since 1970.
    static func end(created: Int64, used: Int64) -> Int64 {
        min(created + absoluteMicroseconds, used + idleMicroseconds)
    }

    /// Whether a use is to be written down.
    static func recordsUse(last: Int64, now: Int64) -> Bool {
        now - last >= useGrainMicroseconds
    }
}

/// Attempts to sign in that failed or are not judged yet, by account: from the fifth on each makes
/// the next one wait longer.
///
/// There is no permanent lock: who waits may always try again.
struct SignInFailures: Sendable {
    /// The failure that makes the next attempt wait, and the first wait.
    static let freeFailures = 5
    static let delayFirstMicroseconds: Int64 = 1_000_000
    static let delayMaxMicroseconds: Int64 = 15 * 60 * 1_000_000
    /// An account that did not fail for this long starts afresh.
    static let memoryMicroseconds: Int64 = 24 * 60 * 60 * 1_000_000
    /// Accounts remembered at most; the one that failed longest ago is forgotten first.
    static let accountsMax = 10_000

    private struct Record {
        var failures: Int
        var last: Int64
    }

    private var records: [String: Record] = [:]

    init() {}

    /// How long the account has to wait from an instant on; 0: it may try now.
    func wait(_ account: String, at now: Int64) -> Int64 {
        guard let record = records[account], record.failures >= Self.freeFailures else { return 0 }
        let doublings = min(record.failures - Self.freeFailures, 20)
        let delay = min(Self.delayFirstMicroseconds << Int64(doublings), Self.delayMaxMicroseconds)
        return max(0, record.last + delay - now)
    }

    /// Counts an attempt as failed before its outcome is known, so that attempts made at the same
    /// time do not share one guess.
    mutating func begin(_ account: String, at now: Int64) {
        var record = records[account] ?? Record(failures: 0, last: now)
        if now - record.last >= Self.memoryMicroseconds { record.failures = 0 }
        record.failures = min(record.failures + 1, 1_000)
        record.last = now
        if records[account] == nil, records.count >= Self.accountsMax { forgetOldest() }
        records[account] = record
    }

    /// Takes back an attempt that nobody judged: it says nothing about who made it.
    mutating func takeBack(_ account: String) {
        guard var record = records[account] else { return }
        record.failures -= 1
        records[account] = record.failures > 0 ? record : nil
    }

    /// Forgets the failures of an account.
    mutating func succeed(_ account: String) {
        records[account] = nil
    }

    // A scan of the table: only when an attacker fills it, and far cheaper than the hash that
    // every attempt costs.
    private mutating func forgetOldest() {
        let oldest = records.min { $0.value.last < $1.value.last }
        if let oldest { records[oldest.key] = nil }
    }
}
