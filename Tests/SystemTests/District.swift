import Testing

/// A district with a members limit and two schools, made through the API.
struct District: Sendable {
    let api: API
    let id: String
    let schools: [String]

    static func make(
        _ api: API, title: String = "Riverside School District", limit: Int
    ) async throws -> District {
        let district = try await create(api, title, below: nil)
        let capped = try await api.patch(
            "/v1/organizations/\(district)/caps", ["members": .number(Double(limit))])
        try #require(capped.status == 200, "\(capped.body)")
        return District(
            api: api, id: district,
            schools: [
                try await create(api, "Lincoln Elementary", below: district),
                try await create(api, "Washington High", below: district),
            ])
    }

    static func create(_ api: API, _ title: String, below parent: String?) async throws -> String {
        var members: [String: JSON] = [
            "title": .text(title), "category": "ORGANIZATION_CATEGORY_ACADEMIC_K12",
            "country": "US",
        ]
        if let parent { members["parentId"] = .text(parent) }
        let answer = try await api.post("/v1/organizations", members)
        try #require(answer.status == 201, "\(answer.body)")
        return try #require(answer.body.id.string)
    }

    /// Adds somebody by email.
    func add(_ person: String, to school: String, key: String? = nil) async throws -> API.Answer {
        try await api.post(
            "/v1/organizations/\(school)/members",
            ["email": .text("\(person)@people.example"), "name": .text(person)], key: key)
    }

    /// Adds a number of people, several calls in flight.
    func fill(_ school: String, _ prefix: String, with count: Int) async throws {
        try await withThrowingTaskGroup(of: API.Answer.self) { group in
            for number in 1...count {
                if number > 8 { try await check(group.next()) }
                group.addTask { try await add("\(prefix)\(number)", to: school) }
            }
            while let answer = try await group.next() { try check(answer) }
        }
    }

    private func check(_ answer: API.Answer?) throws {
        guard let answer else { return }
        try #require(answer.status == 201, "\(answer.body)")
    }

    /// Gives the district a logo, which all below it inherit.
    func setLogo() async throws {
        let logo = try await api.call(
            "PUT", "/v1/organizations/\(id)/images/logo", body: Picture.png,
            contentType: "image/png")
        try #require(logo.status == 200, "\(logo.body)")
    }

    func people() async throws -> Int? {
        try await api.get("/v1/organizations/\(id)/usage").body.people.integer
    }
}
