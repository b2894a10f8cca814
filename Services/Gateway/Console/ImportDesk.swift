import Encodings
import Messages
import RPC

/// Organizations from spreadsheets: handing one in, looking at its plan, applying it.
///
/// A file goes the way of the API: it is asked first whether it may come, and has its turn.
struct ImportDesk: Sendable {
    /// The list of imports.
    static let path = "/console/imports"
    /// Where a file is handed in; `?parent=` names the organization below which it counts.
    static let newPath = "/console/imports/new"
    /// The example, as a file.
    static let examplePath = "/console/imports/example"
    /// The field with the organization below which an import counts.
    static let parentField = "parent"
    /// The field of a form that says what becomes of an import.
    static let actionField = "do"

    let visitor: Visitor
    let api: API

    /// Whether a path is one of imports.
    static func has(_ path: some StringProtocol) -> Bool {
        path == Self.path || path.hasPrefix(Self.path + "/")
    }

    /// Whether the page of an import goes on looking though nothing of it can be shown: no service
    /// answers at the moment.
    static func looksAgain(for request: Incoming, after problem: Problem) -> Bool {
        let path = String(request.path)
        return request.verb == "GET" && path.hasPrefix(Self.path + "/")
            && path != newPath && path != examplePath
            && (problem.httpStatus == 503 || problem.httpStatus == 504)
    }

    /// Where an import is.
    static func path(of id: String) -> String { "\(path)/\(id)" }

    /// Where a file is handed in for an organization; empty: for all that somebody may import.
    static func newPath(below parent: String) -> String {
        Link.to(newPath, [(parentField, parent)])
    }

    /// Answers a request for one of the paths.
    func answer(_ request: Incoming, _ form: Form?) async throws(Problem) -> Answer {
        let query = try visitor.door.query(request)
        switch String(request.path) {
        case Self.path where form == nil: return try await list(query)
        case Self.path + "/": return .seeOther(Self.path)
        case Self.examplePath where form == nil:
            return try await api.page(
                "GET", Link.to("/v1/imports/example", [("format", query["format"])]), visitor)
        case Self.newPath:
            let parent = query[Self.parentField]
            if request.verb == "POST" { return try await handIn(request, below: parent) }
            guard visitor.mayImport else { throw .importsElsewhere }
            return try await newPage(below: parent, nil).answer()
        default: break
        }
        let id = String(request.path.dropFirst(Self.path.utf8.count + 1))
        guard !id.isEmpty, id.utf8.allSatisfy({ $0 != UInt8(ascii: "/") }) else {
            throw .noSuchRoute
        }
        guard let form else { return try await show(id, query) }
        return try await change(id, form)
    }

    // MARK: Handing in

    /// Hands a file in, and leads to its plan.
    private func handIn(
        _ request: Incoming, below parent: String
    ) async throws(Problem) -> Answer {
        let forms = visitor.door.forms
        do throws(Problem) {
            let answer = try await api.page(
                "POST", Link.to("/v1/imports", [(Self.parentField, parent)]), visitor
            ) { bytesMax throws(Problem) in
                let form = try await forms.readFile(
                    request, bytesMax: bytesMax, "\(bytesMax >> 20) MiB")
                guard let file = form.file else {
                    throw .invalid(Form.fileField, "Please choose a file.")
                }
                return Array(file)
            }
            return .seeOther(Self.path(of: try Self.identifier(in: answer)))
        } catch {
            guard error.httpStatus != 401, visitor.mayImport else { throw error }
            return try await newPage(below: parent, Self.placed(error)).answer(to: error)
        }
    }

    /// The identifier of the import that the API has answered.
    private static func identifier(in answer: Answer) throws(Problem) -> String {
        do {
            let document = try JSONValue(parsing: answer.body, depthMax: Limits().jsonDepthMax)
            guard case .string(let id)? = document["id"] else { throw Problem.internal }
            return id
        } catch {
            throw .internal
        }
    }

