import Access
import Foundation
import Messages
import RPC
import RPCTesting
import ServiceKit
import Spreadsheets
import Storage

@testable import Organizations

/// The calls about files on the database of an installation, with their work in the background.
final class ImportOffice: Sendable {
    let installation: Installation
    let desk: ImportDesk
    private let router: Router
    private let work: Task<Void, Never>

    /// An office; one that is not working lets what is handed in wait.
    init(_ installation: Installation, isWorking: Bool = true) throws {
        self.installation = installation
        var configuration = SpreadsheetConfiguration()
        // The service itself, built beside the tests.
        configuration.executable =
            URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "organizations").path
        let desk = ImportDesk(
            database: installation.database, identifiers: installation.identifiers,
            limits: Limits(), clock: installation.clock.clock,
            spreadsheets: SpreadsheetProcesses(configuration))
        self.desk = desk
        router = installation.router(
            for: ImportService(
                database: installation.database, desk: desk,
                identifiers: installation.identifiers, pageTokens: installation.pageTokens
            ).registeredMethods)
        // Ends with the test, by being cancelled.
        work = Task { if isWorking { try? await desk.run() } }
    }

    deinit {
        work.cancel()
    }

    /// The calls of a person.
    func client(_ grants: Access.Grant...) throws -> ImportsClient {
        ImportsClient(try installation.channel(router, grants))
    }

    /// The calls of a program.
    func program(_ key: APIKeyID, _ grants: Access.Grant...) throws -> ImportsClient {
        ImportsClient(try installation.channel(router, grants, of: .apiKey(key)))
    }

    /// The calls of one person, whose grants may change from client to client.
    func client(as person: UserID, _ grants: Access.Grant...) throws -> ImportsClient {
        ImportsClient(try installation.channel(router, grants, as: person))
    }
}

extension ImportsClient {
    /// Hands a file in and waits for its plan.
    func plan(_ file: [UInt8], parent: String = "") async throws -> Import {
        let handed = try await planImport { requests in
            try await requests.write(PlanImportRequest(parent: parent))
            var rest = file[...]
            while !rest.isEmpty {
                try await requests.write(PlanImportRequest(content: Array(rest.prefix(50_000))))
                rest = rest.dropFirst(50_000)
            }
        }
        return try await ended(handed)
    }

    /// Hands lines of a .csv file in and waits for their plan.
    func plan(csv lines: String..., parent: String = "") async throws -> Import {
        try await plan(Array(lines.joined(separator: "\r\n").utf8), parent: parent)
    }

    /// Applies a plan and waits for the end.
    func apply(_ plan: Import, skipRows: Bool = false) async throws -> Import {
        try await ended(
            try await applyImport(ApplyImportRequest(id: plan.id, skipRows: skipRows)))
    }

    /// The import as it is when nothing of it is under way.
    func ended(_ begun: Import) async throws -> Import {
        let last = Latest()
        try await watchImport(GetImportRequest(id: begun.id)) { await last.keep($0) }
        return await last.value ?? begun
    }

    func rows(_ plan: Import, _ outcome: Messages.ImportOutcome = .unspecified) async throws
        -> [ImportRow]
    {
        try await listImportRows(
            ListImportRowsRequest(id: plan.id, outcome: outcome, pageSize: 500)
        ).rows
    }

    /// A file as it is exported.
    func export(_ parent: String = "", format: String = "csv") async throws -> [UInt8] {
        let file = Collected()
        try await exportOrganizations(
            ExportOrganizationsRequest(parent: parent, format: format)
        ) { await file.add($0) }
        return await file.bytes
    }
}

private actor Latest {
    private(set) var value: Import?
    func keep(_ value: Import) { self.value = value }
}

private actor Collected {
    private(set) var bytes: [UInt8] = []
    func add(_ part: FilePart) { bytes += part.data }
}
