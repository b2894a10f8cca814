import Foundation
import Testing

/// An installation that is asked to stop does, and leaves nothing behind.
@Suite(.serialized) struct StopTests {
    @Test func `Ctrl-C stops all five cleanly`() async throws {
        try await RunningInstallation.run(ending: .interrupted) { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 10)
            try await district.fill(district.schools[0], "p", with: 10)
        }
    }

    @Test func `when the supervisor is killed all five end by themselves, in order`() async throws {
        try await RunningInstallation.run(ending: .killed) { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 10)
            try await district.fill(district.schools[0], "p", with: 10)
        }
    }

    @Test func `a demonstration that cannot be loaded stops nothing`() async throws {
        let data = FileManager.default.temporaryDirectory
            .appending(path: "guildhall-\(UUID().uuidString)")
        try await RunningInstallation.run(data: data) { installation in
            // Of one name there can be one: the demonstration wants this one for itself.
            let taken = try await API(installation).post(
                "/v1/organizations",
                [
                    "title": "Northwind Learning", "country": "US",
                    "category": "ORGANIZATION_CATEGORY_BUSINESS_COMPANY",
                ])
            #expect(taken.status == 201)
        }

        try await RunningInstallation.run(data: data, demonstration: true) { installation in
            #expect(installation.output.contains { $0.contains("demonstration or the greeting") })
            let page = try await API(installation).get("/v1/organizations")
            #expect(page.status == 200)
        }
        try FileManager.default.removeItem(at: data)
    }
}
