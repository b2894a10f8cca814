import Logging
import Synchronization

/// Keeps what is logged as a warning.
final class LoggedLines: LogHandler, Sendable {
    private let kept = Mutex<[String]>([])

    var logger: Logger { Logger(label: "test") { _ in self } }
    var lines: [String] { kept.withLock { $0 } }

    func untilLogged() async throws {
        while lines.isEmpty { try await ContinuousClock().sleep(for: .milliseconds(5)) }
    }

    func log(event: LogEvent) {
        guard event.level >= .warning else { return }
        kept.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
    }

    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
}
