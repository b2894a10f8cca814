import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Lists of imports: what is in them for whom, and in which order.
struct ImportListTests {
    private let installation: Installation
    private let office: ImportOffice
    private let ada: UserID
    private let bo: UserID

    init() throws {
        installation = try Installation()
        office = try ImportOffice(installation)
        ada = installation.identifiers.next()
        bo = installation.identifiers.next()
    }

    /// Keeps imports as if they had been begun, a second after one another or at once.
    @discardableResult
    private func keep(
        _ count: Int, by person: UserID, at parent: Organization? = nil,
        _ state: ImportRunState = .planned, apart: Duration = .seconds(1)
    ) async throws -> [String] {
        let place = try parent?.organizationID
        var runs: [ImportRun] = []
        for _ in 0..<count {
            installation.clock.advance(by: apart)
            runs.append(
                ImportRun(
                    id: installation.identifiers.next(), parent: place, state: state,
                    createdBy: "user:\(person.text)", createdAt: installation.clock.now))
        }
        let kept = runs
        try await installation.database.write { transaction in
            for run in kept { try transaction.put(run) }
        }
        return kept.map(\.id.text)
    }

    @Test(arguments: [1, 2, 3, 50])
    func `the latest comes first, and pages miss none and repeat none`(size: Int32) async throws {
        let early = try await keep(4, by: ada)
        // As many at one instant as lie on both sides of a page's end.
        let late = try await keep(3, by: bo, apart: .zero)
        let imports = try office.client(Access.Grant(.platformOwner))

        let pages = try await imports.pages(size: size)

        #expect(pages.flatMap(\.imports).map(\.id) == (early + late).reversed())
        #expect(pages.allSatisfy { $0.totalSize == 7 })
        #expect(pages.count == (7 + Int(size) - 1) / Int(size))
    }

    @Test func `a state leaves only its imports, and counts them`() async throws {
        try await keep(2, by: ada, .applied)
        let failed = try await keep(3, by: ada, .failed)
        let school = try await installation.platformOwner().create("School")
        let own = try await keep(1, by: bo, at: school, .failed)
        try await keep(1, by: bo, at: school, .cancelled)
        let everywhere = try office.client(Access.Grant(.globalAdmin))
        let bos = try office.client(
            as: bo, Access.Grant(.platformAdmin, at: try school.organizationID))

        let all = try await everywhere.pages(size: 3) { $0.state = .failed }
        let some = try await bos.pages(size: 3) { $0.state = .failed }

        #expect(all.flatMap(\.imports).map(\.id) == (failed + own).reversed())
        #expect(all.map(\.totalSize) == [4, 4])
        #expect(some.map { $0.imports.map(\.id) } == [own] && some[0].totalSize == 1)
        let wrong = try await refusal {
            try await everywhere.listImports(ListImportsRequest(state: .unrecognized(7)))
        }
        #expect(wrong.reason == "validation")
    }

