import Access
import ServiceKit
import Storage
import Testing

@testable import Organizations

/// Databases that are older than the program and hold more than is looked at in one go.
struct LargeMigrationTests {
    /// An organization as an older program wrote it.
    private struct Entry {
        let number: Int64
        let parent: Int64?
        let isPresent: Bool
        let titleKey: String
    }

    /// More than the 5,000 that lists put together, and than any page or portion.
    private static let count: Int64 = 6_000
    private static let roots: Int64 = 40
    private static let parent: Int64 = 7

    @Test func `every order of lists and searches is the same before and after`() async throws {
        let file = OldDatabase()
        let now = file.now
        let old = try file.open(before: "recency")
        try await old.write { try Self.fill($0, from: now) }
        let before = try await old.read { try Self.numbersBefore($0) }
        old.close()

        let database = try file.open()
        var after: [[Int64]] = []
        for (order, scope, _) in before {
            after.append(try await database.read { try Self.numbers(order, in: scope, $0) })
        }
        let findings = try await database.read { try Self.titles(misplacedIn: $0) }
        database.close()

        #expect(before.count == 14)
        for (old, new) in zip(before, after) {
            #expect(old.numbers.count > 100, "\(old.order) \(old.scope)")
            #expect(new == old.numbers, "\(old.order) \(old.scope)")
        }
        #expect(findings.isEmpty)
    }

    @Test func `titles that were there before are ordered as new ones, in every letter`()
        async throws
    {
        let file = OldDatabase()
        let now = file.now
        let old = try file.open(before: "title-order")
        let letters = (0x80...0x2_FFFF as ClosedRange<UInt32>).compactMap(Unicode.Scalar.init)
            .map { Title.key(of: String($0)) }.filter { !$0.isEmpty }
        let keys = stride(from: 0, to: letters.count, by: 60).map { start in
            "\(start) " + letters[start..<min(start + 60, letters.count)].joined()
        }
        try await old.write { transaction in
            for (index, key) in keys.enumerated() {
                let number = Int64(index + 1)
                try transaction.addSchool(
                    "School", key: key, number: number,
                    id: OrganizationID(high: 1, low: UInt64(number)), at: now)
            }
        }
        old.close()

        let database = try file.open()
        let kept = try await database.read { snapshot in
            try snapshot.rows("SELECT title_key, title_plain FROM organization ORDER BY number") {
                (key: try $0.text(0), plain: try $0.isNull(1) ? nil : $0.text(1))
            }
        }
        database.close()

        #expect(kept.count == keys.count && kept.count > 1_000)
        #expect(kept.count { $0.plain != nil } > 10)
        for (key, plain) in kept {
            let expected = TitleOrder.plainText(of: key)
            #expect(plain.map { Array($0.utf8) } == expected.map { Array($0.utf8) }, "\(key)")
        }
    }

    // MARK: - Before

    /// Roots and their children, many equal in what lists are ordered by, some in the archive.
    private static func fill(_ transaction: Transaction, from start: WallTime) throws {
        for number in 1...count {
            let above: Int64? = number <= roots ? nil : 1 + number % roots
            let isPresent = number % 50 != 0
            // Twenty are of each instant, and no order is that of the numbers.
            let time = start.advanced(by: .seconds(number * 7_919 % 300))
            let archivedAt: WallTime? = isPresent ? nil : time
            let archiver: String? = isPresent ? nil : "test"
            let batch: ArchiveBatchID? = isPresent ? nil : ArchiveBatchID(high: 2, low: 2)
            let title = "\(number % 9 == 0 ? "Übung" : "School") \(number * 7 % count)"
            try transaction.execute(
                """
                INSERT INTO organization (number, serial, id, parent, depth, standing, active,
                    title, title_key, description, category, category_source, country,
                    sales_rep_email, services, origin, discount_scope, members, created_by,
                    created_micros, updated_micros, version, archived_micros, archived_by,
                    archive_batch)
                VALUES (\(number), \(number), \(OrganizationID(high: 1, low: UInt64(number))),
                    \(above), \(above == nil ? 1 : 2), \(isPresent ? 1 : 3), 1, \(title),
                    \(Title.key(of: title)), '', 1, 1, 'US', '', '', 1, 1,
                    \(number * 31 % 17), 'test', \(start), \(time), 1, \(archivedAt),
                    \(archiver), \(batch))
                """)
        }
    }

