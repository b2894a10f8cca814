import Access
import Synchronization

/// Whose turn it is to have a whole file in memory: so many at a time, of all and of one caller,
/// and so much room for the files that are answered.
///
/// Counted is what a file may still come to, not what of it is there: files that are on their way
/// could refuse one another half-way otherwise. What a file turns out not to need is given back
/// when it is whole.
final class FileTurns: Sendable {
    /// What a file is there for.
    enum Purpose: Sendable, Hashable, CaseIterable {
        case upload
        case download

        /// The most at a time; more are answered 429.
        ///
        /// An upload has at most 16 MiB, in a buffer and once more while it is taken out:
        /// 4 are 128 MiB. A download keeps its turn until it is written out, and slow readers take
        /// minutes: there are more of these turns, and the room of all of them has a limit of its
        /// own.
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

    /// The room that every turn of a download has from its beginning; most files need no more.
    static let ownBytes = 1_024 * 1_024
    /// The room beside it for larger files, all of them together: four of the largest, 4 · 64 MiB.
    ///
    /// A file that grows beyond its own room gets that of the largest at once, or is answered 429
    /// there and then.
    static let sharedBytesMax = 256 * 1_024 * 1_024

    private struct State {
        var counts: [Purpose: Int] = [:]
        var holders: [Purpose: [Access.Principal.Subject?: Int]] = [:]
        var sharedBytes = 0
    }

    private let state = Mutex(State())

    /// Begins a turn, which lasts as long as somebody holds it.
    ///
    /// - Parameters:
    ///   - purpose: What for.
    ///   - holder: The person or program that calls; nobody is one, too.
    /// - Returns: The turn.
    /// - Throws: ``Problem/tooManyFiles``, ``Problem/tooManyFilesOfOne``.
    func begin(
        _ purpose: Purpose, for holder: Access.Principal.Subject?
    ) throws(Problem) -> FileTurn {
        let refusal: Problem? = state.withLock { state in
            let own = state.holders[purpose]?[holder] ?? 0
            guard own < purpose.turnsOfOneMax else {
                return .tooManyFilesOfOne(purpose.turnsOfOneMax)
            }
            guard state.counts[purpose, default: 0] < purpose.turnsMax else { return .tooManyFiles }
            state.counts[purpose, default: 0] += 1
            state.holders[purpose, default: [:]][holder] = own + 1
            return nil
        }
        if let refusal { throw refusal }
        return FileTurn(turns: self, purpose: purpose, holder: holder)
    }

    /// Takes shared room.
    fileprivate func take(_ count: Int) throws(Problem) {
        let fits = state.withLock { state in
            guard state.sharedBytes + count <= Self.sharedBytesMax else { return false }
            state.sharedBytes += count
            return true
        }
        guard fits else { throw .tooManyFiles }
    }

    fileprivate func giveBack(_ count: Int) {
        state.withLock { $0.sharedBytes -= count }
    }

    fileprivate func end(_ purpose: Purpose, of holder: Access.Principal.Subject?) {
        state.withLock { state in
            state.counts[purpose, default: 0] -= 1
            let own = (state.holders[purpose]?[holder] ?? 0) - 1
            state.holders[purpose, default: [:]][holder] = own > 0 ? own : nil
        }
    }
}

/// The turn of one file; it ends with the last reference to it.
final class FileTurn: Sendable {
    private let turns: FileTurns
    private let purpose: FileTurns.Purpose
    private let holder: Access.Principal.Subject?
    /// The shared room that it has.
    private let sharedBytes = Mutex(0)

    fileprivate init(
        turns: FileTurns, purpose: FileTurns.Purpose, holder: Access.Principal.Subject?
    ) {
        self.turns = turns
        self.purpose = purpose
        self.holder = holder
    }

    deinit {
        turns.giveBack(sharedBytes.withLock { $0 })
        turns.end(purpose, of: holder)
    }

    /// Sees to room for a file that grows: once it has outgrown its own, for as much as it may
    /// come to.
    ///
    /// - Parameters:
    ///   - count: The bytes that it has now.
    ///   - bytesMax: The bytes that it may come to.
    /// - Throws: ``Problem/tooManyFiles`` when there is no room.
    func makeRoom(for count: Int, upTo bytesMax: Int) throws(Problem) {
        guard count > FileTurns.ownBytes else { return }
        try sharedBytes.withLock { bytes throws(Problem) in
            guard bytes == 0 else { return }
            let more = max(0, bytesMax - FileTurns.ownBytes)
            try turns.take(more)
            bytes = more
        }
    }

    /// Gives back what a file does not need that is whole.
    func settle(at count: Int) {
        sharedBytes.withLock { bytes in
            let needed = min(bytes, max(0, count - FileTurns.ownBytes))
            turns.giveBack(bytes - needed)
            bytes = needed
        }
    }
}
