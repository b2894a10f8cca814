import Foundation
import Testing

/// What a member may open, over the real processes.
@Suite struct MemberAccessTests {
    @Test func `a seat type reaches members by the organization's, also while Partners is away`()
        async throws
    {
        try await RunningInstallation.run { installation in
            let owner = try await API(installation)
            let course = UUID().uuidString.lowercased()
            let seat = try await owner.post(
                "/v1/seatTypes", ["name": "Gold", "courseIds": [.text(course)]])
            try #require(seat.status == 201, "\(seat.body)")
            let seatID: String = try #require(seat.body.id.string)
            let type = try await owner.post(
                "/v1/organizationTypes",
                [
                    "name": "Academy", "defaultSeatTypeId": .text(seatID),
                    "seatBenefits": ["manager": ["takesSeat": .flag(false)]],
                ])
            try #require(type.status == 201, "\(type.body)")
            let school = try await District.create(owner, "Springfield", below: nil)
            let given = try await owner.patch(
                "/v1/organizations/\(school)", ["typeId": type.body.id])
            try #require(given.status == 200, "\(given.body)")
            func admit(_ name: String, _ role: String) async throws -> JSON {
                try await owner.post(
                    "/v1/organizations/\(school)/members",
                    [
                        "email": .text("\(name)@people.example"), "name": .text(name),
                        "roles": [.text(role)],
                    ]
                ).body
            }
            func explain(_ user: JSON) async throws -> API.Answer {
                try await owner.post(
                    "/v1/explain/access",
                    [
                        "organizationId": .text(school), "userId": user.userId,
                        "courseId": .text(course),
                    ])
            }

            // The type reaches Membership with the organization's events.
            try await installation.until("a manager takes no seat") {
                let name = "m\(UUID().uuidString.lowercased())"
                return try await admit(name, "ROLE_MANAGER").takesSeat.boolean == false
            }
            let manager = try await admit("manager", "ROLE_MANAGER")
            let teacher = try await admit("teacher", "ROLE_TEACHER")
            #expect(teacher.takesSeat.boolean == true)
            try await installation.until("what Partners says is here") {
                try await explain(teacher).status == 200
            }
            let access = try await owner.get(
                "/v1/organizations/\(school)/members/\(teacher.userId.string ?? "")/access")
            #expect(access.status == 200 && access.body.seatTypeId.string == seatID)
            #expect(access.body.obstacles.items.isEmpty)
            let none = try await owner.get(
                "/v1/organizations/\(school)/members/\(manager.userId.string ?? "")/access")
            #expect(none.body.seatTypeId.string == "")

            // Nobody has made the course: the seat gives it all the same, once it is there.
            let explained = try await explain(teacher).body
            #expect(explained.allowed.boolean == false)
            #expect(explained.sources[0].id.string == seatID)
            #expect(explained.obstacles.items.map(\.code.string) == ["course_not_found"])

            try installation.signal("partners", SIGSTOP)
            defer { try? installation.signal("partners", SIGCONT) }
            try await installation.killAndAwaitRestart("membership")
            // It is ready without Partners, answers from what it has and admits.
            try await installation.until("Membership is back") {
                try await explain(teacher).status == 200
            }
            #expect(try await admit("late", "ROLE_STUDENT").takesSeat.boolean == true)
            let inUse = try await owner.call("DELETE", "/v1/seatTypes/\(seatID)")
            #expect(inUse.status == 409 && inUse.body.code.string == "seat_type_in_use")
        }
    }
}
