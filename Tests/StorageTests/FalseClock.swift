import Foundation

/// A wall clock that is wrong by as much as a test says, for the workers that are told of it.
final class FalseClock: Sendable {
    private let folder = TemporaryFolder()

    var path: String { "\(folder.path)/clock" }

    /// Sets it by so many days off, also for workers that run.
    func set(days: Int) throws {
        try Data("\(days * 86_400)".utf8).write(to: URL(filePath: path), options: .atomic)
    }
}
