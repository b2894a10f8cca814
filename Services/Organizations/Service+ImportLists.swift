import Access
import Messages
import RPC
import ServiceKit
import Storage

extension ImportService {
    func listImports(
        _ request: ListImportsRequest, _ context: CallContext
    ) async throws -> ListImportsReply {
        let principal = try context.principal
        let state = try ImportRunState.optional(request.state)
        var arguments = request
        arguments.pageSize = 0
        arguments.pageToken = ""
        let page = try pageTokens.page(
            context, size: request.pageSize, token: request.pageToken, arguments: arguments)
        guard let place = page.after.map(ImportListPlace.init) ?? .start else {
            throw Status.refusal(.pageTokenInvalid, "This page token is not valid here.")
        }
        let day = context.now.day
        let (runs, next, total) = try await database.read { snapshot in
            try ImportListing(
                reading: snapshot, principal: principal, state: state, page: page, place: place,
                day: day
            ).entries()
        }
        return ListImportsReply(
            imports: runs.map(answer), nextPageToken: next, totalSize: total)
    }
}

/// A page of the imports that somebody may see: all of them, or the own ones at organizations where
/// the right to import still holds.
struct ImportListing<Source: Reading> {
    /// The most organizations whose imports one person's total counts.
    private let placesMax = 1_000
    /// A page of own imports ends after so many were looked at, full or not.
    private let lookedAtMax = 5_000

    let reading: Source
    let principal: Access.Principal
    let state: ImportRunState?
    let page: Page
    /// Where the page begins.
    let place: ImportListPlace
    let day: CalendarDay

    /// The imports, the token of the next page, and how many there are in all.
    func entries() throws -> (runs: [ImportRun], next: String, total: Int64) {
        guard principal.decide(.importOrganizations, at: []) == .allowed else {
            return try ownEntries()
        }
        let found = try reading.importRuns(
            ImportListFilter(creator: nil, state: state), after: place, limit: page.limit)
        let (runs, next) = page.cut(found) { ImportListPlace($0).keys }
        return (runs, next, try reading.importRunCount(state))
    }

    private func ownEntries() throws -> (runs: [ImportRun], next: String, total: Int64) {
        var rights: [OrganizationID: Bool] = [:]
        var total: Int64 = 0
        let places = try reading.importPlaces(of: principal.scope, in: state, limit: placesMax)
        for (place, count) in places where try isOpen(place, &rights) { total += count }
        let filter = ImportListFilter(creator: principal.scope, state: state)
        var found: [ImportRun] = []
        var place = place
        var lookedAt = 0
        while true {
            let part = try reading.importRuns(filter, after: place, limit: page.limit)
            for run in part where try isOpen(run.parent, &rights) { found.append(run) }
            if found.count >= page.limit {
                let (runs, next) = page.cut(found) { ImportListPlace($0).keys }
                return (runs, next, total)
            }
            guard part.count == page.limit, let last = part.last else { return (found, "", total) }
            place = ImportListPlace(last)
            lookedAt += part.count
            if lookedAt >= lookedAtMax { return (found, page.token(after: place.keys), total) }
        }
    }

    /// Whether the principal may still import where an import was begun.
    private func isOpen(
        _ place: OrganizationID?, _ rights: inout [OrganizationID: Bool]
    ) throws -> Bool {
        // The roots are for those who import everywhere.
        guard let place else { return false }
        if let known = rights[place] { return known }
        let isOpen = try reading.mayImport(principal, at: place, on: day)
        rights[place] = isOpen
        return isOpen
    }
}

extension Reading {
    /// Whether a principal may import at an organization and below.
    fileprivate func mayImport(
        _ principal: Access.Principal, at id: OrganizationID, on day: CalendarDay
    ) throws -> Bool {
        let levels = try levels(to: id)
        guard !levels.isEmpty else { return false }
        let line = Line(levels, on: day)
        guard principal.sees(line), !line.isArchived else { return false }
        return principal.decide(
            .importOrganizations, at: line.ids, pausedAt: line.obstacle?.id) == .allowed
    }
}

extension ImportRunState {
    /// The state that somebody asks for; nil when it is unspecified.
    fileprivate static func optional(_ state: ImportState) throws -> ImportRunState? {
        if state == .unspecified { return nil }
        guard let known = ImportRunState(rawValue: Int(state.rawValue)) else {
            throw Status.invalid("state", "There is no state \(state.rawValue).")
        }
        return known
    }
}
