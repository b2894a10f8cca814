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
}
