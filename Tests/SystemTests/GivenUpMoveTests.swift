import Foundation
import Testing

/// Moves that an operator gives up while Membership is silent, with every process running.
@Suite(.serialized) struct GivenUpMoveTests {
    @Test func `a move that is given up leaves its people where they are, once Membership is back`()
        async throws
    {
        try await RunningInstallation.run { installation in
            let api = try await API(installation)
            let district = try await District.make(api, limit: 100)
            let school = district.schools[0]
            try await district.fill(school, "person", with: 5)
            let other = try await District.create(api, "Other", below: nil)
            try await installation.until("the other organization is known") {
                try await api.get("/v1/organizations/\(other)/usage").status == 200
            }
            let line = try OperatorLine(installation)
            let move = #"{"id": "\#(school)", "newParentId": "\#(other)"}"#
            let child =
                #"{"parentId": "\#(other)", "title": "New", "category": 1, "country": "US"}"#

            try installation.signal("membership", SIGSTOP)
            // A test that fails meanwhile must not leave it stopped; why it failed is what counts.
            defer { try? installation.signal("membership", SIGCONT) }
            let waiting = try await line.refusal("MoveOrganization", move)
            let listed = try await line.answer("ListWorkflows", "{}")
            let id: String = try #require(listed.workflows.items.first?.id.string)
            let cancelled = try await line.answer("CancelWorkflow", #"{"id": "\#(id)"}"#)
            let closed = try await line.refusal("CreateOrganization", child)
            try installation.signal("membership", SIGCONT)
            try await installation.until("the move has come to nothing") {
                let workflow = try await line.answer("GetWorkflow", #"{"id": "\#(id)"}"#)
                return workflow.state.string == "WORKFLOW_STATE_ABORTED"
            }
            let free = try await line.answer("CreateOrganization", child)
            let after = try await api.get("/v1/organizations/\(school)")
            let people = try await district.people()
            let elsewhere = try await api.get("/v1/organizations/\(other)/usage")
            let again = try await api.post(
                "/v1/organizations/\(school):move", ["newParentId": .text(other)])

            #expect(waiting.contains("not_acknowledged"), "\(waiting)")
            #expect(cancelled.state.string == "WORKFLOW_STATE_COMPENSATING", "\(cancelled)")
            #expect(closed.contains("org_moving"), "\(closed)")
            #expect(free.parentId.string == other, "\(free)")
            #expect(after.body.parentId.string == district.id, "\(after.body)")
            #expect(people == 5 && elsewhere.body.people.integer ?? 0 == 0)
            #expect(again.status == 200, "\(again.body)")
            let moved = try await api.get("/v1/organizations/\(other)/usage")
            #expect(moved.body.people.integer == 5)
            #expect(try await district.people() ?? 0 == 0)
        }
    }
}

/// Calls of an operator at Organizations itself, for which Membership need not be there.
private struct OperatorLine: Sendable {
    private let call: String

    init(_ installation: RunningInstallation) throws {
        let guildhall = RunningInstallation.executable("guildhall").path
        let target = try installation.address(of: "organizations")
        call = "'\(guildhall)' call --target \(target) --data '\(installation.data.path)'"
    }

    func answer(_ method: String, _ request: String) async throws -> JSON {
        let text = try await Shell.run("\(call) \(method) -d '\(request)'")
        return try JSONDecoder().decode(JSON.self, from: Data(text.utf8))
    }

    /// What a call that is refused prints.
    func refusal(_ method: String, _ request: String) async throws -> String {
        try await Shell.run("! \(call) \(method) -d '\(request)' 2>&1")
    }
}
