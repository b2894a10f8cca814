import Glibc

/// The process that reads and writes files: the program itself, started once more.
///
/// The first line of a program's `main.swift` is `SpreadsheetProcess.serveIfAsked()`. In the
/// program itself it returns at once. Where ``SpreadsheetProcesses`` has started the program, it
/// limits the process, does the work and ends it, so that nothing else of the program runs.
public enum SpreadsheetProcess {
    /// What a process is asked for, by its first argument.
    enum Job: String {
        case read = "read-spreadsheet"
        case write = "write-spreadsheet"
    }

    /// Does the work and ends the process, if it was started for that; call it before all else.
    ///
    /// - Parameter arguments: The arguments of the process, its name first.
    public static func serveIfAsked(arguments: [String] = CommandLine.arguments) {
        guard arguments.count >= 3, let job = Job(rawValue: arguments[1]) else { return }
        guard let limits = SpreadsheetLimits(arguments: arguments.dropFirst(3)) else {
            exit(EX_USAGE)
        }
        Restraint.apply(limits, for: job)
        let output = FrameOutput()
        output.send(Frame.encode(.hello))
        do throws(SpreadsheetFault) {
            switch job {
            case .read: try read(limits, to: output)
            case .write: try write(limits, temporaryFolder: arguments[2], to: output)
            }
            output.send(Frame.encode(.end))
        } catch {
            output.send(Frame.encode(.fault) { $0.write(error) })
        }
        exit(EX_OK)
    }

    private static let EX_OK: Int32 = 0
    private static let EX_USAGE: Int32 = 64

    private static func read(
        _ limits: SpreadsheetLimits, to output: FrameOutput
    ) throws(SpreadsheetFault) {
        let bytes = StandardInput.all(upTo: limits.fileBytesMax + 1)
        var pending = ByteWriter()
        try SpreadsheetContents.read(bytes, limits: limits) { row in
            pending.write(row)
            guard pending.bytes.count >= Frame.rowsBytes else { return }
            output.send(Frame.encode(.rows) { $0.append(pending.bytes) })
            pending = ByteWriter()
        }
        if !pending.bytes.isEmpty {
            output.send(Frame.encode(.rows) { $0.append(pending.bytes) })
        }
    }

    private static func write(
        _ limits: SpreadsheetLimits, temporaryFolder: String, to output: FrameOutput
    ) throws(SpreadsheetFault) {
        var frames = FrameInput()
        guard var first = frames.next(), first.kind == .sheet,
            let (sheet, format) = try? first.contents.sheet()
        else { throw SpreadsheetFault.unavailable }
        switch format {
        case .csv: try writeText(sheet, from: &frames, limits, to: output)
        case .xlsx:
            try writeWorkbook(
                sheet, from: &frames, limits, temporaryFolder: temporaryFolder, to: output)
        }
    }

    private static func writeText(
        _ sheet: SpreadsheetSheet, from frames: inout FrameInput, _ limits: SpreadsheetLimits,
        to output: FrameOutput
    ) throws(SpreadsheetFault) {
        var writer = try TextWriter(sheet, limits: limits)
        while let rows = try frames.nextRows() {
            for row in rows { try writer.write(row.cells) }
            if writer.bytes.count >= Frame.rowsBytes { output.send(bytes: writer.take()) }
        }
        output.send(bytes: writer.take())
    }

    private static func writeWorkbook(
        _ sheet: SpreadsheetSheet, from frames: inout FrameInput, _ limits: SpreadsheetLimits,
        temporaryFolder: String, to output: FrameOutput
    ) throws(SpreadsheetFault) {
        let file = try TemporaryFile(in: temporaryFolder)
        let writer = try WorkbookWriter(
            sheet, path: file.path, temporaryFolder: temporaryFolder, limits: limits)
        while let rows = try frames.nextRows() {
            for row in rows { try writer.write(row.cells) }
        }
        try writer.finish()
        while let piece = try file.next() { output.send(bytes: piece) }
    }
}
