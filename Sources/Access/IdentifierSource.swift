import Synchronization

/// Makes identifiers: each greater than the one before, also when the clock stands or goes back.
public final class IdentifierSource: Sendable {
    private struct State {
        var milliseconds: UInt64 = 0
        var upper: UInt64 = 0
        var lower: UInt64 = 0
    }

    private static let upperMax: UInt64 = 0x0FFF
    private static let lowerMax: UInt64 = 0x3FFF_FFFF_FFFF_FFFF

    private let milliseconds: @Sendable () -> UInt64
    private let random: @Sendable () -> UInt64
    private let state = Mutex(State())

    /// A source.
    ///
    /// - Parameters:
    ///   - milliseconds: Reads the wall clock, in milliseconds since 1970.
    ///   - random: Draws 64 random bits.
    public init(
        milliseconds: @escaping @Sendable () -> UInt64,
        random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: 0 ... .max) }
    ) {
        self.milliseconds = milliseconds
        self.random = random
    }

    /// A new identifier, of the kind that the context asks for.
    public func next<Kind>(_ type: Identifier<Kind>.Type = Identifier<Kind>.self)
        -> Identifier<Kind>
    {
        let now = milliseconds()
        let bits = (random(), random())
        return state.withLock { state in
            if now > state.milliseconds {
                state.milliseconds = now
                // The top bit stays free, so that a burst within the millisecond has room to count.
                state.upper = bits.0 & (Self.upperMax >> 1)
                state.lower = bits.1 & Self.lowerMax
            } else {
                Self.advance(&state, by: 1 + (bits.1 & 0xFFFF_FFFF))
            }
            return Identifier(
                millisecondsSince1970: state.milliseconds, random: (state.upper, state.lower))
        }
    }

    private static func advance(_ state: inout State, by step: UInt64) {
        state.lower += step
        guard state.lower > lowerMax else { return }
        state.lower &= lowerMax
        state.upper += 1
        guard state.upper > upperMax else { return }
        state.upper = 0
        state.milliseconds += 1
    }
}
