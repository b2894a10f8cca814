import Access
import Logging
import Messages
import RPC
import ServiceKit
import Spreadsheets
import Storage
import Synchronization

/// Does the work of imports in the background, one after the other.
final class ImportDesk: Sendable {
    /// Imports that wait; more are refused.
    static let waitingMax = 8
    /// Files that are being sent at a time; more are refused.
    static let uploadsMax = 8
    /// Planned rows that are kept in one transaction.
    private static let rowsKeptAtOnce = 1_000
    /// The texts of all rows of a file, in bytes: one text may stand in many cells.
    private static let textBytesMax = 64 * 1_024 * 1_024
    /// More imports than this are never open at once.
    private static let openMax = 1_000

    /// What is to be done.
    enum Job: Sendable {
        case plan(ImportRun, file: [UInt8], top: ImportTop)
        case apply(ImportRun)

        var run: ImportRun {
            switch self {
            case .plan(let run, _, _), .apply(let run): run
            }
        }
    }

    /// How far the step under way has come.
    private struct Progress {
        var done = 0
        var isCancelled = false
    }

    private let database: Database
    private let identifiers: IdentifierSource
    private let limits: Limits
    private let clock: WallClock
    private let logger: Logger
    let spreadsheets: SpreadsheetProcesses
    private let uploads = Mutex(0)
    private let progress = Mutex<[ImportID: Progress]>([:])
    private let jobs = AsyncStream.makeStream(
        of: Job.self, bufferingPolicy: .bufferingOldest(waitingMax))

    init(
        database: Database, identifiers: IdentifierSource, limits: Limits, clock: WallClock,
        spreadsheets: SpreadsheetProcesses, logger: Logger = Logger(label: "organizations")
    ) {
        self.database = database
        self.identifiers = identifiers
        self.limits = limits
        self.clock = clock
        self.spreadsheets = spreadsheets
        self.logger = logger
    }

    /// Does what is handed in until the task is cancelled.
    ///
    /// What a former life of this program left half done is told as failed: its file is gone.
    func run() async throws {
        try await endInterrupted()
        for await job in jobs.stream {
            await work(job)
            progress.withLock { $0[job.run.id] = nil }
        }
    }

    /// Hands a job in.
    ///
    /// - Throws: `RESOURCE_EXHAUSTED`, reason `busy`, when too many wait.
    func hand(in job: Job) throws {
        let isNew = progress.withLock { progress in
            guard progress[job.run.id] == nil else { return false }
            progress[job.run.id] = Progress()
            return true
        }
        guard isNew else { return }
        if case .dropped = jobs.continuation.yield(job) {
            progress.withLock { $0[job.run.id] = nil }
            throw Refusal.tooManyImports
        }
    }

    /// How many rows the step under way has done; nil when none is.
    func rowsDone(of id: ImportID) -> Int? {
        progress.withLock { $0[id]?.done }
    }

    /// Looks whether there is room for a file that is still to be sent.
    ///
    /// - Throws: `RESOURCE_EXHAUSTED`, reason `busy`.
    func requireRoom() throws {
        guard uploads.withLock({ $0 < Self.uploadsMax }) else { throw Refusal.tooManyImports }
    }

    /// Makes room for a file that is being sent.
    ///
    /// - Throws: `RESOURCE_EXHAUSTED`, reason `busy`.
    func beginUpload() throws {
        let isFree = uploads.withLock { uploads in
            guard uploads < Self.uploadsMax else { return false }
            uploads += 1
            return true
        }
        guard isFree else { throw Refusal.tooManyImports }
    }

    /// Ends what ``beginUpload()`` began.
    func endUpload() {
        uploads.withLock { $0 -= 1 }
    }

    /// Ends the step under way as soon as it looks up.
    ///
    /// - Returns: Whether there is one.
    func cancel(_ id: ImportID) -> Bool {
        progress.withLock { progress in
            progress[id]?.isCancelled = true
            return progress[id] != nil
        }
    }

    /// Counts a row.
    ///
    /// - Throws: `CancellationError` when the import was cancelled.
    private func advance(_ id: ImportID) throws {
        let isCancelled = progress.withLock { progress in
            progress[id]?.done += 1
            return progress[id]?.isCancelled ?? true
        }
        if isCancelled { throw CancellationError() }
    }

    // MARK: - Jobs

