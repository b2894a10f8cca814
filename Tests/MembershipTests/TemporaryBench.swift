import Access
import Messages
import Testing

@testable import Membership

@Suite struct `temporary figures` {
    @Test func `bench`() async throws {
        let hall = try Hall()
        let root = try await hall.organization()
        let district = try await hall.organization(below: root)
        let school = try await hall.organization(below: district)
        let client = hall.platformOwner
        for byEmail in [false, true] {
            let people: [UserID] =
                byEmail ? [] : try await {
                    var all: [UserID] = []
                    for _ in 0..<20_000 { all.append(try await hall.person()) }
                    return all
                }()
            let clock = ContinuousClock()
            let took = try await clock.measure {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for caller in 0..<64 {
                        group.addTask {
                            for number in 0..<300 {
                                let index = caller * 300 + number
                                _ = try await client.addMember(
                                    byEmail
                                        ? AddMemberRequest(
                                            organizationID: school.text,
                                            email: "p\(index)@x.example", name: "P \(index)")
                                        : AddMemberRequest(
                                            organizationID: school.text,
                                            userID: people[index].text))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let rate = Double(64 * 300) / (Double(took.components.attoseconds) / 1e18 + Double(took.components.seconds))
            Issue.record("email \(byEmail): \(rate) per second")
        }
    }
}
