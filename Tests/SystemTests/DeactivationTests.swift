import Foundation
import Testing

/// Once a deactivation is answered, nobody is admitted: the answer waits for Membership.
@Suite(.serialized) struct DeactivationTests {
    /// How long a deactivation waits for Membership, unless the service is told otherwise.
    private static let acknowledgementTime: Duration = .milliseconds(1_500)

    @Test func `after the answer nobody is admitted below, at once`() async throws {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 100)
            let school = district.schools[0]

            for round in 1...20 {
                let deactivated = try await district.turn("deactivate")
                let refused = try await district.add("late\(round)", to: school)
                let activated = try await district.turn("activate")

                try #require(deactivated.status == 200, "\(deactivated.body)")
                #expect(refused.status == 409, "round \(round): \(refused.body)")
                #expect(refused.body.code.string == "org_not_active")
                try #require(activated.status == 200, "\(activated.body)")
                // Every other deactivation follows an activation that may not have arrived yet.
                if round.isMultiple(of: 2) { continue }
                try await installation.until("the activation has arrived") {
                    try await district.add("back\(round)", to: school).status == 201
                }
            }
            #expect(try await district.people() == 10)
        }
    }

    @Test func `a deactivation that Membership has not heard of is not acknowledged`()
        async throws
    {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 100)

            try installation.signal("membership", SIGSTOP)
            // A test that fails meanwhile must not leave it stopped; why it failed is what counts.
            defer { try? installation.signal("membership", SIGCONT) }
            let begun = ContinuousClock.now
            let held = try await district.turn("deactivate", key: "pause")
            let waited = ContinuousClock.now - begun
            try installation.signal("membership", SIGCONT)
            let again = try await district.turn("deactivate", key: "pause")
            let refused = try await district.add("late", to: district.schools[0])

            #expect(held.status == 503, "\(held.body)")
            #expect(held.body.code.string == "not_acknowledged")
            #expect(held.headers["retry-after"] == "1")
            // One wait: whoever begins it anew makes three attempts, with pauses between.
            let once = Self.acknowledgementTime
            #expect(waited > once - .milliseconds(100), "\(waited)")
            #expect(waited < once * 3, "\(waited)")
            #expect(again.status == 200, "\(again.body)")
            #expect(again.body.status.string == "ORGANIZATION_STATUS_INACTIVE")
            #expect(refused.status == 409)
            #expect(refused.body.code.string == "org_not_active")
        }
    }
}

extension District {
    /// Activates or deactivates the district.
    fileprivate func turn(_ verb: String, key: String? = nil) async throws -> API.Answer {
        try await api.post("/v1/organizations/\(id):\(verb)", key: key)
    }
}