    private func work(_ job: Job) async {
        var run = job.run
        do {
            try advanceNothing(run.id)
            switch job {
            case .plan(_, let file, let top): try await plan(&run, file, top)
            case .apply: try await apply(run)
            }
            return
        } catch is CancellationError {
            run.state = .cancelled
        } catch let failure as ImportFailure {
            run.state = .failed
            run.fault = failure
        } catch let fault as SpreadsheetFault {
            run.state = .failed
            run.fault = ImportFailure(
                code: fault.code.rawValue, sentence: fault.message, row: fault.row ?? 0)
        } catch {
            logger.error("import failed", metadata: ["error": "\(error)"])
            run.state = .failed
            run.fault = ImportFailure(
                code: ErrorReason.internal.rawValue,
                sentence: "Something went wrong here, and nothing was changed.")
        }
        run.endedAt = clock.now()
        let ended = run
        do {
            try await database.write { transaction in
                guard try transaction.importRun(ended.id)?.state.isUnderWay == true else { return }
                try transaction.put(ended)
            }
        } catch {
            // What stays open is ended at the next start.
            logger.error("the end of an import was not kept", metadata: ["error": "\(error)"])
        }
    }

    /// Ends what was cancelled before its turn.
    private func advanceNothing(_ id: ImportID) throws {
        if progress.withLock({ $0[id]?.isCancelled ?? true }) { throw CancellationError() }
    }

    private func plan(_ run: inout ImportRun, _ file: [UInt8], _ top: ImportTop) async throws {
        let lines = try await read(file, for: run.id)
        let day = clock.now().day
        let (id, masksMax) = (run.id, limits.emailMasksMax)
        progress.withLock { $0[id]?.done = 0 }
        let planned = try await database.read { snapshot in
            let source = try StoredOrganizations(reading: snapshot, day: day)
            return try ImportPlanner(
                source: source, top: top, day: day, emailMasksMax: masksMax
            ).plan(lines) { try self.advance(id) }
        }
        run.counts = ImportCounts(planned)
        var rest = planned[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(Self.rowsKeptAtOnce))
            rest = rest.dropFirst(Self.rowsKeptAtOnce)
            try advanceNothing(id)
            try await database.write { transaction in
                for line in part { try transaction.insert(line, of: id) }
            }
        }
        run.state = .planned
        let ended = run
        try await database.write { try $0.put(ended) }
    }

    /// Reads the rows of a file, in a process of its own.
    private func read(_ file: [UInt8], for id: ImportID) async throws -> [ImportLine] {
        try await spreadsheets.read(.bytes(file)) { rows in
            var columns: ImportColumns?
            var titles = TitleCache()
            var lines: [ImportLine] = []
            var textBytes = 0
            for try await batch in rows {
                for row in batch {
                    textBytes += row.textByteCount
                    guard textBytes <= Self.textBytesMax else {
                        throw ImportFailure(
                            code: "contents_too_large",
                            sentence: "The texts of this file are too long altogether.",
                            row: row.number)
                    }
                    guard let known = columns else {
                        columns = try Self.columns(row)
                        continue
                    }
                    try self.advance(id)
                    let line = ImportLine(row, known, titles: &titles)
                    if !line.isBlank { lines.append(line) }
                }
            }
            return lines
        }
    }

    private static func columns(_ header: SpreadsheetRow) throws -> ImportColumns {
        do throws(ImportProblem) {
            return try ImportColumns(header: header.cells)
        } catch {
            throw ImportFailure(code: error.code, sentence: error.sentence, row: header.number)
        }
    }

    private func apply(_ run: ImportRun) async throws {
        let (now, identifiers) = (clock.now(), identifiers)
        var ended = run
        ended.state = .applied
        ended.endedAt = now
        let applied = ended
        try await database.write { transaction in
            let application = ImportApplication(
                transaction: transaction, importID: run.id, identifiers: identifiers,
                creator: run.createdBy, scope: run.parent, now: now)
            // Handed in twice, it is applied once.
            guard try transaction.importRun(run.id)?.state == .applying else { return }
            try application.apply { try self.advance(run.id) }
            try self.advanceNothing(run.id)
            try transaction.put(applied)
        }
    }

    // MARK: - What is over

    private func endInterrupted() async throws {
        let open = try await database.read { snapshot in
            try [ImportRunState.planning, .applying].flatMap {
                try snapshot.importRuns(in: $0, limit: Self.openMax)
            }
        }
        let known = progress.withLock { Set($0.keys) }
        let now = clock.now()
        for run in open where !known.contains(run.id) {
            var ended = run
            ended.state = .failed
            ended.endedAt = now
            ended.fault = ImportFailure(
                code: "interrupted",
                sentence: "The service was restarted, and nothing was changed. Please import again."
            )
            let failed = ended
            try await database.write { try $0.put(failed) }
        }
    }
}

extension ImportCounts {
    fileprivate init(_ planned: [PlannedLine]) {
        self.init(rows: planned.count)
        for line in planned {
            switch line.outcome {
            case .created: created += 1
            case .updated: updated += 1
            case .unchanged: unchanged += 1
            case .error: errors += 1
            }
        }
    }
}

extension SpreadsheetRow {
    /// The bytes of the texts in its cells.
    fileprivate var textByteCount: Int {
        cells.reduce(0) { sum, cell in
            guard case .text(let text) = cell else { return sum }
            return sum + text.utf8.count
        }
    }
}
