import Access
import Messages
import RPC
import ServiceKit
import Storage

// Types of organizations that were given by an older program, which told the feed of none.

/// A note that the type of an organization was not told.
private struct UntoldType {
    let number: Int64
    /// The version that an older program told last.
    let version: Int64
}

/// How far the types that were not told have got.
struct TypeTelling: Sendable, Hashable {
    /// How many organizations were told of.
    var told = 0
    /// The number after which to go on; nil: all notes have been looked at.
    var next: Int64?
}

extension Transaction {
    /// Tells the feed again of organizations whose type was not told, each once, as its next
    /// version, and takes the notes away.
    ///
    /// Nothing else of them changes, neither the place in lists nor the time of the last change.
    /// One whose tree is closed by a move or a restore is left for later: its place is not settled.
    ///
    /// - Parameters:
    ///   - number: Where to go on; 0: at the beginning.
    ///   - most: The most notes that are looked at.
    ///   - now: When.
    /// - Returns: What was told, and where to go on.
    /// - Throws: `StorageFault`.
    func tellTypes(after number: Int64, atMost most: Int, at now: WallTime) throws -> TypeTelling {
        let notes = try rows(
            """
            SELECT number, version FROM type_untold WHERE number > \(number)
            ORDER BY number LIMIT \(most)
            """
        ) { UntoldType(number: try $0.int64(0), version: try $0.int64(1)) }
        var telling = TypeTelling()
        for note in notes {
            if let node = try node(numbered: note.number), node.needsTelling(of: note) {
                let line = try line(of: node, on: now.day)
                if try isMoving(inTreeOf: line.levels[0].number) { continue }
                try publishAgain(node, below: line.parents?.end.id, at: now)
                telling.told += 1
            }
            try execute("DELETE FROM type_untold WHERE number = \(note.number)")
        }
        telling.next = notes.count == most ? notes.last?.number : nil
        return telling
    }
}

extension Reading {
    /// Whether the type of any organization is still to be told.
    func hasUntoldTypes() throws -> Bool {
        try exists("SELECT 1 FROM type_untold LIMIT 1")
    }
}

extension Node {
    /// Whether nothing has told of it since, and there is still something to tell.
    fileprivate func needsTelling(of note: UntoldType) -> Bool {
        version == note.version && standing != .cancelled && standing != .purged
    }
}
