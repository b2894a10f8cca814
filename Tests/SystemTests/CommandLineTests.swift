import Foundation
import Subprocess
import Testing

/// The command line against a running installation, which it knows nothing of.
@Suite(.serialized) struct CommandLineTests {
    private static let guildhall = "'\(RunningInstallation.executable("guildhall").path)'"

    @Test func `every part describes itself, and its methods can be called`() async throws {
        try await RunningInstallation.run { installation in
            for (part, service) in [
                ("organizations", "Organizations"), ("membership", "Membership"),
                ("partners", "Partners"), ("branding", "Branding"), ("gateway", "Membership"),
            ] {
                let target = try installation.address(of: part)
                let text = try await Shell.run("\(Self.guildhall) describe --target \(target)")
                for line in ["service Health {", "service Reflection {", "service \(service) {"] {
                    #expect(text.contains(line), "\(part): \(line)")
                }
            }
            let id = try await makeOrganization(in: installation)
            try await signInAndRead(id, in: installation)
        }
    }

    @Test func `operators look after workflows while Membership hangs`() async throws {
        try await RunningInstallation.run { installation in
            try installation.signal("membership", SIGSTOP)
            defer { #expect(throws: Never.self) { try installation.signal("membership", SIGCONT) } }
            for (part, method) in [
                ("organizations", "OrganizationWorkflows/ListWorkflows"),
                ("partners", "Partners/ListWorkflows"),
            ] {
                let target = try installation.address(of: part)
                let list = try await json(
                    "\(Self.guildhall) call --target \(target) "
                        + "--data '\(installation.data.path)' \(method)")

                #expect(list.workflows.items.isEmpty, "\(list)")
            }
        }
    }

    @Test func `operators see the mails that no server takes, and have them tried again`()
        async throws
    {
        try await RunningInstallation.run(
            variables: ["GUILDHALL_MAIL": "smtp://127.0.0.1:1"]
        ) { installation in
            let api = try await API(installation)
            let sent = try await api.post(
                "/v1/contact",
                [
                    "kind": "CONTACT_KIND_BOOKING", "email": "bob@example.org",
                    "subject": "Rooms", "text": "Is there one left?",
                ])
            try #require(sent.status < 300, "\(sent.body)")
            let target = try installation.address(of: "organizations")
            let call =
                "\(Self.guildhall) call --target \(target) "
                + "--data '\(installation.data.path)' guildhall.operations.v1.Mails"
            try await installation.until("it was tried") {
                let list = try await json("\(call)/ListMails")
                return (list.mails[0].attempts.integer ?? 0) > 0
            }

            let list = try await json("\(call)/ListMails -d '{\"state\": 1, \"pageSize\": 5}'")
            let id = try #require(list.mails[0].id.string, "\(list)")
            let retried = try await json("\(call)/RetryMail -d '{\"id\": \"\(id)\"}'")

            #expect(list.mails[0].receivers[0].string == installation.owner.email)
            #expect(list.mails[0].state.string == "MAIL_STATE_WAITING")
            #expect((list.mails[0].lastError.string ?? "").contains("connect"))
            #expect(retried.id.string == id && retried.nextAttemptAt.string != nil)
        }
    }

    @Test func `an address to which no link can lead is refused at once`() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "guildhall-\(UUID().uuidString)").path

        let said = try await Shell.run(
            "\(Self.guildhall) start --data '\(folder)' --public-url 'https://example.org?a' 2>&1"
                + " || test $? -eq 64")

        #expect(said.contains("--public-url is an address"), "\(said)")
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    /// As an operator, at a service itself.
    private func makeOrganization(in installation: RunningInstallation) async throws -> String {
        let target = try installation.address(of: "organizations")
        let call = "\(Self.guildhall) call --target \(target) --data '\(installation.data.path)'"
        let request = #"{"title": "Atlas", "category": 3, "country": "US"}"#
        let made = try await json("\(call) CreateOrganization -d '\(request)'")
        let id: String = try #require(made.id.string)
        let read = try await json("\(call) GetOrganization -d '{\"id\": \"\(id)\"}'")
        #expect(read.title.string == "Atlas")
        #expect(read.effectiveState.string == "EFFECTIVE_STATE_ACTIVE")
        return id
    }

    /// As a person, at the gateway.
    private func signInAndRead(_ id: String, in installation: RunningInstallation) async throws {
        let target = try installation.address(of: "gateway")
        let call = "\(Self.guildhall) call --target \(target)"
        let session = try await json(
            "\(call) SignIn -d '{\"email\": \"\(installation.owner.email)\", "
                + "\"password\": \"\(installation.owner.password)\"}'")
        let token: String = try #require(session.token.string)
        let read = try await json(
            "\(call) GetOrganization -H 'authorization: Bearer \(token)' "
                + "-d '{\"id\": \"\(id)\"}'")
        #expect(read.title.string == "Atlas")
    }

    private func json(_ line: String) async throws -> JSON {
        try JSONDecoder().decode(JSON.self, from: Data(try await Shell.run(line).utf8))
    }
}
