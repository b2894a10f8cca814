import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// Hooks of a whole installation: from an HTTP request to a receiver of a customer.
@Suite(.serialized) struct HookTests {
    /// Receivers on this machine, which only an operator allows; the proxy is nobody.
    private static let variables: [Environment.Key: String] = [
        "GUILDHALL_HOOK_NETWORKS": "127.0.0.0/8", "GUILDHALL_HOOK_PLAINTEXT": "true",
        "http_proxy": "http://127.0.0.1:9",
    ]

    private func organization(
        _ api: API, _ title: String, below parent: String = ""
    ) async throws -> String {
        let created = try await api.post(
            "/v1/organizations",
            [
                "title": .text(title), "country": "US", "parentId": .text(parent),
                "category": "ORGANIZATION_CATEGORY_ACADEMIC_K12",
            ])
        return try #require(created.body.id.string, "\(created.body)")
    }

    @Test func `what happens below a district arrives signed at the customer's system`()
        async throws
    {
        try await HookReceiver.run { receiver in
            try await RunningInstallation.run(variables: Self.variables) { installation in
                let api = try await API(installation)
                let district = try await organization(api, "District")
                let path = "/v1/organizations/\(district)/hooks"
                let made = try await api.post(
                    path,
                    [
                        "url": .text(receiver.url("/guildhall")),
                        "kinds": [
                            "HOOK_EVENT_KIND_ORGANIZATION_CREATED",
                            "HOOK_EVENT_KIND_ORGANIZATION_ARCHIVED",
                        ],
                    ])
                try #require(made.status == 201 || made.status == 200, "\(made.body)")
                try receiver.know(try #require(made.body.secret.string))
                let hook = try #require(made.body.hook.id.string)

                let school = try await organization(api, "School", below: district)
                _ = try await api.patch("/v1/organizations/\(school)", ["title": "New School"])
                _ = try await api.call("DELETE", "/v1/organizations/\(school)")
                _ = try await api.post("\(path)/\(hook):test")
                try await installation.until("three calls") { try receiver.calls.count == 3 }

                let calls = try receiver.calls
                #expect(Set(calls.map(\.isVerified)) == [true])
                let told = try calls.map { call in
                    try JSONDecoder().decode(JSON.self, from: Data(call.body.utf8))
                }
                let types = Set(told.compactMap { $0.type.string })
                #expect(
                    types == ["organization.created", "organization.archived", "hook.test"])
                let archived = try #require(
                    told.first { $0.type.string == "organization.archived" })
                #expect(archived.data.id.string == school)
                #expect(archived.data.title.string == "New School")
                try await installation.until("they are noted") {
                    let list = try await api.get(
                        "\(path)/\(hook)/deliveries?state=HOOK_DELIVERY_STATE_DELIVERED")
                    return list.body.deliveries[2].id.string != nil
                }
                let etag = try #require(made.body.hook.etag.string)
                let off = try await api.patch(
                    "\(path)/\(hook)", ["enabled": .flag(false), "etag": .text(etag)])
                #expect(off.status == 200 && off.body.version.integer == 2, "\(off.body)")
                let late = try await api.patch(
                    "\(path)/\(hook)", ["enabled": .flag(true), "etag": .text(etag)])
                #expect(late.status == 412, "\(late.body)")
                let retried = try await api.post(
                    "\(path)/\(hook)/deliveries/\(calls[0].id):retry")
                #expect(retried.status == 409, "\(retried.body)")
                let listed = try await api.get(path)
                #expect(listed.body.hooks[0].enabled.boolean != true, "\(listed.body)")
                #expect(!String(decoding: listed.data, as: UTF8.self).contains("whsec_"))
                #expect(try await api.call("DELETE", "\(path)/\(hook)").status == 200)
                #expect(try await api.get("\(path)/\(hook)/deliveries").status == 404)
            }
        }
    }

    @Test func `a call that arrived when the program died is sent again as the same`()
        async throws
    {
        try await HookReceiver.run { receiver in
            try await RunningInstallation.run(variables: Self.variables) { installation in
                let api = try await API(installation)
                let district = try await organization(api, "District")
                let made = try await api.post(
                    "/v1/organizations/\(district)/hooks",
                    ["url": .text(receiver.url("/guildhall"))])
                try receiver.know(try #require(made.body.secret.string, "\(made.body)"))
                // The receiver has the call, and says so late.
                try receiver.answer(.init(sleep: 4))
                _ = try await organization(api, "School", below: district)
                try await installation.until("it is there") { try receiver.calls.count == 1 }

                try await installation.killAndAwaitRestart("organizations")
                try await installation.until("it is there again") {
                    try receiver.calls.count == 2
                }
                _ = try await organization(api, "Other", below: district)
                try await installation.until("the next is there") {
                    try receiver.calls.count >= 3
                }
                try await Task.sleep(for: .seconds(2))

                let calls = try receiver.calls
                #expect(calls.count == 3 && Set(calls.map(\.isVerified)) == [true])
                #expect(calls[0].id == calls[1].id && calls[0].body == calls[1].body)
                #expect(calls[2].id != calls[0].id)
            }
        }
    }

    @Test func `without an operator's leave no hook leads to this machine`() async throws {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let district = try await organization(api, "District")
            for url in [
                "http://example.com/", "https://127.0.0.1/", "https://[::1]:7101/",
                "https://localhost:7101/", "https://crm.internal/",
            ] {
                let refused = try await api.post(
                    "/v1/organizations/\(district)/hooks", ["url": .text(url)])
                #expect(refused.status == 422 || refused.status == 400, "\(refused.body)")
                #expect(refused.body.code.string == "validation")
            }
        }
    }

    @Test func `an installation that was put back calls nobody for what happened before`()
        async throws
    {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "guildhall-\(UUID().uuidString)")
        // What is left behind lies in the temporary folder, which the system empties.
        defer { try? FileManager.default.removeItem(at: folder) }
        let (data, backup) = (
            folder.appending(path: "data"), folder.appending(path: "backup").path
        )
        let guildhall = "'\(RunningInstallation.executable("guildhall").path)'"
        try await HookReceiver.run { receiver in
            try receiver.answer(.init(status: 503, stays: true))
            try await RunningInstallation.run(data: data, variables: Self.variables) {
                installation in
                let api = try await API(installation)
                let district = try await organization(api, "District")
                _ = try await api.post(
                    "/v1/organizations/\(district)/hooks",
                    ["url": .text(receiver.url("/guildhall"))])
                _ = try await organization(api, "Before", below: district)
                try await installation.until("it was tried") { try !receiver.calls.isEmpty }
                try await Shell.run("\(guildhall) backup '\(backup)' --data '\(data.path)'")
            }
            try await Shell.run("\(guildhall) restore '\(backup)' --data '\(data.path)'")
            let before = try receiver.calls.count
            try receiver.answer()

            try await RunningInstallation.run(data: data, variables: Self.variables) {
                installation in
                let api = try await API(installation)
                let found = try await api.get("/v1/organizations?q=District")
                let district = try #require(found.body.organizations[0].id.string)
                _ = try await organization(api, "After", below: district)
                try await installation.until("a call") { try receiver.calls.count > before }
                // The one of before would be due again by now.
                try await Task.sleep(for: .seconds(8))

                let told = try receiver.calls.dropFirst(before).map(\.body)
                #expect(told.count == 1 && told[0].contains("After"))
                let path = "/v1/organizations/\(district)/hooks"
                let hook = try #require(try await api.get(path).body.hooks[0].id.string)
                let failed = try await api.get(
                    "\(path)/\(hook)/deliveries?state=HOOK_DELIVERY_STATE_FAILED")
                #expect(failed.body.deliveries.items.count == 1)
                #expect(
                    (failed.body.deliveries[0].lastError.string ?? "").contains("was put back"))
            }
        }
    }

    @Test(arguments: ["10.0.0.0/40", "here", "10.0.0.0/8,,nonsense"])
    func `networks that are none are refused at the start, in one line`(
        networks: String
    ) async throws {
        let result = try await Subprocess.run(
            .path(FilePath(RunningInstallation.executable("organizations").path)),
            arguments: [
                "--port", "0", "--data", "\(NSTemporaryDirectory())hooks-\(UUID().uuidString)",
                "--hook-networks", networks,
            ], output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))

        #expect(!result.terminationStatus.isSuccess)
        let lines = result.standardError.split(separator: "\n")
        #expect(
            lines.count == 1 && lines[0].hasPrefix("organizations: --hook-networks "), "\(lines)")
    }
}
