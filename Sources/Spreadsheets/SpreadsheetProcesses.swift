import Glibc
import Subprocess
import SystemPackage

/// A file that somebody has uploaded.
public enum SpreadsheetFile: Hashable, Sendable {
    /// Its bytes.
    case bytes([UInt8])
    /// Where it is; it is opened at once and read by the process alone.
    case path(String)
}

/// How files are read and written in processes of their own.
public struct SpreadsheetConfiguration: Sendable {
    /// The program that calls ``SpreadsheetProcess/serveIfAsked(arguments:)`` first: this one.
    public var executable = "/proc/self/exe"
    /// Where files that are written wait until they are whole; they have no names there.
    public var temporaryFolder = "/tmp"
    /// What a file may cost.
    public var limits = SpreadsheetLimits()
    /// How many processes may run at once.
    public var processesMax = 2
    /// How many callers may wait for one to end; more are refused at once.
    public var waitersMax = 32
    /// How long a caller waits for its turn before it is refused.
    public var turnWaitMax: Duration = .seconds(20)

    /// The configuration that fits the import and export of organizations.
    public init() {}
}

/// Reads and writes spreadsheets, each in a process of its own with little memory and time, so that
/// no file harms the program.
///
/// The program's `main.swift` calls ``SpreadsheetProcess/serveIfAsked(arguments:)`` first. What is
/// wrong with a file is thrown as a ``SpreadsheetFault``, with a sentence for the person who
/// brought it. Cancellation ends the process. Writing to a process that has ended must not end the
/// program: the signal for that, SIGPIPE, is ignored from here on.
public final class SpreadsheetProcesses: Sendable {
    private let configuration: SpreadsheetConfiguration
    private let turns: Turns

    /// Nothing runs until it is asked for.
    public init(_ configuration: SpreadsheetConfiguration = SpreadsheetConfiguration()) {
        signal(SIGPIPE, SIG_IGN)
        self.configuration = configuration
        turns = Turns(
            atOnceMax: configuration.processesMax, waitersMax: configuration.waitersMax,
            waitMax: configuration.turnWaitMax)
    }

    /// Reads a file, row by row.
    ///
    /// - Parameters:
    ///   - file: The file; what it is, it tells by its contents.
    ///   - body: Gets the rows. A process has its place until this returns, and then is ended.
    /// - Returns: What the closure returns.
    /// - Throws: ``SpreadsheetFault``, also while the closure asks for rows; `CancellationError`;
    ///   what the closure throws; `Errno` where there is no file.
    public func read<Result: Sendable>(
        _ file: SpreadsheetFile, _ body: (SpreadsheetRows) async throws -> Result
    ) async throws -> Result {
        let limits = configuration.limits
        return try await turns.take {
            switch file {
            case .bytes(let bytes):
                guard bytes.count <= limits.fileBytesMax else {
                    throw SpreadsheetFault.fileTooLarge(limits)
                }
                return try await run(.read, input: .inputWriter) { (execution: Writing) in
                    try await serve(execution, .tooComplex) { _ in
                        let writer = execution.standardInputWriter
                        // Why it failed, the process tells by its end.
                        _ = try? await writer.write(bytes)
                        try? await writer.finish()
                    } body: { output in
                        try await body(SpreadsheetRows(output, limits: limits))
                    }
                }
            case .path(let path):
                let descriptor = try FileDescriptor.open(FilePath(path), .readOnly)
                let input = FileDescriptorInput.fileDescriptor(
                    descriptor, closeAfterSpawningProcess: true)
                return try await run(.read, input: input) { execution in
                    try await serve(execution, .tooComplex) { _ in
                    } body: { output in
                        try await body(SpreadsheetRows(output, limits: limits))
                    }
                }
            }
        }
    }

    /// Writes a file, row by row.
    ///
    /// - Parameters:
    ///   - sheet: The sheet, with the titles that become the first row.
    ///   - format: The format of the file.
    ///   - rows: The rows below, in batches; texts stay texts, also where they look like formulas.
    ///   - body: Gets the bytes of the file in pieces. Only after the last is the file whole.
    /// - Returns: What the closure returns.
    /// - Throws: ``SpreadsheetFault``, also while the closure asks for bytes; `CancellationError`;
    ///   what the rows or the closure throw.
    public func write<Rows: AsyncSequence & Sendable, Result: Sendable>(
        _ sheet: SpreadsheetSheet, as format: SpreadsheetFormat, rows: Rows,
        _ body: (SpreadsheetBytes) async throws -> Result
    ) async throws -> Result where Rows.Element == [[Cell]] {
        try await turns.take {
            try await run(.write, input: .inputWriter) { (execution: Writing) in
                try await serve(execution, .tooComplexToWrite) { feeding in
                    let feeder = Feeder(writer: execution.standardInputWriter, feeding: feeding)
                    await feeder.feed(rows, below: sheet, as: format)
                } body: { output in
                    try await body(SpreadsheetBytes(output))
                }
            }
        }
    }

    private typealias Writing = Execution<CustomWriteInput, SequenceOutput, DiscardedOutput>

    /// Runs the program as the process for a job.
    private func run<Input: InputProtocol, Result: Sendable>(
        _ job: SpreadsheetProcess.Job, input: Input,
        _ body: (Execution<Input, SequenceOutput, DiscardedOutput>) async throws -> Result
    ) async throws -> Result {
        let arguments =
            [job.rawValue, configuration.temporaryFolder] + configuration.limits.arguments
        do {
            return try await Subprocess.run(
                .path(FilePath(configuration.executable)), arguments: Arguments(arguments),
                // A crash is an answer; a report of it would take seconds.
                environment: .custom(["SWIFT_BACKTRACE": "enable=no"]),
                input: input, output: .sequence, error: .discarded, body: body
            ).closureResult
        } catch is SubprocessError {
            try Task.checkCancellation()
            throw SpreadsheetFault.unavailable
        }
    }

    /// Feeds a process and hands on what it says, for as long as it may take.
    private func serve<Input: InputProtocol, Result: Sendable>(
        _ execution: Execution<Input, SequenceOutput, DiscardedOutput>,
        _ exhaustion: SpreadsheetFault,
        feed: @escaping @Sendable (Feeding) async -> Void,
        body: (ProcessOutput) async throws -> Result
    ) async throws -> Result {
        let feeding = Feeding(Stopwatch(limit: configuration.limits.waitMax))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await feed(feeding) }
            group.addTask {
                try await feeding.stopwatch.waitUntilSpent()
                try? execution.send(signal: .kill)
            }
            defer { group.cancelAll() }
            let result = try await body(
                ProcessOutput(execution.standardOutput, feeding: feeding, exhaustion: exhaustion))
            // It may have more to say that nobody wants to hear; or it has ended already.
            try? execution.send(signal: .kill)
            return result
        }
    }
}
