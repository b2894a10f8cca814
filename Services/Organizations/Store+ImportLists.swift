import Access
import ServiceKit
import Storage

/// Where a list of imports goes on: after an import, by when it was begun.
struct ImportListPlace: Sendable, Hashable {
    let created: Int64
    let id: [UInt8]

    /// The place before the latest import.
    static let start = ImportListPlace(created: .max, id: [])

    private init(created: Int64, id: [UInt8]) {
        self.created = created
        self.id = id
    }

    /// The place of an import.
    init(_ run: ImportRun) {
        self.init(created: run.createdAt.microseconds, id: run.id.bytes)
    }

    /// The place in a page token of ours.
    init?(_ keys: [SQLValue]) {
        guard keys.count == 2, case .integer(let created) = keys[0], case .blob(let id) = keys[1]
        else { return nil }
        self.init(created: created, id: id)
    }

    /// The place in a page token.
    var keys: [any SQLBindable] { [created, id] }
}

/// Which imports a list is about.
struct ImportListFilter: Sendable, Hashable {
    /// Who began them; nil: anybody.
    let creator: String?
    /// How far they are; nil: however far.
    let state: ImportRunState?
}

extension Statements {
    /// Imports, the latest first.
    static func importRuns(
        _ filter: ImportListFilter, after place: ImportListPlace, limit: Int
    ) -> SQL {
        switch (filter.creator, filter.state) {
        case (nil, nil):
            """
            SELECT \(ImportRun.runColumns) FROM import_run
            WHERE (created_micros, id) < (\(place.created), \(place.id))
            ORDER BY created_micros DESC, id DESC LIMIT \(limit)
            """
        case (nil, let state?):
            """
            SELECT \(ImportRun.runColumns) FROM import_run WHERE state = \(state.rawValue)
                AND (created_micros, id) < (\(place.created), \(place.id))
            ORDER BY created_micros DESC, id DESC LIMIT \(limit)
            """
        case (let creator?, nil):
            """
            SELECT \(ImportRun.runColumns) FROM import_run WHERE created_by = \(creator)
                AND (created_micros, id) < (\(place.created), \(place.id))
            ORDER BY created_micros DESC, id DESC LIMIT \(limit)
            """
        case (let creator?, let state?):
            """
            SELECT \(ImportRun.runColumns) FROM import_run
            WHERE created_by = \(creator) AND state = \(state.rawValue)
                AND (created_micros, id) < (\(place.created), \(place.id))
            ORDER BY created_micros DESC, id DESC LIMIT \(limit)
            """
        }
    }

    /// How many imports there are.
    static func importRunCount(_ state: ImportRunState?) -> SQL {
        guard let state else { return "SELECT count(*) FROM import_run" }
        return "SELECT count(*) FROM import_run WHERE state = \(state.rawValue)"
    }

    /// The places of one person's imports, each with their number; the roots are left out.
    static func importPlaces(
        of creator: String, in state: ImportRunState?, limit: Int
    ) -> SQL {
        guard let state else {
            return """
                SELECT parent_id, count(*) FROM import_run
                WHERE created_by = \(creator) AND parent_id IS NOT NULL
                GROUP BY parent_id LIMIT \(limit)
                """
        }
        return """
            SELECT parent_id, count(*) FROM import_run
            WHERE created_by = \(creator) AND parent_id IS NOT NULL AND state = \(state.rawValue)
            GROUP BY parent_id LIMIT \(limit)
            """
    }
}

extension Reading {
    /// Imports, the latest first, after a place.
    func importRuns(
        _ filter: ImportListFilter, after place: ImportListPlace, limit: Int
    ) throws -> [ImportRun] {
        try rows(
            Statements.importRuns(filter, after: place, limit: limit), ImportRun.init(row:))
    }

    /// How many imports there are, in a state or in any.
    func importRunCount(_ state: ImportRunState?) throws -> Int64 {
        try row(Statements.importRunCount(state)) { try $0.int64(0) } ?? 0
    }

    /// The organizations for which a person has imported, with the number of imports; at most so
    /// many organizations.
    func importPlaces(
        of creator: String, in state: ImportRunState?, limit: Int
    ) throws -> [(place: OrganizationID, count: Int64)] {
        try rows(Statements.importPlaces(of: creator, in: state, limit: limit)) { row in
            (try row.identifier(0), try row.int64(1))
        }
    }
}