    /// What a list is made of.
    private enum Scope {
        case everywhere
        case below
        case search
    }

    private typealias List = (order: ListOrder, scope: Scope, numbers: [Int64])

    /// What the older schema holds, in each order upwards and downwards.
    private static func numbersBefore(_ snapshot: Snapshot) throws -> [List] {
        let updated = try entries(
            """
            SELECT number, parent, standing, title_key FROM organization
            ORDER BY updated_micros, number
            """, snapshot)
        let members = try entries(
            """
            SELECT number, parent, standing, title_key FROM organization
            ORDER BY members, number
            """, snapshot)
        let titles = updated.sorted { one, other in
            let (left, right) = (one.titleKey, other.titleKey)
            let plain = [left, right].map { $0.replacing("übung", with: "ubung") }
            return plain[0] == plain[1]
                ? one.number < other.number
                : plain[0].utf8.lexicographicallyPrecedes(plain[1].utf8)
        }
        var lists: [List] = []
        for (key, sorted) in [(ListKey.updated, updated), (.members, members), (.title, titles)] {
            for isDescending in [false, true] {
                let order = ListOrder(key: key, isDescending: isDescending)
                let all = isDescending ? sorted.reversed() : sorted
                let present = all.filter(\.isPresent)
                lists.append((order, .everywhere, present.map(\.number)))
                let below = present.filter { $0.parent == parent }
                lists.append((order, .below, below.map(\.number)))
                guard key == .updated else { continue }
                let matches = all.filter { $0.titleKey.contains("ool 1") }
                lists.append((order, .search, matches.map(\.number)))
            }
        }
        return lists
    }

    private static func entries(_ statement: SQL, _ snapshot: Snapshot) throws -> [Entry] {
        try snapshot.rows(statement) { row in
            Entry(
                number: try row.int64(0), parent: try row.int64OrNil(1),
                isPresent: try row.int(2) == 1, titleKey: try row.text(3))
        }
    }

    // MARK: - After

    /// The same list by the program, page after page.
    private static func numbers(
        _ order: ListOrder, in scope: Scope, _ snapshot: Snapshot
    ) throws -> [Int64] {
        let limit = 100
        let part = try TitlePart.optional("ool 1", field: "q")
        var place = ListPlace.start(of: order)
        var found: [Int64] = []
        while true {
            let nodes: [Node]
            switch scope {
            case .everywhere:
                nodes = try snapshot.rows(
                    Statements.everywhere(in: order, after: place, limit: limit), Node.init(row:))
            case .below:
                nodes = try snapshot.rows(
                    Statements.children(of: parent, in: order, after: place, limit: limit),
                    Node.init(row:))
            case .search:
                nodes = try snapshot.changes(
                    withPart: try #require(part), isDescending: order.isDescending, after: place,
                    limit: limit)
            }
            found += nodes.map(\.number)
            guard let last = nodes.last, nodes.count == limit else { return found }
            place =
                scope == .search
                ? ListPlace(value: .integer(last.recency), number: last.number)
                : ListPlace(last, by: order.key)
        }
    }

    /// Titles that the index of parts does not hold, or in another place.
    private static func titles(misplacedIn snapshot: Snapshot) throws -> [Int64] {
        try snapshot.rows(
            """
            SELECT o.number FROM organization_part_entry AS entry
            LEFT JOIN organization AS o ON o.recency = entry.doc
            WHERE substr(o.title_key, entry.offset + 1, 3) IS NOT entry.term
            """
        ) { try $0.int64(0) }
    }
}
