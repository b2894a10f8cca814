import Access
import Synchronization

/// Whose turn it is to have a whole file in memory: so many at a time, of all and of one person,
/// and so many bytes of the files that are answered.
final class FileTurns: Sendable {
    /// What a file is there for.
    enum Purpose: Sendable, Hashable, CaseIterable {
        case upload
        case download

        /// The most at a time; more are answered 429.
        ///
        /// An upload has at most 16 MiB: 4 are 64 MiB. A download keeps its turn until it is
        /// written out, and slow readers take minutes: there are more of these turns, and what all
        /// of them hold together has a limit of its own.
        var turnsMax: Int {
            switch self {
            case .upload: 4
            case .download: 16
            }
        }

        /// The most of one person at a time, so that nobody has all of them.
        var turnsOfOneMax: Int {
            switch self {
            case .upload: 2
            case .download: 4
            }
        }
    }

    /// The bytes of all files that are answered at a time: four of the largest, 4 · 64 MiB.
    ///
    /// A file for which there is no room is answered 429. Most have less than one MiB: those have
    /// all sixteen turns.
    static let bytesMax = 256 * 1_024 * 1_024

    private struct State {
        var counts: [Purpose: Int] = [:]
        var people: [Purpose: [UserID: Int]] = [:]
        var bytes = 0
    }

    private let state = Mutex(State())

    /// Begins a turn, which lasts as long as somebody holds it.
    ///
    /// - Parameters:
    ///   - purpose: What for.
    ///   - person: Who is signed in; nobody is one person, too.
    /// - Returns: The turn.
    /// - Throws: ``Problem/tooManyFiles``, ``Problem/tooManyFilesOfOne``.
    func begin(_ purpose: Purpose, for person: UserID?) throws(Problem) -> FileTurn {
        let person = person ?? Self.nobody
        let refusal: Problem? = state.withLock { state in
            let own = state.people[purpose]?[person] ?? 0
            guard own < purpose.turnsOfOneMax else {
                return .tooManyFilesOfOne(purpose.turnsOfOneMax)
            }
            guard state.counts[purpose, default: 0] < purpose.turnsMax else { return .tooManyFiles }
            state.counts[purpose, default: 0] += 1
            state.people[purpose, default: [:]][person] = own + 1
            return nil
        }
        if let refusal { throw refusal }
        return FileTurn(turns: self, purpose: purpose, person: person)
    }

    private static let nobody = UserID(high: 0, low: 0)

    /// Counts bytes that are kept.
    fileprivate func hold(_ count: Int) throws(Problem) {
        let fits = state.withLock { state in
            guard state.bytes + count <= Self.bytesMax else { return false }
            state.bytes += count
            return true
        }
        guard fits else { throw .tooManyFiles }
    }

    fileprivate func end(_ purpose: Purpose, of person: UserID, _ bytes: Int) {
        state.withLock { state in
            state.bytes -= bytes
            state.counts[purpose, default: 0] -= 1
            let own = (state.people[purpose]?[person] ?? 0) - 1
            state.people[purpose, default: [:]][person] = own > 0 ? own : nil
        }
    }
}

/// The turn of one file; it ends with the last reference to it.
final class FileTurn: Sendable {
    private let turns: FileTurns
    private let purpose: FileTurns.Purpose
    private let person: UserID
    private let bytes = Mutex(0)

    fileprivate init(turns: FileTurns, purpose: FileTurns.Purpose, person: UserID) {
        self.turns = turns
        self.purpose = purpose
        self.person = person
    }

    deinit {
        turns.end(purpose, of: person, bytes.withLock { $0 })
    }

    /// Counts bytes that are kept until the turn ends.
    ///
    /// - Throws: ``Problem/tooManyFiles`` when there is no room for them.
    func hold(_ count: Int) throws(Problem) {
        try turns.hold(count)
        bytes.withLock { $0 += count }
    }
}
