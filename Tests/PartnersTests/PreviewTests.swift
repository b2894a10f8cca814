import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Partners

/// To whom an organization would belong if it hung elsewhere.
@Suite(.serialized) struct PreviewTests {
    @Test func `the nearest assignment counts, here and there`() async throws {
        let bench = try Bench()
        let one = bench.plant("One")
        let school = bench.plant("School", below: one)
        let room = bench.plant("Room", below: school)
        let two = bench.plant("Two")
        let branch = bench.plant("Branch", below: two)
        let three = bench.plant("Three")

        try await bench.life { life in
            let northwind = try await life.partner("Northwind", of: [one])
            let contoso = try await life.partner("Contoso", of: [two])
            let here = PartnerPlace(
                partnerID: northwind, partnerName: "Northwind", organizationID: one.text)
            let there = PartnerPlace(
                partnerID: contoso, partnerName: "Contoso", organizationID: two.text)

            #expect(
                try await life.preview(room, below: branch)
                    == PreviewAssignmentReply(from: here, to: there))
            #expect(
                try await life.preview(room, below: one)
                    == PreviewAssignmentReply(from: here, to: here))
            for nobodys in [three, nil] {
                #expect(
                    try await life.preview(school, below: nobodys)
                        == PreviewAssignmentReply(from: here, to: PartnerPlace()))
            }
            #expect(
                try await life.preview(three, below: branch)
                    == PreviewAssignmentReply(from: PartnerPlace(), to: there))
        }
    }

    @Test func `its own assignment goes along, and the same partner elsewhere is told`()
        async throws
    {
        let bench = try Bench()
        let one = bench.plant("One")
        let school = bench.plant("School", below: one)
        let two = bench.plant("Two")

        try await bench.life { life in
            let northwind = try await life.partner("Northwind", of: [one, two])
            let other = try await life.preview(school, below: two)
            _ = try await life.partner("Contoso", of: [school])
            let own = try await life.preview(school, below: two)

            #expect(other.from?.partnerID == northwind && other.to?.partnerID == northwind)
            #expect(other.from?.organizationID == one.text)
            #expect(other.to?.organizationID == two.text)
            #expect(own.from?.partnerName == "Contoso" && own.from == own.to)
            #expect(own.to?.organizationID == school.text)
        }
    }

    @Test func `what Organizations has said by now is waited for`() async throws {
        let bench = try Bench()
        let one = bench.plant("One")
        let two = bench.plant("Two")

        try await bench.life { life in
            _ = try await life.partner("Northwind", of: [one])
            _ = try await life.partner("Contoso", of: [two])
            let new = bench.plant("New", below: one)

            let reply = try await life.preview(new, below: two)

            #expect(reply.from?.partnerName == "Northwind")
            #expect(reply.to?.partnerName == "Contoso")
        }
    }

    @Test func `without Organizations nothing is told of what may be elsewhere by now`()
        async throws
    {
        let bench = try Bench()
        let one = bench.plant("One")
        let school = bench.plant("School", below: one)

        try await bench.life { life in
            _ = try await life.partner("Northwind", of: [one])
            bench.neighbours.change { $0.tellsHead = false }

            let refused = await life.status { try await life.preview(school, below: nil) }

            #expect(refused?.code == .unavailable)
        }
    }

    @Test func `what is unknown is not found, and a circle is none`() async throws {
        let bench = try Bench()
        let one = bench.plant("One")
        let school = bench.plant("School", below: one)

        try await bench.life { life in
            let nobody: OrganizationID = bench.identifiers.next()
            await expect(refusing: "not_found") { try await life.preview(nobody, below: one) }
            await expect(refusing: "not_found") { try await life.preview(school, below: nobody) }
            await expect(refusing: "validation") { try await life.preview(one, below: school) }
            await expect(refusing: "validation") { try await life.preview(one, below: one) }
        }
    }

    @Test func `nobody but Organizations asks`() async throws {
        let bench = try Bench()
        let school = bench.plant("School")

        try await bench.life { life in
            for caller in [TestCaller.owner, .admin, .stranger, .service] {
                await expect(refusing: "forbidden") {
                    try await life.preview(school, below: nil, by: caller)
                }
            }
        }
    }
}

extension Life {
    /// Makes a partner to which organizations are assigned.
    fileprivate func partner(
        _ name: String, of organizations: [OrganizationID]
    ) async throws -> String {
        let text = try await createPartner(name).id
        let id = try PartnerID(requestText: text, field: "id")
        let now = bench.clock.now
        try await database.write { transaction in
            for organization in organizations {
                try transaction.assign(organization, to: id, at: now)
            }
        }
        return text
    }

    fileprivate func preview(
        _ organization: OrganizationID, below parent: OrganizationID?,
        by caller: TestCaller = .organizations
    ) async throws -> PreviewAssignmentReply {
        try await client.previewAssignment(
            PreviewAssignmentRequest(
                organizationID: organization.text, newParentID: parent?.text ?? ""),
            options: options(caller))
    }
}
