/// Picks at random what need not be secret: a few instructions, where the system's generator is a
/// system call.
struct FastRandom {
    private var state: UInt64

    init() {
        self.init(seed: .random(in: .min ... .max))
    }

    init(seed: UInt64) {
        state = seed
    }

    /// The next number of SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Two different positions below a count of at least 2.
    mutating func two(below count: Int) -> (Int, Int) {
        let number = next()
        let first = Int(((number & 0xFFFF_FFFF) &* UInt64(count)) >> 32)
        let second = Int(((number >> 32) &* UInt64(count - 1)) >> 32)
        return (first, second >= first ? second + 1 : second)
    }
}

extension Duration {
    /// Full jitter: anything from zero to a bound.
    static func random(upTo bound: Duration) -> Duration {
        bound * Double.random(in: 0...1)
    }

    /// The duration, longer or shorter by up to a part of it.
    func spread(by part: Double) -> Duration {
        self * Double.random(in: (1 - part)...(1 + part))
    }

    /// A base doubled for each failure after the first, up to a maximum.
    static func doubled(_ base: Duration, times: Int, max: Duration) -> Duration {
        min(base * (1 << min(Swift.max(times, 0), 16)), max)
    }
}
