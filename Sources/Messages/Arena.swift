internal import CMessages
internal import CProtobufC

/// Memory for the C structs of one message that is decoded, all given back when the closure of
/// ``with(bytesMax:_:)`` ends.
///
/// It wraps the calling thread's arena in C; nothing in it outlives the closure.
@unsafe struct Arena {
    let arena: UnsafeMutablePointer<message_arena>

    /// Lends an arena that hands out a number of bytes at most.
    static func with<Result, Failure: Error>(
        bytesMax: Int, _ body: (Arena) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let arena = unsafe message_arena_take(bytesMax) else {
            preconditionFailure("out of memory")
        }
        defer { unsafe message_arena_give_back(arena) }
        return try unsafe body(Arena(arena: arena))
    }

    /// Whether memory was refused because the arena's bytes are spent.
    var isExhausted: Bool { unsafe arena.pointee.is_exhausted }
}