    /// A refusal with the field of the page as its place.
    private static func placed(_ problem: Problem) -> Problem {
        var problem = problem
        for index in problem.violations.indices where problem.violations[index].at == "content" {
            problem.violations[index].at = Form.fileField
        }
        return problem
    }

    private func newPage(
        below parent: String, _ problem: Problem?
    ) async throws(Problem) -> PageFrame {
        let organization = parent.isEmpty ? nil : await visitor.organization(parent)
        return ImportForm(parent: parent, organization: organization, problem: problem)
            .frame(visitor.menu)
    }

    // MARK: One import

    private func show(_ id: String, _ query: Form) async throws(Problem) -> Answer {
        let page = try await page(id, query, nil)
        var answer = page.frame(visitor.menu).answer()
        if page.looksAgain { answer.fields["Refresh"] = "\(ImportPage.refreshSeconds)" }
        return answer
    }

    private func change(_ id: String, _ form: Form) async throws(Problem) -> Answer {
        do throws(Problem) {
            switch form[Self.actionField] {
            case "apply", "skip":
                let request = ApplyImportRequest(
                    id: id, skipRows: form[Self.actionField] == "skip")
                _ = try await visitor.ask(.organizations, key: form.key) {
                    try await ImportsClient($0).applyImport(request, options: $1)
                }
            case "cancel":
                _ = try await visitor.ask(.organizations, key: form.key) {
                    try await ImportsClient($0).cancelImport(
                        CancelImportRequest(id: id), options: $1)
                }
            default: throw .noSuchAction
            }
            return .seeOther(Self.path(of: id))
        } catch {
            if error.httpStatus == 401 { throw error }
            return try await page(id, Form(), error).frame(visitor.menu).answer(to: error)
        }
    }

    private func page(
        _ id: String, _ query: Form, _ problem: Problem?
    ) async throws(Problem) -> ImportPage {
        let run = try await visitor.ask(.organizations) {
            try await ImportsClient($0).getImport(GetImportRequest(id: id), options: $1)
        }
        var rows: Result<ListImportRowsReply, Problem>?
        if run.state.hasRows {
            let asked = ListImportRowsRequest(
                id: id, outcome: ImportOutcome(rawValue: Int32(query[ImportPage.showField]) ?? 0),
                pageSize: ImportPage.rowsOnPage, pageToken: query[Pagination.field])
            rows = try await visitor.attempt(.organizations) {
                try await ImportsClient($0).listImportRows(asked, options: $1)
            }
        }
        let parent = run.parent.isEmpty ? nil : await visitor.organization(run.parent)
        return ImportPage(
            run: run, parent: parent, rows: rows, query: query, problem: problem,
            mayImport: visitor.mayImport)
    }

    // MARK: The list

    private func list(_ query: Form) async throws(Problem) -> Answer {
        let asked = ListImportsRequest(
            state: ImportState(rawValue: Int32(query[ImportList.stateField]) ?? 0),
            pageSize: ImportList.pageSize, pageToken: query[Pagination.field])
        let reply = try await visitor.attempt(.organizations) {
            try await ImportsClient($0).listImports(asked, options: $1)
        }
        var titles: [String: String] = [:]
        if case .success(let found) = reply {
            for parent in Set(found.imports.map(\.parent)) where !parent.isEmpty {
                titles[parent] = await visitor.organization(parent)?.title
            }
        }
        let frame = ImportList(
            query: query, reply: reply, titles: titles, mayImport: visitor.mayImport
        ).frame(visitor.menu)
        if case .failure(let problem) = reply { return frame.answer(to: problem) }
        return frame.answer()
    }
}

extension Problem {
    /// The page on which a file is handed in, asked for by somebody who may import nothing.
    fileprivate static let importsElsewhere = Problem(
        httpStatus: 403, code: "forbidden", message: "You may not import organizations.")
}
