import Access
import ServiceKit

/// What stands against a move, of what this service knows by itself, in the order of checks.
enum MoveObstacleKind: Sendable, Hashable {
    case cycle
    case destinationNotActive(OrganizationID)
    case depthExceeded
    case nameTaken

    var refusal: Refusal {
        switch self {
        case .cycle: .cycle
        case .destinationNotActive(let id): .organizationNotActive(id)
        case .depthExceeded: .depthExceeded
        case .nameTaken: .nameTaken
        }
    }
}

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

    /// Everything that stands against the move.
    var obstacles: [MoveObstacleKind] {
        var found: [MoveObstacleKind] = []
        if let target, target.ids.contains(line.end.id) { found.append(.cycle) }
        if let obstacle = target?.obstacle { found.append(.destinationNotActive(obstacle.id)) }
        if (target?.depth ?? 0) + height > Line.depthMax { found.append(.depthExceeded) }
        if isTitleTaken { found.append(.nameTaken) }
        return found
    }
}
