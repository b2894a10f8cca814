internal import Encodings
internal import Glibc
public import Logging
internal import Storage

/// Writes one line per event to standard error.
public struct StandardErrorLog: LogHandler {
    /// Fields of every event.
    public var metadata: Logger.Metadata = [:]
    /// Events below this level are not written.
    public var logLevel: Logger.Level = .info
    /// Adds fields that depend on the task.
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String

    /// A log of a program.
    ///
    /// - Parameters:
    ///   - label: The name of the program.
    ///   - level: Events below this level are not written.
    public init(label: String, level: Logger.Level = .info) {
        self.label = label
        logLevel = level
    }

    /// A field of every event.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes an event.
    public func log(event: LogEvent) {
        var line = "\(Self.text(of: .current())) \(event.level) \(label): "
        Self.append(event.message.description, to: &line)
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { _, new in new } }
        if let own = event.metadata { fields.merge(own) { _, new in new } }
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
            line += " \(key)="
            Self.append(value.description, to: &line)
        }
        if let error = event.error {
            line += " error="
            Self.append("\(error)", to: &line)
        }
        line += "\n"
        Self.write(line, to: STDERR_FILENO)
    }

    /// A line break in a value would let a caller forge a line.
    private static func append(_ text: String, to line: inout String) {
        for scalar in text.unicodeScalars {
            line.unicodeScalars.append(
                scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar)
        }
    }

    /// Writes a whole text in one call, so that lines of threads do not mix.
    static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { memory in
                unsafe Glibc.write(descriptor, memory.baseAddress, memory.count)
            }
            // Nobody listens: there is nowhere to say so.
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    /// RFC 3339 in UTC with milliseconds.
    static func text(of time: WallTime) -> String {
        let (seconds, rest) = time.microseconds.flooredDivision(by: 1_000_000)
        return RFC3339.text(
            seconds: seconds, nanoseconds: rest * 1_000, fraction: .milliseconds)
    }
}
