import Access
import Messages
import RPC
import Testing

@testable import Partners

/// What an organization could use if it hung elsewhere.
@Suite(.serialized) struct ModulePreviewTests {
    @Test func `modules are those of the place, here and there`() async throws {
        let bench = try Bench()
        let one = bench.plant("One")
        let school = bench.plant("School", below: one)
        let room = bench.plant("Room", below: school)
        let two = bench.plant("Two")
        let type: OrganizationTypeID = bench.identifiers.next()

        try await bench.life { life in
            let music = try await life.module("music", chapters: ["1", "2"])
            let art = try await life.module("Art")
            bench.tell(type, modules: [art.id])
            bench.tell(two, type: type)
            try await life.set([.of(music, chapters: 0), .of(art)], at: one)
            let here = ModulePlace(moduleNames: ["Art", "music"], organizationID: one.text)
            let there = ModulePlace(moduleNames: ["Art"], organizationID: two.text)

            #expect(
                try await life.preview(room, below: two)
                    == PreviewModulesReply(from: here, to: there))
            #expect(
                try await life.preview(room, below: nil)
                    == PreviewModulesReply(from: here, to: ModulePlace(unrestricted: true)))
            try await life.set([.of(music)], at: school)
            #expect(
                try await life.preview(school, below: two)
                    == PreviewModulesReply(
                        from: ModulePlace(moduleNames: ["music"], organizationID: school.text),
                        to: ModulePlace(organizationID: school.text)))
        }
    }

    @Test func `what is unknown is not found, a circle is none, and nobody else asks`()
        async throws
    {
        let bench = try Bench()
        let one = bench.plant("One")
        let school = bench.plant("School", below: one)

        try await bench.life { life in
            let nobody: OrganizationID = bench.identifiers.next()
            await expect(refusing: "not_found") { try await life.preview(nobody, below: one) }
            await expect(refusing: "not_found") { try await life.preview(school, below: nobody) }
            await expect(refusing: "validation") { try await life.preview(one, below: school) }
            await expect(refusing: "validation") { try await life.preview(one, below: one) }
            for caller in [TestCaller.owner, .stranger, .service] {
                await expect(refusing: "forbidden") {
                    try await life.preview(school, below: nil, by: caller)
                }
            }
            bench.neighbours.change { $0.tellsHead = false }
            let refused = await life.status { try await life.preview(school, below: nil) }
            #expect(refused?.code == .unavailable)
        }
    }
}

extension Life {
    fileprivate func preview(
        _ organization: OrganizationID, below parent: OrganizationID?,
        by caller: TestCaller = .organizations
    ) async throws -> PreviewModulesReply {
        try await modules.previewModules(
            PreviewModulesRequest(
                organizationID: organization.text, newParentID: parent?.text ?? ""),
            options: options(caller))
    }
}
