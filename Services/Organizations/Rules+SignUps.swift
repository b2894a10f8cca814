/// Whether somebody who signs up for an organization waits for approval, and why.
enum SignUpApproval: Sendable, Hashable {
    case notNeeded
    /// The platform wants it for addresses that no mask covers.
    case noMask
    /// The type of the organization wants it of everybody.
    case typeRequires

    /// Decides.
    ///
    /// - Parameters:
    ///   - type: The type of the organization; nil: none, which wants nothing.
    ///   - isSwitchedOn: Whether the platform wants approval.
    ///   - isCovered: Whether a mask of the organization, or above it, covers the address; asked
    ///     only when that matters.
    /// - Returns: Whether somebody approves.
    static func decide(
        type: TypeDetails?, isSwitchedOn: Bool, isCovered: () throws -> Bool
    ) rethrows -> SignUpApproval {
        if type?.requiresApproval == true { return .typeRequires }
        return try isSwitchedOn && !isCovered() ? .noMask : .notNeeded
    }
}
