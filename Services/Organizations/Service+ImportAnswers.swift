import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Import {
    /// An import as it is answered.
    init(_ run: ImportRun, rowsDone: Int) {
        self.init(
            id: run.id.text, parent: run.parent?.text ?? "",
            state: ImportState(rawValue: Int32(run.state.rawValue)),
            rowCount: Int64(run.counts.rows),
            rowsDone: Int64(run.state.isUnderWay ? rowsDone : run.counts.rows),
            createdCount: Int64(run.counts.created), updatedCount: Int64(run.counts.updated),
            unchangedCount: Int64(run.counts.unchanged), errorCount: Int64(run.counts.errors),
            faultCode: run.fault?.code ?? "", fault: run.fault?.sentence ?? "",
            faultRow: Int64(run.fault?.row ?? 0), createdAt: Timestamp(run.createdAt),
            endedAt: run.endedAt.map { Timestamp($0) })
    }
}

extension ImportRow {
    /// A planned row as it is answered.
    init(_ row: Int64, _ outcome: ImportOutcome, _ planned: PlannedRow, _ id: OrganizationID?) {
        self.init(
            row: row, outcome: Messages.ImportOutcome(rawValue: Int32(outcome.rawValue)),
            path: planned.path, organizationID: id?.text ?? "",
            differences: planned.differences, faults: planned.faults, warnings: planned.warnings)
    }
}

extension ImportOutcome {
    /// The outcome that somebody asks for; nil when it is unspecified.
    static func optional(_ outcome: Messages.ImportOutcome) throws -> ImportOutcome? {
        if outcome == .unspecified { return nil }
        guard let known = ImportOutcome(rawValue: Int(outcome.rawValue)) else {
            throw Status.invalid("outcome", "There is no outcome \(outcome.rawValue).")
        }
        return known
    }
}
