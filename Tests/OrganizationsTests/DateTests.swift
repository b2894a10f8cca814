import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Expiry and trial: whole days in UTC, inclusive, as functions of clock and data alone.
struct DateTests {
    /// 2026-01-01T00:00:00Z, as the manual clock begins.
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    @Test func `what expires on a day is active through it, and not the next`() async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create("School", expiresAt: "2026-01-02")
        let classroom = try await owner.create("Class", below: school)

        installation.clock.advance(by: .seconds(2 * 86_400) - .milliseconds(1))
        let lastInstant = try await owner.get(classroom)
        installation.clock.advance(by: .milliseconds(1))
        let after = try await owner.get(classroom)

        #expect(lastInstant.effectiveState == .active)
        #expect(after.effectiveState == .expired)
        #expect(after.stateReason?.organizationID == school.id)
        #expect(after.stateReason?.state == .expired)
        #expect(after.version == classroom.version)
        let refused = try await refusal { try await owner.create("Late", below: school) }
        #expect(refused.reason == "org_not_active")
    }

    @Test func `a trial ends with its last day`() async throws {
        let owner = try installation.platformOwner()
        let school = try await owner.create(
            "School", trial: Trial(enabled: true, validUntil: "2026-01-01"))

        installation.clock.advance(by: .seconds(86_400) - .milliseconds(1))
        #expect(try await owner.get(school).effectiveState == .active)
        installation.clock.advance(by: .milliseconds(1))
        #expect(try await owner.get(school).effectiveState == .trialEnded)
    }

    @Test(
        arguments: [
            (isPaused: true, expires: "2026-01-01", trial: "2026-01-01", state: .inactive),
            (isPaused: false, expires: "2026-01-01", trial: "2026-01-01", state: .expired),
            (isPaused: false, expires: "", trial: "2026-01-01", state: .trialEnded),
            (isPaused: false, expires: "2026-01-09", trial: "2026-01-09", state: .active),
        ] as [(Bool, String, String, EffectiveState)])
    func `of several states the strongest is told`(
        isPaused: Bool, expires: String, trial: String, state: EffectiveState
    ) async throws {
        let owner = try installation.platformOwner()
        // Set before, for a day that begins as today would mean never.
        installation.clock.advance(by: .seconds(-86_400))
        let school = try await owner.create(
            "School", expiresAt: expires, trial: Trial(enabled: true, validUntil: trial))
        if isPaused {
            _ = try await owner.deactivateOrganization(
                DeactivateOrganizationRequest(id: school.id))
        }
        installation.clock.advance(by: .seconds(2 * 86_400))

        let explained = try await owner.explainState(ExplainStateRequest(id: school.id))

        #expect(explained.effectiveState == state)
        #expect(explained.levels.map(\.state) == [state])
        #expect(explained.levels[0].expiresAt == expires)
    }

    @Test func `the state of each level is explained, the nearest first`() async throws {
        let owner = try installation.platformOwner()
        let district = try await owner.create("District", expiresAt: "2026-01-05")
        let school = try await owner.create("School", below: district)
        let classroom = try await owner.create("Class", below: school)
        _ = try await owner.deactivateOrganization(DeactivateOrganizationRequest(id: school.id))
        installation.clock.advance(by: .seconds(10 * 86_400))

        let explained = try await owner.explainState(ExplainStateRequest(id: classroom.id))

        #expect(explained.levels.map(\.title) == ["Class", "School", "District"])
        #expect(explained.levels.map(\.state) == [.active, .inactive, .expired])
        #expect(explained.effectiveState == .inactive)
        #expect(explained.stateReason?.organizationID == school.id)
    }

    @Test func `today as the first expiry means never, and is said`() async throws {
        let owner = try installation.platformOwner()

        let school = try await owner.create("School", expiresAt: "2026-01-01")
        let again = try await owner.update(school, paths: ["expires_at"]) {
            $0.expiresAt = "2026-01-01"
        }
        let dated = try await owner.update(school, paths: ["expires_at"]) {
            $0.expiresAt = "2026-02-01"
        }
        let shortened = try await owner.update(school, paths: ["expires_at"]) {
            $0.expiresAt = "2026-01-01"
        }

        #expect(school.expiresAt == "" && school.normalized == ["expires_at"])
        #expect(again.expiresAt == "" && again.normalized == ["expires_at"])
        #expect(dated.expiresAt == "2026-02-01" && dated.normalized.isEmpty)
        #expect(shortened.expiresAt == "2026-01-01" && shortened.normalized.isEmpty)
    }

    @Test func `a day that is over is refused, unless it is there already`() async throws {
        let owner = try installation.platformOwner()
        let refused = try await refusal {
            try await owner.create("Late", expiresAt: "2025-12-31")
        }
        let school = try await owner.create("School", expiresAt: "2026-01-02")
        installation.clock.advance(by: .seconds(9 * 86_400))

        let renamed = try await owner.update(school, paths: ["title", "expires_at"]) {
            $0.title = "Renamed"
        }

        let shortened = try await refusal {
            try await owner.update(school, paths: ["expires_at"]) { $0.expiresAt = "2026-01-01" }
        }

        #expect(refused.reason == "date_in_past")
        #expect(refused.code == .invalidArgument)
        #expect(refused.invalidFields == ["expires_at"])
        #expect(shortened.reason == "date_in_past")
        #expect(shortened.invalidFields == ["organization.expires_at"])
        #expect(renamed.title == "Renamed" && renamed.expiresAt == "2026-01-02")
    }

    @Test func `a day without an enabled trial is refused, and ends none`() async throws {
        let owner = try Installation().platformOwner()
        let made = try await owner.createOrganization(
            CreateOrganizationRequest(
                title: "School", category: .academicK12, country: "US",
                trial: Trial(enabled: true, validUntil: "2099-01-31")))

        let refused = try await refusal {
            try await owner.updateOrganization(
                UpdateOrganizationRequest(
                    organization: Organization(
                        id: made.id, trial: Trial(validUntil: "2099-12-31"))))
        }

        #expect(refused.invalidFields == ["organization.trial.enabled"])
        let kept = try await owner.getOrganization(GetOrganizationRequest(id: made.id))
        #expect(kept.trial == Trial(enabled: true, validUntil: "2099-01-31"))
    }

    @Test func `a trial needs a day that is not over, unless it is there already`() async throws {
        let owner = try installation.platformOwner()

        let missing = try await refusal {
            try await owner.create("School", trial: Trial(enabled: true))
        }
        let past = try await refusal {
            try await owner.create("School", trial: Trial(enabled: true, validUntil: "2025-12-31"))
        }
        let school = try await owner.create(
            "School", trial: Trial(enabled: true, validUntil: "2026-01-02"))
        installation.clock.advance(by: .seconds(9 * 86_400))
        let renamed = try await owner.update(school, paths: ["title", "trial"]) {
            $0.title = "Renamed"
        }
        let shortened = try await refusal {
            try await owner.update(school, paths: ["trial"]) {
                $0.trial = Trial(enabled: true, validUntil: "2026-01-01")
            }
        }

        #expect(missing.reason == "trial_needs_date" && missing.httpStatus == 422)
        #expect(missing.invalidFields == ["trial.valid_until"])
        #expect(past.reason == "date_in_past" && past.httpStatus == 422)
        #expect(past.invalidFields == ["trial.valid_until"])
        #expect(past.message == "This day is over.")
        #expect(renamed.title == "Renamed" && renamed.trial?.validUntil == "2026-01-02")
        #expect(shortened.reason == "date_in_past")
        #expect(shortened.invalidFields == ["organization.trial.valid_until"])
    }

    @Test(arguments: [
        "2026-02-29", "2026-13-01", "26-01-01", "2026/01/01", "tomorrow", "0000-01-01",
    ])
    func `a day that is none is refused with its field`(day: String) async throws {
        let owner = try installation.platformOwner()

        let refused = try await refusal { try await owner.create("School", expiresAt: day) }

        #expect(refused.invalidFields == ["expires_at"])
    }

    @Test func `an owner sets no dates`() async throws {
        let platform = try installation.platformOwner()
        let school = try await platform.create("School")
        let owner = try installation.user(Access.Grant(.owner, at: try school.organizationID))

        let expiry = try await refusal {
            try await owner.update(school, paths: ["expires_at"]) { $0.expiresAt = "2026-05-01" }
        }
        let child = try await refusal {
            try await owner.create("Class", below: school, expiresAt: "2026-05-01")
        }
        let title = try await owner.update(school, paths: ["title"]) { $0.title = "Mine" }

        #expect(expiry.reason == "forbidden")
        #expect(child.reason == "forbidden")
        #expect(title.title == "Mine")
    }

    @Test func `other services are told of days, and judge by themselves`() async throws {
        let owner = try installation.platformOwner()
        _ = try await owner.create("School", expiresAt: "2026-01-11")

        let node = try #require(try await installation.nodes().last)

        #expect(node.status == .active)
        #expect(node.expiresOn == 20_464)
        #expect(node.trialUntil == nil)
        #expect(CalendarDay(daysSince1970: 20_464).text == "2026-01-11")
    }
}

extension OrganizationsClient {
    func get(_ organization: Organization) async throws -> Organization {
        try await getOrganization(GetOrganizationRequest(id: organization.id))
    }

    /// Creates an organization with days.
    func create(
        _ title: String, below parent: Organization? = nil, expiresAt: String = "",
        trial: Trial? = nil
    ) async throws -> Organization {
        var request = CreateOrganizationRequest.named(title, below: parent?.id ?? "")
        request.expiresAt = expiresAt
        request.trial = trial
        return try await createOrganization(request)
    }

    /// Changes the named fields of an organization to what a change makes of it.
    func update(
        _ organization: Organization, paths: [String], _ change: (inout Organization) -> Void
    ) async throws -> Organization {
        var next = organization
        change(&next)
        next.etag = ""
        return try await updateOrganization(
            UpdateOrganizationRequest(
                organization: next, updateMask: FieldMask(paths: paths)))
    }
}
