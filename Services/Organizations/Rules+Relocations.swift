import Access
import ServiceKit

/// A move as it is decided: pure.
struct MoveFacts: Sendable, Hashable {
    /// The organization with its ancestors.
    let line: Line
    /// The new parent with its ancestors; nil for the root.
    let target: Line?
    /// How many levels the organization has with what hangs below it.
    let height: Int
    /// Whether the title is taken at the new place.
    let isTitleTaken: Bool

    /// Whether nothing would change.
    var isNothing: Bool { line.parents?.end.id == target?.end.id }

    /// Everything that stands against the move, as far as this service knows by itself, in the
    /// order of checks.
    var obstacles: [Refusal] {
        var found: [Refusal] = []
        if let target, target.ids.contains(line.end.id) { found.append(.cycle) }
        if let obstacle = target?.obstacle { found.append(.organizationNotActive(obstacle.id)) }
        if (target?.depth ?? 0) + height > Line.depthMax { found.append(.depthExceeded) }
        if isTitleTaken { found.append(.nameTaken) }
        return found
    }
}
