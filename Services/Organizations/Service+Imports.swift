import Access
import Messages
import RPC
import ServiceKit
import Spreadsheets
import Storage

/// The calls about files, in the order of the proto.
struct ImportService: ImportsService {
    /// The largest file, in bytes.
    static let fileBytesMax = 16 * 1_024 * 1_024
    /// How often a watcher looks for news.
    private static let watchPeriod: Duration = .milliseconds(200)

    let database: Database
    let desk: ImportDesk
    let identifiers: IdentifierSource
    let pageTokens: PageTokens

    func checkImport(
        _ request: CheckImportRequest, _ context: CallContext
    ) async throws -> CheckImportReply {
        let principal = try context.principal
        let asked = try OrganizationID.optional(requestText: request.parent, field: "parent")
        let day = context.now.day
        _ = try await database.read { snapshot in
            try snapshot.importTop(asked, for: principal, on: day)
        }
        // Only who may import learns how busy it is.
        try desk.requireRoom()
        return CheckImportReply()
    }

    func planImport(
        _ requests: MessageStream<PlanImportRequest>, _ context: CallContext
    ) async throws -> Import {
        let principal = try context.principal
        let now = context.now
        var place: (top: ImportTop, parent: OrganizationID?)?
        var file: [UInt8] = []
        defer { if place != nil { desk.endUpload() } }
        for try await request in requests {
            if place == nil {
                // Who may not import need not send a file first.
                let asked = try OrganizationID.optional(
                    requestText: request.parent, field: "parent")
                let found = try await database.read { snapshot in
                    try snapshot.importTop(asked, for: principal, on: now.day)
                }
                // Only who may import takes a place from others.
                try desk.beginUpload()
                place = found
            }
            guard file.count + request.content.count <= Self.fileBytesMax else {
                throw Status.invalid("content", "A file has at most 16 MiB.")
            }
            file += request.content
        }
        guard !file.isEmpty, let (top, named) = place else {
            throw Status.invalid("content", "There is no file.")
        }
        let run = ImportRun(
            id: identifiers.next(), parent: named, state: .planning, createdBy: principal.scope,
            createdAt: now)
        try await database.write { try $0.put(run) }
        do {
            try desk.hand(in: .plan(run, file: file, top: top))
        } catch {
            var refused = run
            refused.state = .cancelled
            refused.endedAt = now
            let ended = refused
            try await database.write { try $0.put(ended) }
            throw error
        }
        return Import(run, rowsDone: 0)
    }

    func getImport(_ request: GetImportRequest, _ context: CallContext) async throws -> Import {
        let run = try await run(request.id, context)
        return answer(run)
    }

    func listImportRows(
        _ request: ListImportRowsRequest, _ context: CallContext
    ) async throws -> ListImportRowsReply {
        let run = try await run(request.id, context)
        let outcome = try ImportOutcome.optional(request.outcome)
        var arguments = request
        arguments.pageSize = 0
        arguments.pageToken = ""
        let page = try pageTokens.page(
            context, size: request.pageSize, token: request.pageToken, arguments: arguments)
        var after: Int64 = 0
        if case .integer(let row)? = page.after?.first { after = row }
        return try await database.read { [after] snapshot in
            let found =
                if let outcome {
                    try snapshot.importRows(
                        of: run.id, outcome: outcome, after: after, limit: page.limit)
                } else {
                    try snapshot.importRows(of: run.id, after: after, limit: page.limit)
                }
            let (rows, next) = page.cut(found) { [$0.row] }
            return ListImportRowsReply(
                rows: try rows.map { row, outcome, body in
                    let planned = try PlannedRow(decoding: body, limits: .bulk)
                    return ImportRow(
                        row, outcome, planned,
                        try snapshot.organization(of: planned, row, in: run.id))
                },
                nextPageToken: next, totalSize: Int64(run.counts.count(of: outcome)))
        }
    }

    func watchImport(
        _ request: GetImportRequest, _ context: CallContext, _ replies: ReplyStream<Import>
    ) async throws {
        var last: Import?
        while true {
            let run = try await run(request.id, context)
            let news = answer(run)
            if news != last { try await replies.write(news) }
            guard run.state.isUnderWay else { return }
            last = news
            try await Task.sleep(for: Self.watchPeriod)
        }
    }

