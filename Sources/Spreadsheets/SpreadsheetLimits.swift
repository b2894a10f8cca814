/// What a file of somebody else may cost; more is refused in words.
public struct SpreadsheetLimits: Hashable, Sendable {
    /// The size of a file that is read, in bytes.
    public var fileBytesMax = 16 * 1024 * 1024
    /// What a file may hold once inflated, in bytes, over all parts that are read.
    public var inflatedBytesMax = 100 * 1024 * 1024
    /// The rows below the header that are not blank.
    public var rowsMax = 100_000
    /// The columns, counted to the last that holds anything.
    public var columnsMax = 64
    /// The length of a cell's text, in UTF-16 units as Excel counts.
    public var cellCharactersMax = 32_767
    /// How many texts a workbook may share among its cells.
    public var sharedTextsMax = 1_000_000
    /// The size of these texts, in bytes.
    public var sharedTextBytesMax = 32 * 1024 * 1024
    /// How deep elements of XML may lie in each other.
    public var elementDepthMax = 64
    /// How many attributes an element of XML may have.
    public var attributesMax = 256
    /// The size of one tag or comment of XML, in bytes: it is read anew at every piece it comes in.
    public var tokenBytesMax = 512 * 1024
    /// How many entries a zip archive may have.
    public var entriesMax = 10_000
    /// How many sheets, relationships, cell styles, or number formats a workbook may have, each.
    public var listLengthMax = 65_536
    /// The memory of the process that reads or writes, in bytes.
    public var memoryBytesMax = 128 * 1024 * 1024
    /// The processor time for reading a file, in seconds.
    public var readingProcessorSecondsMax = 5
    /// The processor time for writing a file, in seconds.
    public var writingProcessorSecondsMax = 20
    /// How long the process that reads or writes may keep us waiting, all its answers together.
    ///
    /// Only its own time counts: while the caller handles rows, or has none to give, it stands.
    public var waitMax: Duration = .seconds(30)
    /// The size of a file that is written, and of each temporary file for it, in bytes.
    public var writtenBytesMax = 512 * 1024 * 1024

    /// The limits that fit the import and export of organizations.
    public init() {}
}

extension SpreadsheetLimits {
    private typealias Limit = any WritableKeyPath<SpreadsheetLimits, Int> & Sendable

    /// The limits that the process has to know, by the names they travel under.
    private static let names: [(name: String, limit: Limit)] = [
        ("file", \.fileBytesMax), ("inflated", \.inflatedBytesMax), ("rows", \.rowsMax),
        ("columns", \.columnsMax), ("characters", \.cellCharactersMax),
        ("shared", \.sharedTextsMax), ("shared-bytes", \.sharedTextBytesMax),
        ("depth", \.elementDepthMax), ("attributes", \.attributesMax),
        ("token", \.tokenBytesMax), ("entries", \.entriesMax), ("list", \.listLengthMax),
        ("memory", \.memoryBytesMax), ("reading", \.readingProcessorSecondsMax),
        ("writing", \.writingProcessorSecondsMax), ("written", \.writtenBytesMax),
    ]

    /// The limits as arguments of a process.
    var arguments: [String] {
        Self.names.map { "\($0.name)=\(self[keyPath: $0.limit])" }
    }

    /// The limits of such arguments; nil unless all are there.
    init?(arguments: some Collection<String>) {
        self.init()
        guard arguments.count == Self.names.count else { return nil }
        for (argument, known) in zip(arguments, Self.names) {
            let parts = argument.split(separator: "=")
            guard parts.count == 2, parts[0] == known.name, let limit = Int(parts[1]), limit >= 0
            else { return nil }
            self[keyPath: known.limit] = limit
        }
    }
}
