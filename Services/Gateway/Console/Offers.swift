import Messages
import RPC

// What there is to be chosen from on pages: modules, courses, types of seats and licenses.

/// Some of what there is, by name, and whether there is more.
struct Offer<Element: Sendable>: Sendable {
    var elements: [Element] = []
    var isCut = false
    /// Why there is nothing to be chosen from; a page shows what is chosen already all the same.
    var problem: Problem?

    /// What a person should know of it.
    var notice: Markup {
        if let problem { return Notice.hint("What there is cannot be shown: \(problem.message)") }
        return isCut ? Notice.hint("Only the first by name are offered here.") : .empty
    }
}

extension Visitor {
    /// The most pages that are asked for of what is offered in one form.
    private static let offerPagesMax = 4
    /// What is on one of them.
    private static let offerPageSize: Int32 = 500

    /// Asks for one page after the other.
    ///
    /// - Throws: ``Problem`` when the session is over.
    private func offer<Element: Sendable>(
        _ ask: (_ size: Int32, _ token: String) async throws(Problem) -> ([Element], next: String)
    ) async throws(Problem) -> Offer<Element> {
        var offer = Offer<Element>()
        var token = ""
        do throws(Problem) {
            for _ in 0..<Self.offerPagesMax {
                let page = try await ask(Self.offerPageSize, token)
                offer.elements += page.0
                token = page.next
                if token.isEmpty { return offer }
            }
            offer.isCut = true
        } catch {
            if error.httpStatus == 401 { throw error }
            offer.problem = error
        }
        return offer
    }

    /// The modules that are offered, by name.
    func modules() async throws(Problem) -> Offer<Module> {
        try await offer { size, token throws(Problem) in
            let reply = try await ask(.partners) {
                try await CatalogClient($0).listModules(
                    ListModulesRequest(pageSize: size, pageToken: token), options: $1)
            }
            return (reply.modules, reply.nextPageToken)
        }
    }

    /// The courses that are offered, by name; those of one module, or all.
    func courses(of module: String = "") async throws(Problem) -> Offer<Course> {
        try await offer { size, token throws(Problem) in
            let reply = try await ask(.partners) {
                try await CatalogClient($0).listCourses(
                    ListCoursesRequest(moduleID: module, pageSize: size, pageToken: token),
                    options: $1)
            }
            return (reply.courses, reply.nextPageToken)
        }
    }

    /// The types of seats that are offered, by name.
    func seatTypes() async throws(Problem) -> Offer<SeatType> {
        try await offer { size, token throws(Problem) in
            let reply = try await ask(.membership) {
                try await SeatTypesClient($0).listSeatTypes(
                    ListSeatTypesRequest(pageSize: size, pageToken: token), options: $1)
            }
            return (reply.seatTypes, reply.nextPageToken)
        }
    }

    /// The types of licenses that are offered, by name.
    func licenseTypes() async throws(Problem) -> Offer<LicenseType> {
        try await offer { size, token throws(Problem) in
            let reply = try await ask(.membership) {
                try await LicenseTypesClient($0).listLicenseTypes(
                    ListLicenseTypesRequest(pageSize: size, pageToken: token), options: $1)
            }
            return (reply.licenseTypes, reply.nextPageToken)
        }
    }
}

extension Offer<Module> {
    /// The modules as boxes.
    var group: Boxes.Group {
        Boxes.Group(options: elements.map { Field.Option(value: $0.id, label: $0.name) })
    }
}

extension Offer<LicenseType> {
    /// The types as boxes.
    var group: Boxes.Group {
        Boxes.Group(options: elements.map { Field.Option(value: $0.id, label: $0.name) })
    }
}

extension Offer<Course> {
    /// The courses as boxes, those of a module together.
    func groups(by modules: Offer<Module>) -> [Boxes.Group] {
        let names = Dictionary(
            modules.elements.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        let byModule = Dictionary(grouping: elements, by: \.moduleID)
        return byModule.map { module, courses in
            Boxes.Group(
                title: names[module] ?? "Of another module",
                options: courses.map { Field.Option(value: $0.id, label: $0.name) })
        }.sorted { $0.title < $1.title }
    }
}