    func applyImport(
        _ request: ApplyImportRequest, _ context: CallContext
    ) async throws -> Import {
        let run = try await run(request.id, context)
        let principal = try context.principal
        let now = context.now
        let skipsRows = request.skipRows
        let started = try await database.command(context, request) { transaction in
            try transaction.requireImport(of: run, by: principal, on: now.day)
            guard var current = try transaction.importRun(run.id) else { throw OutOfScope() }
            guard current.state == .planned else {
                throw Refusal.wrongState("Only an import that is planned can be applied.")
            }
            guard current.counts.errors == 0 || skipsRows else {
                throw Refusal.importHasErrors(try transaction.faultyRows(of: run.id))
            }
            let stale = try transaction.staleRows(of: run.id)
            guard stale.isEmpty else { throw Refusal.planStale(stale) }
            current.state = .applying
            try transaction.put(current)
            return Import(current, rowsDone: 0)
        }
        if desk.rowsDone(of: run.id) == nil { try await handIn(run.id) }
        return started
    }

    /// Hands an import in that is to be applied.
    ///
    /// A replay hands nothing in that was applied, cancelled, or failed; what was refused for being
    /// too much at once is planned still.
    /// - Throws: ``Refusal/tooManyImports``; the import is then planned again.
    private func handIn(_ id: ImportID) async throws {
        let applying: ImportRun? = try await database.write { transaction in
            guard var run = try transaction.importRun(id) else { return nil }
            if run.state == .planned {
                run.state = .applying
                try transaction.put(run)
            }
            return run.state == .applying ? run : nil
        }
        guard let applying else { return }
        do {
            try desk.hand(in: .apply(applying))
        } catch {
            try await database.write { transaction in
                guard var run = try transaction.importRun(id), run.state == .applying else {
                    return
                }
                run.state = .planned
                try transaction.put(run)
            }
            throw error
        }
    }

    func cancelImport(
        _ request: CancelImportRequest, _ context: CallContext
    ) async throws -> Import {
        let run = try await run(request.id, context)
        let now = context.now
        if run.state.isUnderWay, desk.cancel(run.id) { return answer(run) }
        return try await database.command(context, request) { transaction in
            guard var current = try transaction.importRun(run.id) else { throw OutOfScope() }
            guard current.state == .planned || current.state == .cancelled else {
                throw Refusal.wrongState("This import is over.")
            }
            current.state = .cancelled
            current.endedAt = current.endedAt ?? now
            try transaction.put(current)
            return Import(current, rowsDone: 0)
        }
    }

    /// An import of the caller, who may still import there; of anybody for those who import
    /// everywhere.
    private func run(_ text: String, _ context: CallContext) async throws -> ImportRun {
        let principal = try context.principal
        let id = try ImportID(requestText: text, field: "id")
        let day = context.now.day
        return try await database.read { snapshot in
            guard let run = try snapshot.importRun(id) else { throw Status.noSuchImport }
            // What was imported at a place stays known to them when the place is archived.
            if principal.decide(.importOrganizations, at: []) == .allowed { return run }
            guard run.createdBy == principal.scope else { throw Status.noSuchImport }
            try snapshot.requireImport(of: run, by: principal, on: day)
            return run
        }
    }

    /// An import as it is answered, with how far the step under way has come.
    func answer(_ run: ImportRun) -> Import {
        Import(run, rowsDone: desk.rowsDone(of: run.id) ?? 0)
    }
}

