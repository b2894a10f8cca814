/// Where a database is and what it may take.
public struct DatabaseConfiguration: Sendable {
    /// The file; its folder is made if it is missing.
    public var path: String
    /// Threads that read.
    public var readerCount = 2
    /// Connections kept open for reading on the caller's thread.
    public var inlineReaderCount = 4
    /// Connections opened at most for that, when as many threads read at once.
    public var inlineReaderMax = 32
    /// The most jobs that wait for the writer; the same for the readers.
    public var queueMax = 1_024
    /// The most jobs that share a commit.
    public var batchMax = 128
    /// How long one snapshot may be read; longer ones keep the log from being cut.
    public var readTimeMax: Duration = .seconds(5)
    /// Space set aside for the moment when the disk is full; 0 for none.
    public var ballastBytes = 0
    /// Writes are refused while less is free on the disk.
    public var freeBytesMin: Int64 = 64 * 1_024 * 1_024
    /// The wall clock, for notes of when the schema changed.
    public var now: @Sendable () -> WallTime = { WallTime.current() }
    /// Measures how long the database is open; for tests.
    package var uptime: @Sendable () -> Duration = RunningTime.uptime
    /// Called once when a commit's outcome is unknown: the program should end and start again.
    public var onLost: @Sendable (_ reason: String) -> Void = { _ in }
    /// Opens the database; nil for a file of this process.
    package var engine: (any Engine)?

    /// The ballast of a service.
    public static let serviceBallastBytes = 16 * 1_024 * 1_024

    /// The configuration of a database in a file.
    public init(path: String) {
        self.path = path
    }
}
