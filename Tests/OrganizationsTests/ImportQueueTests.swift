import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Organizations

/// Imports that wait for their turn.
struct ImportQueueTests {
    @Test func `what was too much at once is planned still, and applied by the same key later`()
        async throws
    {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let person: UserID = installation.identifiers.next()
        let office = try ImportOffice(installation)
        let planning = try office.client(as: person, Access.Grant(.platformOwner))
        var plans: [Import] = []
        for number in 1...9 {
            plans.append(try await planning.plan(csv: "Title", "School \(number)"))
        }
        let last = try #require(plans.last)

        let idle = try ImportOffice(installation, isWorking: false)
        let waiting = try idle.client(as: person, Access.Grant(.platformOwner))
        for plan in plans.dropLast() {
            let begun = try await waiting.applyImport(ApplyImportRequest(id: plan.id))
            #expect(begun.state == .applying)
        }
        let refused = try await refusal {
            try await waiting.applyImport(
                ApplyImportRequest(id: last.id), options: .key("ninth"))
        }
        let kept = try await waiting.getImport(GetImportRequest(id: last.id))
        let later = try ImportOffice(installation)
        let working = try later.client(as: person, Access.Grant(.platformOwner))
        // The desk ends what another life left behind before it takes anything in.
        _ = try await working.plan(csv: "Title", "Other")
        let applied = try await working.ended(
            try await working.applyImport(
                ApplyImportRequest(id: last.id), options: .key("ninth")))
        let again = try await working.applyImport(
            ApplyImportRequest(id: last.id), options: .key("ninth"))

        #expect(refused.reason == "busy")
        #expect(kept.state == .planned)
        #expect(applied.state == .applied, "\(applied.fault)")
        // A replay says what was said first, and does nothing.
        #expect(again.state == .applying)
        let listed = try await owner.listOrganizations(ListOrganizationsRequest())
        #expect(listed.organizations.map(\.title) == ["School 9"])
        withExtendedLifetime([office, idle, later]) {}
    }

    @Test func `while there is no room a file is refused before it is sent`() async throws {
        let installation = try Installation()
        let office = try ImportOffice(installation, isWorking: false)
        let imports = try office.client(Access.Grant(.platformOwner))
        for _ in 0..<ImportDesk.uploadsMax { try office.desk.beginUpload() }

        let checked = try await refusal { try await imports.checkImport(CheckImportRequest()) }
        let planned = try await refusal { try await imports.plan(csv: "Title", "School") }
        office.desk.endUpload()

        #expect(checked == planned)
        #expect(checked.reason == "busy")
        _ = try await imports.checkImport(CheckImportRequest())
        withExtendedLifetime(office) {}
    }

    @Test func `what ended is not handed in again by its key`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let person: UserID = installation.identifiers.next()
        let office = try ImportOffice(installation)
        let imports = try office.client(as: person, Access.Grant(.platformOwner))
        let plan = try await imports.plan(csv: "Title", "School")
        let idle = try ImportOffice(installation, isWorking: false)
        let waiting = try idle.client(as: person, Access.Grant(.platformOwner))
        _ = try await waiting.applyImport(
            ApplyImportRequest(id: plan.id), options: .key("once"))
        // The same here: what was under way has failed.
        let later = try ImportOffice(installation)
        let working = try later.client(as: person, Access.Grant(.platformOwner))
        _ = try await working.plan(csv: "Title", "Other")

        _ = try await working.applyImport(
            ApplyImportRequest(id: plan.id), options: .key("once"))
        let ended = try await working.getImport(GetImportRequest(id: plan.id))

        #expect(ended.state == .failed && ended.faultCode == "interrupted")
        #expect(try await owner.listOrganizations(ListOrganizationsRequest()).totalSize == 0)
        withExtendedLifetime([office, idle, later]) {}
    }
}