extension Reading {
    /// Where the first column of a file of a caller stands.
    ///
    /// - Parameters:
    ///   - asked: The organization that the caller named, if any.
    ///   - principal: Who imports.
    ///   - day: The day of the call.
    /// - Returns: The place, and its organization; nil for the roots.
    /// - Throws: ``OutOfScope``, `PERMISSION_DENIED`, or ``Refusal/invalid(_:)`` when the caller
    ///   may import in several places and named none.
    func importTop(
        _ asked: OrganizationID?, for principal: Access.Principal, on day: CalendarDay
    ) throws -> (top: ImportTop, parent: OrganizationID?) {
        if let asked { return try importTop(asked, seenBy: principal, on: day) }
        if principal.decide(.importOrganizations, at: []) == .allowed { return (.roots, nil) }
        var places: Set<OrganizationID> = []
        for node in Set(principal.grants.compactMap(\.node)) {
            let levels = try levels(to: node)
            guard !levels.isEmpty else { continue }
            let line = Line(levels, on: day)
            if principal.sees(line),
                principal.decide(.importOrganizations, at: line.ids) == .allowed
            {
                places.insert(node)
            }
        }
        guard let place = places.first else { throw Status.forbidden() }
        guard places.count == 1 else {
            throw Refusal.invalid([
                FieldFault(field: "parent", sentence: "Please name the organization.")
            ])
        }
        return try importTop(place, seenBy: principal, on: day)
    }

    private func importTop(
        _ id: OrganizationID, seenBy principal: Access.Principal, on day: CalendarDay
    ) throws -> (top: ImportTop, parent: OrganizationID?) {
        let line = try line(to: id, seenBy: principal, on: day)
        try principal.requireOpen(.importOrganizations, at: line)
        let top = ImportTop.organization(
            line.end.number, titleKey: Title.key(of: line.end.title), depth: line.depth,
            isActive: line.state == .active)
        return (top, id)
    }

    /// Requires the right to import where an import was begun.
    ///
    /// - Throws: ``OutOfScope``, `PERMISSION_DENIED`, ``Suspended``.
    fileprivate func requireImport(
        of run: ImportRun, by principal: Access.Principal, on day: CalendarDay
    ) throws {
        guard let parent = run.parent else {
            return try principal.require(.importOrganizations, at: [])
        }
        _ = try importTop(parent, seenBy: principal, on: day)
    }

    /// The first rows of a plan that have errors.
    fileprivate func faultyRows(of id: ImportID) throws -> [ImportFailure] {
        try importRows(of: id, outcome: .error, after: 0, limit: Refusal.rowsNamedMax).map { row in
            let planned = try PlannedRow(decoding: row.body, limits: .bulk)
            let fault = planned.faults.first
            return ImportFailure(
                code: fault?.code ?? "error",
                sentence: "Row \(row.row): \(fault?.message ?? "")", row: Int(row.row))
        }
    }

    /// The first rows of a plan that no longer fit what is there.
    fileprivate func staleRows(of id: ImportID) throws -> [ImportFailure] {
        var found: [ImportFailure] = []
        for outcome in [ImportOutcome.created, .updated] {
            var after: Int64 = 0
            while found.count < Refusal.rowsNamedMax {
                let rows = try importRows(of: id, outcome: outcome, after: after, limit: 1_000)
                for (row, _, body) in rows where found.count < Refusal.rowsNamedMax {
                    let planned = try PlannedRow(decoding: body, limits: .bulk)
                    if let sentence = try misfit(of: planned) {
                        found.append(ImportApplication.stale(row, sentence))
                    }
                }
                guard let last = rows.last?.row, rows.count == 1_000 else { break }
                after = last
            }
        }
        return found
    }

    /// What no longer fits of a row; nil when it does.
    private func misfit(of planned: PlannedRow) throws -> String? {
        if planned.number != 0 {
            let version = try node(numbered: planned.number)?.version
            return version == planned.version ? nil : "The organization has changed since."
        }
        guard planned.parentRow == 0, let title = planned.path.last else { return nil }
        let parent = planned.parentNumber == 0 ? nil : planned.parentNumber
        let isTaken = try child(of: parent, titleKey: Title.key(of: title)) != nil
        return isTaken ? "An organization with this title is there by now." : nil
    }
}

extension ImportCounts {
    fileprivate func count(of outcome: ImportOutcome?) -> Int {
        switch outcome {
        case nil: rows
        case .created: created
        case .updated: updated
        case .unchanged: unchanged
        case .error: errors
        }
    }
}

extension Status {
    fileprivate static var noSuchImport: Status { notFound("There is no such import.") }
}
