import Foundation
import Testing

/// What Organizations asks of Branding and Partners, with every process running: dry runs of moves
/// tell of both, and custom URLs need white label.
@Suite(.serialized) struct MoveTrialTests {
    @Test func `a dry run tells of looks and partners, and of who is silent`() async throws {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 100)
            try await district.setLogo()
            let sale = try await Sale.approve(api, below: district.id, quantity: 1)
            let sold = try await sale.fulfilled(in: installation)
            let other = try await District.create(api, "Other", below: nil)

            let below = try await api.tryMove(district.schools[0], below: sold)
            let away = try await api.tryMove(district.schools[0], below: other)
            try installation.signal("branding", SIGSTOP)
            let silent = try await api.tryMove(district.schools[0], below: sold)
            try installation.signal("branding", SIGCONT)

            #expect(below.unknownAspects.items.isEmpty, "\(below)")
            let color = below.effect("branding.primary")
            #expect(color.toOrganizationId.string == sold && color.toValue.string == "#8a3b12")
            #expect(color.fromOrganizationId.string == "")
            let partner = below.effect("partner")
            #expect(partner.fromValue.string == "" && partner.fromOrganizationId.string == "")
            #expect(partner.toValue.string == "Partner of \(Sale.title)")
            #expect(partner.toOrganizationId.string == sold)
            #expect(below.aspects == ["branding.primary", "partner"])
            let logo = away.effect("branding.logo")
            #expect(logo.fromOrganizationId.string == district.id && logo.toValue.string == "")
            #expect(logo.fromValue.string?.hasPrefix("/assets/") == true)
            #expect(away.aspects == ["members_limit", "branding.logo"])
            #expect(away.unknownAspects.items.isEmpty, "\(away)")
            #expect(silent.unknownAspects.items.map(\.string) == ["branding"], "\(silent)")
            #expect(silent.aspects == ["partner"])
        }
    }

    @Test func `a custom URL needs white label, and an answer whether it is on`() async throws {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let school = try await District.create(api, "School", below: nil)
            let path = "/v1/organizations/\(school)"

            // At once: the organization may not have arrived at Branding.
            let first = try await api.post("\(path)/customUrls", ["slug": "first"])
            let off = try await api.call(
                "PUT", "\(path)/whiteLabel", json: ["enabled": .flag(false)])
            let refused = try await api.post("\(path)/customUrls", ["slug": "second"], key: "k")
            let disabled = try await api.post("\(path)/customUrls/first:disable")
            let closed = try await api.post("\(path)/customUrls/first:enable")
            let on = try await api.call(
                "PUT", "\(path)/whiteLabel", json: ["enabled": .flag(true)])
            try installation.signal("branding", SIGSTOP)
            let silent = try await api.post("\(path)/customUrls", ["slug": "second"], key: "k")
            try installation.signal("branding", SIGCONT)
            let second = try await api.post("\(path)/customUrls", ["slug": "second"], key: "k")
            let opened = try await api.post("\(path)/customUrls/first:enable")

            #expect(first.status == 201, "\(first.body)")
            #expect(off.status == 200 && on.status == 200, "\(off.body) \(on.body)")
            #expect(refused.status == 409, "\(refused.body)")
            #expect(refused.body.code.string == "white_label_disabled")
            #expect(disabled.status == 200, "\(disabled.body)")
            #expect(closed.body.code.string == "white_label_disabled", "\(closed.body)")
            #expect(silent.status == 503, "\(silent.body)")
            #expect(silent.body.code.string == "unavailable")
            #expect(second.status == 201, "\(second.body)")
            #expect(opened.status == 200, "\(opened.body)")
        }
    }
}

extension API {
    /// What a dry run of a move answers.
    fileprivate func tryMove(_ organization: String, below parent: String) async throws -> JSON {
        let answer = try await post(
            "/v1/organizations/\(organization):move",
            ["newParentId": .text(parent), "dryRun": .flag(true)])
        try #require(answer.status == 200, "\(answer.body)")
        return answer.body
    }
}

extension JSON {
    fileprivate var aspects: [String?] { self.effects.items.map(\.aspect.string) }

    /// The effect on an aspect; absent when there is none.
    fileprivate func effect(_ aspect: String) -> JSON {
        self.effects.items.first { $0.aspect.string == aspect } ?? .absent
    }
}
