import Synchronization
import Testing

@testable import Storage

@Suite("Verification") struct VerifierTests {
    private let files = TemporaryFolder()

    @Test("a sound database differs in nothing, and everything was looked at")
    func sound() async throws {
        let database = try files.database()
        try await database.write { transaction in
            for id in 1...300 {
                try transaction.add(id, "member\(id)@example.com")
                try transaction.publish(
                    kind: "member", aggregate: Array("\(id)".utf8), version: 1,
                    body: [], at: .start)
            }
        }
        let found = try await findings(in: database)
        #expect(
            found.map(\.name) == ["file", "references", "workflows", "emails", "feed of member"])
        #expect(found.map(\.differenceCount) == [0, 0, 0, 0, 0])
        #expect(found.last?.checkedCount == 300)
        #expect(found[0].checkedCount > 10 && found[1].checkedCount > 5)
        database.close()
    }

    @Test("what differs is counted wholly and told up to a hundred sentences")
    func differences() async throws {
        let database = try files.database()
        try await database.write { transaction in
            for id in 101...250 { try transaction.add(id, "member\(id) at example.com") }
            try transaction.start(
                WorkflowStart(
                    id: [UInt8](repeating: 5, count: 16), kind: "sale", input: [], startedBy: "ada",
                    at: .start))
            try transaction.execute("UPDATE storage_workflow SET step = 2")
        }
        let found = try await findings(in: database)
        #expect(found.map(\.differenceCount) == [0, 0, 1, 150, 150])
        #expect(
            found[2].differences.first?.contains("done 2 steps and has the results of 0") == true)
        #expect(found[3].differences.count == 100)
        #expect(found[3].differences.first == "member101 at example.com is no address.")
        #expect(
            found[4].differences.first
                == "Member 101 is at version 1; the feed has told of version 0.")
        database.close()
    }

    @Test("a row that refers to nothing is found")
    func brokenReference() async throws {
        let database = try files.database()
        database.close()
        let connection = try SQLiteConnection(path: files.databasePath)
        try connection.run(script: "INSERT INTO note (member_id, text) VALUES (9999, 'nobody')")
        let again = try files.database()
        let found = try await findings(in: again)
        #expect(found[0].differenceCount == 0)
        #expect(
            found[1].differences == ["1 rows of note refer to rows of member that do not exist."])
        again.close()
    }

    private func findings(in database: Database) async throws -> [Findings] {
        let found = Mutex<[Findings]>([])
        let emails = Verifier(
            "emails", count: "SELECT count(*) FROM member",
            differences: "SELECT email FROM member WHERE email NOT LIKE '%@%' ORDER BY id"
        ) { "\(try $0.text(0)) is no address." }
        let events = Verifier.feed(
            of: "member", facts: "SELECT CAST(CAST(id AS TEXT) AS BLOB), 1 FROM member"
        ) { "Member \(String(decoding: $0, as: UTF8.self))" }
        try await database.verify([emails, events]) { finding in
            found.withLock { $0.append(finding) }
        }
        return found.withLock { $0 }
    }
}
