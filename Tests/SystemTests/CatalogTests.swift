import Foundation
import Testing

/// Modules and subscriptions as they are set up through the API, with every process running.
@Suite(.serialized) struct CatalogTests {
    @Test func `what a district may use holds below it, and its type says what it begins with`()
        async throws
    {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let music = try await api.made(
                "/v1/modules",
                ["name": "Music", "chapters": [["title": "Notes"], ["title": "Rhythm"]]])
            let art = try await api.made("/v1/modules", ["name": "Art"])
            let type = try await api.made(
                "/v1/organizationTypes",
                ["name": "School", "access": ["defaultModules": ["moduleIds": [music.id]]]])
            let district = try await District.create(api, "District", below: nil)
            let school = try await District.create(api, "School", below: district)
            let notes = music.chapters[0].id

            let set = try await api.call(
                "PUT", "/v1/organizations/\(district)/modules",
                json: [
                    "own": [
                        "modules": [
                            ["moduleId": music.id, "chapterIds": [notes]], ["moduleId": art.id],
                        ]
                    ]
                ])
            #expect(set.status == 200, "\(set.body)")
            let below = try await api.get("/v1/organizations/\(school)/modules").body
            #expect(below.effective.items.map(\.name.string) == ["Art", "Music"])
            #expect(below.effective[1].chapterIds.items.map(\.string) == [notes.string])
            #expect(below.restrictedBy.items.map(\.organizationId.string) == [district])

            let typed = try await api.patch(
                "/v1/organizations/\(school)", ["typeId": type.id])
            #expect(typed.status == 200, "\(typed.body)")
            try await installation.until("the type has arrived") {
                let now = try await api.get("/v1/organizations/\(school)/modules").body
                return now.effective.items.map(\.name.string) == ["Music"]
            }
            // What is not said is not taken for null.
            let silent = try await api.call(
                "PUT", "/v1/organizations/\(district)/modules", json: .object([:]))
            #expect(silent.status == 422, "\(silent.body)")
            let open = try await api.call(
                "PUT", "/v1/organizations/\(district)/modules", json: ["own": .absent])
            #expect(open.body.unrestricted.boolean == true, "\(open.body)")
            let renamed = try await api.patch(
                "/v1/modules/\(try #require(art.id.string))", ["name": "Arts"])
            #expect(renamed.body.name.string == "Arts" && renamed.body.etag.string == "v2")
        }
    }

    @Test func `a subscription is paid by a program, and gives until its grace is over`()
        async throws
    {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let music = try await api.made("/v1/modules", ["name": "Music"])
            let course = try await api.made(
                "/v1/courses", ["name": "Scales", "moduleId": music.id])
            let school = try await District.create(api, "School", below: nil)
            let path = "/v1/organizations/\(school)/subscription"
            let none = try await api.get(path)
            let begun = try await api.made(
                path, ["plan": "Everything", "courseIds": [course.id]])
            let second = try await api.post(path, ["plan": "More"])
            let payment: [String: JSON] = [
                "paymentId": "invoice-1", "organizationId": .text(school),
                "periodEnd": .text(Self.day(in: 30)),
            ]
            let paid = try await api.post("/v1/payments:completed", payment, key: "a")
            let again = try await api.post("/v1/payments:completed", payment, key: "b")
            let mismatch = try await api.post(
                "/v1/payments:completed",
                payment.merging(["periodEnd": .text(Self.day(in: 31))]) { $1 })
            let changed = try await api.patch(path, ["plan": "Everything else"])
            let now = try await api.get(path)

            #expect(none.status == 404)
            #expect(begun.state.string == "SUBSCRIPTION_STATE_PENDING_PAYMENT")
            #expect(second.status == 409 && second.body.code.string == "subscription_exists")
            #expect(paid.status == 201, "\(paid.body)")
            #expect(paid.body.state.string == "SUBSCRIPTION_STATE_ACTIVE")
            #expect(again.body.version.integer == paid.body.version.integer)
            #expect(mismatch.status == 422 && mismatch.body.code.string == "payment_mismatch")
            #expect(changed.status == 200, "\(changed.body)")
            #expect(now.body.plan.string == "Everything else")
            #expect(now.body.courseIds.items.map(\.string) == [course.id.string])
            #expect(now.body.periodEnd.string == Self.day(in: 30))
            let deleted = try await api.call(
                "DELETE", "/v1/modules/\(try #require(music.id.string))")
            #expect(deleted.status == 409 && deleted.body.code.string == "module_in_use")
            let cancelled = try await api.post("\(path):cancel")
            #expect(cancelled.body.state.string == "SUBSCRIPTION_STATE_CANCELLED")
        }
    }

    @Test func `what was paid for opens to every member, as far as the modules reach`()
        async throws
    {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let music = try await api.made("/v1/modules", ["name": "Music"])
            let art = try await api.made("/v1/modules", ["name": "Art"])
            var courses: [JSON] = []
            for (name, module) in [("Scales", music), ("Colors", art)] {
                courses.append(
                    try await api.made("/v1/courses", ["name": .text(name), "moduleId": module.id]))
            }
            let district = try await District.create(api, "District", below: nil)
            let school = try await District.create(api, "School", below: district)
            let member = try await api.made(
                "/v1/organizations/\(school)/members",
                ["email": "ada@people.example", "name": "Ada"])
            let person = try #require(member.userId.string)
            let access = "/v1/organizations/\(school)/members/\(person)/access"
            func open() async throws -> [String?] {
                let answer = try await api.get(access)
                // The copy of what Partners says is being filled.
                guard answer.status != 503 else { return ["not yet"] }
                return answer.body.courses.items.map(\.name.string).sorted { $0 ?? "" < $1 ?? "" }
            }

            let begun = try await api.made(
                "/v1/organizations/\(school)/subscription",
                ["plan": "Both", "courseIds": [courses[0].id, courses[1].id]])
            try await installation.until("the copy is there") { try await open() == [] }
            _ = try await api.made(
                "/v1/payments:completed",
                [
                    "paymentId": "invoice-2", "organizationId": .text(school),
                    "periodEnd": .text(Self.day(in: 30)),
                ])
            try await installation.until("what was paid for is open") {
                try await open() == ["Colors", "Scales"]
            }

            let set = try await api.call(
                "PUT", "/v1/organizations/\(district)/modules",
                json: ["own": ["modules": [["moduleId": music.id]]]])
            try #require(set.status == 200, "\(set.body)")
            try await installation.until("the district closes what it does not have") {
                try await open() == ["Scales"]
            }
            let explained = try await api.post(
                "/v1/explain/access",
                [
                    "organizationId": .text(school), "userId": member.userId,
                    "courseId": courses[1].id,
                ]
            ).body
            #expect(explained.allowed.boolean == false)
            #expect(explained.sources[0].id.string == begun.id.string)
            #expect(explained.obstacles.items.map(\.code.string) == ["module_not_enabled"])
            #expect(explained.obstacles[0].organizationId.string == district)

            let trial = try await api.post(
                "/v1/organizations/\(school):move", ["toRoot": .flag(true), "dryRun": .flag(true)])
            let effect = try #require(
                trial.body.effects.items.first { $0.aspect.string == "modules" }, "\(trial.body)")
            #expect(effect.fromValue.string == "Music" && effect.toValue.string == "all")
            #expect(effect.fromOrganizationId.string == district)
        }
    }

    private static func day(in days: Int) -> String {
        Date.now.addingTimeInterval(86_400 * Double(days)).ISO8601Format(
            .iso8601.year().month().day())
    }
}

extension API {
    /// What a call has made.
    fileprivate func made(_ path: String, _ members: [String: JSON]) async throws -> JSON {
        let answer = try await post(path, members)
        try #require(answer.status == 201, "\(answer.body)")
        return answer.body
    }
}
