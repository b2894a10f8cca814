/// How often something may be done within an hour that needs no sign-in: by all, and by one.
public struct HourlyPace: Sendable, Hashable {
    /// What is older counts no more.
    public static let period: Duration = .seconds(3_600)

    /// How often all may do it together.
    public let allMax: Int
    /// How often one may do it, as far as one can be told from another.
    public let ofOneMax: Int

    /// A pace.
    public init(allMax: Int, ofOneMax: Int) {
        (self.allMax, self.ofOneMax) = (allMax, ofOneMax)
    }

    /// Whether it may be done once more.
    ///
    /// - Parameters:
    ///   - all: How often all have done it within the last hour.
    ///   - ofOne: How often this one has.
    /// - Returns: Whether both are below their limits.
    public func admits(all: Int, ofOne: Int) -> Bool {
        all < allMax && ofOne < ofOneMax
    }
}
