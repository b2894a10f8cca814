import Foundation
import Testing

/// The benchmark of storage is built by hand, now and then: what it runs must fit the tables of the
/// services as they are today.
@Suite struct BenchmarkTests {
    private static let folder = "Tests/Benchmarks/Storage/Sources"

    @Test func `statements of the benchmark fit the tables of the services`() throws {
        let database = try ScratchDatabase(
            of: .init(name: "Organizations", hasTree: false),
            .init(name: "Membership", hasTree: false))
        let ours = Self.ours.map(\.text)
        let peers = try Self.peers()

        for statement in ours + peers {
            #expect(throws: Never.self, "\(statement)") { try database.plan(of: statement) }
        }
        #expect(ours.count > 12)
        #expect(peers.count > 6)
    }

    @Test func `the point read is that of Organizations, on both sides`() throws {
        let isPointRead = { (words: String) in
            words.hasPrefix("SELECT id, number,")
                && words.hasSuffix("FROM organization WHERE id = ? AND standing <= 3")
        }
        // The columns stand in another file than the query.
        let found = try Self.columns(in: "Services/Organizations/Store.swift")
        let columns = try #require(found)
        let expected = "SELECT \(columns) FROM organization WHERE id = ? AND standing <= 3"

        #expect(Self.ours.map(\.words).filter(isPointRead) == [expected])
        #expect(try Self.peers().filter(isPointRead) == [expected])
    }

    private static var ours: [SourceStatement] {
        SourceTree.here.files(below: "\(folder)/StorageBenchmark").flatMap(\.statements)
    }

    /// The statements of the peers in C, each on one line.
    private static func peers() throws -> [String] {
        let source = try String(
            contentsOf: SourceTree.here.root.appending(path: "\(folder)/CDataSet/dataset.c"),
            encoding: .utf8)
        return source.replacing(/"\s*\n\s*"/, with: "")
            .matches(of: /"((SELECT|WITH|INSERT) [^"]+)"/).map { String($0.1) }
    }

    /// The list under the name `columns` in a file, on one line.
    private static func columns(in path: String) throws -> String? {
        let source = try String(
            contentsOf: SourceTree.here.root.appending(path: path), encoding: .utf8)
        let list = source.firstMatch(of: /static let columns: SQL = """\n([^"]+)"""/)?.1
        return list?.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
