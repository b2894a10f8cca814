import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Organizations

/// What a dry run of a move tells of modules.
struct ModuleTrialTests {
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    @Test(arguments: [
        (ModulePlace(), ModulePlace(unrestricted: true), "", "all"),
        (ModulePlace(moduleNames: ["A", "B"]), ModulePlace(moduleNames: ["B"]), "A, B", "B"),
        (
            ModulePlace(unrestricted: true), ModulePlace(moduleNames: (1...100).map { "M\($0)" }),
            "all", (1...100).map { "M\($0)" }.joined(separator: ", ")
        ),
        (
            ModulePlace(moduleNames: (1...500).map { "M\($0)" }), ModulePlace(),
            (1...100).map { "M\($0)" }.joined(separator: ", ") + " and 400 more", ""
        ),
    ])
    func `modules are told by their names, and all of them in a word`(
        from: ModulePlace, to: ModulePlace, before: String, after: String
    ) async throws {
        let owner = try installation.platformOwner()
        let (one, two) = (try await owner.create("One"), try await owner.create("Two"))
        await installation.partners.answer(with: PreviewModulesReply(from: from, to: to))

        let reply = try await owner.tryMove(one, below: two)

        #expect(reply.effects.map(\.aspect) == ["modules"])
        #expect(reply.effects.map(\.fromValue) == [before])
        #expect(reply.effects.map(\.toValue) == [after])
    }

    @Test func `the same modules are an effect only where another restricts them`() async throws {
        let owner = try installation.platformOwner()
        let one = try await owner.chain("One", "School")
        let two = try await owner.create("Two")
        func place(_ organization: Organization) -> ModulePlace {
            ModulePlace(moduleNames: ["Algebra"], organizationID: organization.id)
        }

        await installation.partners.answer(
            with: PreviewModulesReply(from: place(one[0]), to: place(one[0])))
        let same = try await owner.tryMove(one[1], below: two)
        await installation.partners.answer(
            with: PreviewModulesReply(from: place(one[0]), to: place(two)))
        let other = try await owner.tryMove(one[1], below: two)

        #expect(same.effects.isEmpty && same.unknownAspects.isEmpty)
        #expect(other.effects.map(\.fromOrganizationID) == [one[0].id])
        #expect(other.effects.map(\.toOrganizationID) == [two.id])
    }

    @Test(arguments: [Status.Code.unimplemented, .unavailable, .notFound])
    func `a version of Partners that knows no modules leaves a gap of its own`(
        code: Status.Code
    ) async throws {
        let owner = try installation.platformOwner()
        let one = try await owner.chain("One", "School")
        let two = try await owner.create("Two")
        await installation.partners.answer(
            with: PreviewAssignmentReply(
                from: PartnerPlace(
                    partnerID: "1", partnerName: "Northwind", organizationID: one[0].id)))
        await installation.partners.failModuleTrials(with: Status(code, "Nobody knows."))

        let reply = try await owner.tryMove(one[1], below: two)

        #expect(reply.unknownAspects == ["modules"])
        #expect(reply.effects.map(\.aspect) == ["partner"])
    }
}