    @Test func `whoever imports at a place lists the own ones, whoever does everywhere all`()
        async throws
    {
        let owner = try installation.platformOwner()
        let mine = try await owner.create("Mine")
        let inner = try await owner.create("Inner", below: mine)
        let other = try await owner.create("Other")
        let atMine = try await keep(1, by: ada, at: mine) + keep(1, by: ada, at: inner)
        let atOther = try await keep(2, by: ada, at: other)
        let roots = try await keep(1, by: ada)
        let foreign = try await keep(1, by: bo, at: mine)
        let place = Access.Grant(.platformAdmin, at: try mine.organizationID)

        let adas = try await office.client(as: ada, place).pages(size: 1)
        let bos = try await office.client(as: bo, place).pages(size: 50)
        let nobodys = try await office.client(
            as: ada, Access.Grant(.owner, at: try mine.organizationID)
        ).pages(size: 50)
        let all = try await office.client(as: bo, Access.Grant(.globalAdmin)).pages(size: 50)

        // Those at the place whose right was lost, and those of the roots, are no longer listed.
        #expect(adas.flatMap(\.imports).map(\.id) == atMine.reversed())
        #expect(adas.allSatisfy { $0.totalSize == 2 })
        #expect(bos.map { $0.imports.map(\.id) } == [foreign] && bos[0].totalSize == 1)
        #expect(nobodys[0].imports.isEmpty && nobodys[0].totalSize == 0)
        #expect(
            all[0].imports.map(\.id) == (atMine + atOther + roots + foreign).reversed())
        #expect(all[0].totalSize == 6)
    }

    @Test func `imports at a place of the archive are left to those who import everywhere`()
        async throws
    {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School")
        let ids = try await keep(1, by: ada, at: school)
        _ = try await owner.delete(school)

        let adas = try await office.client(
            as: ada, Access.Grant(.platformAdmin, at: try school.organizationID)
        ).pages(size: 50)
        let everywhere = try office.client(Access.Grant(.platformOwner))
        let all = try await everywhere.pages(size: 50)
        let one = try await everywhere.getImport(GetImportRequest(id: ids[0]))
        let applied = try await refusal {
            try await everywhere.applyImport(ApplyImportRequest(id: ids[0]))
        }

        #expect(adas[0].imports.isEmpty && adas[0].totalSize == 0)
        #expect(all[0].imports == [one])
        #expect(applied.reason == "parent_archived")
    }

    @Test func `a page ends after so many imports that are no longer shown, and goes on`()
        async throws
    {
        let owner = try installation.platformOwner()
        let mine = try await owner.create("Mine")
        let lost = try await owner.create("Lost")
        let shown = try await keep(1, by: ada, at: mine)
        try await keep(5_010, by: ada, at: lost, apart: .microseconds(1))
        let imports = try office.client(
            as: ada, Access.Grant(.platformAdmin, at: try mine.organizationID))

        let pages = try await imports.pages(size: 499)

        #expect(pages.map(\.imports.count) == [0, 1])
        #expect(pages.last?.imports.map(\.id) == shown)
        #expect(pages.allSatisfy { $0.totalSize == 1 })
    }

    @Test func `a page token is good for one state alone`() async throws {
        try await keep(3, by: ada)
        let imports = try office.client(Access.Grant(.platformOwner))
        let page = try await imports.listImports(ListImportsRequest(pageSize: 1))

        let refused = try await refusal {
            try await imports.listImports(
                ListImportsRequest(
                    state: .planned, pageSize: 1, pageToken: page.nextPageToken))
        }

        #expect(refused.reason == "page_token_invalid")
    }

    @Test(arguments: [nil, "user:x"], [nil, ImportRunState.planned])
    func `every list is read from an index, from any place`(
        creator: String?, state: ImportRunState?
    ) async throws {
        let filter = ImportListFilter(creator: creator, state: state)

        let plan = try await installation.database.read { snapshot in
            try snapshot.plan(of: Statements.importRuns(filter, after: .start, limit: 10))
        }

        let first = [creator.map { _ in "created_by=?" }, state.map { _ in "state=?" }]
            .compactMap(\.self)
        let columns = (first + ["(created_micros,id)<(?,?)"]).joined(separator: " AND ")
        #expect(plan.count == 1 && plan[0].hasSuffix("(\(columns))"), "\(plan)")
    }

    @Test(arguments: [nil, ImportRunState.planned])
    func `places are counted from an index alone`(state: ImportRunState?) async throws {
        let plan = try await installation.database.read { snapshot in
            try snapshot.plan(of: Statements.importPlaces(of: "user:x", in: state, limit: 10))
        }

        #expect(plan.count == 1 && plan[0].contains("COVERING INDEX import_run_place"), "\(plan)")
    }
}

extension Reading {
    fileprivate func plan(of statement: SQL) throws -> [String] {
        try rows("EXPLAIN QUERY PLAN \(statement)") { try $0.text(3) }
    }
}

extension ImportsClient {
    /// All pages of a list of imports.
    fileprivate func pages(
        size: Int32, _ change: (inout ListImportsRequest) -> Void = { _ in }
    ) async throws -> [ListImportsReply] {
        var request = ListImportsRequest(pageSize: size)
        change(&request)
        var pages: [ListImportsReply] = []
        repeat {
            pages.append(try await listImports(request))
            request.pageToken = pages[pages.count - 1].nextPageToken
        } while !request.pageToken.isEmpty && pages.count < 20
        return pages
    }
}
