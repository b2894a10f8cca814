import Storage
import Testing

/// The rules for SQL, over every statement of every service: so that the same statements run on
/// other engines, and none grows slow with the data.
@Suite struct StatementTests {
    /// A program with a database: where its statements stand, and its migrations.
    struct Program: Sendable, CustomTestStringConvertible {
        let name: String
        let hasTree: Bool
        var hasOutbox = false
        var testDescription: String { name }
    }

    static let programs = [
        Program(name: "Organizations", hasTree: false, hasOutbox: true),
        Program(name: "Membership", hasTree: true, hasOutbox: true),
        Program(name: "Partners", hasTree: true),
        Program(name: "Branding", hasTree: true),
    ]

    /// Statements that look at every row, each with the reason why it may.
    static let wholeTables: [(beginning: String, reason: String)] = [
        ("SELECT count(*) FROM partner", "the total of a list for people; partners are few"),
        ("SELECT count(*) FROM product", "the total of a list for people; products are few"),
        ("SELECT count(*) FROM module", "the total of a list, and the limit; 10,000 at most"),
        ("SELECT count(*) FROM course", "the total of a list, and the limit; 50,000 at most"),
        ("SELECT count(*) FROM sale", "the total of a list for people"),
        ("SELECT count(*) FROM import_run", "the total of a list; imports are kept for 7 days"),
        ("UPDATE tree_node SET stale = 1, version = 0", "a rebuild of the copy from zero"),
        ("UPDATE tree_type SET stale = 1, version = 0", "a rebuild of the copy from zero"),
        ("SELECT body FROM tree_type WHERE removed = 0", "types are few, and asked for seldom"),
        ("INSERT INTO tree_rebuild", "one row"),
        ("DELETE FROM tree_rebuild", "one row at most"),
        ("UPDATE organization SET members = 0", "the counts of Membership begin anew"),
        ("UPDATE catalog_module SET stale = 1", "a rebuild of the copy of Partners' facts"),
        ("UPDATE catalog_course SET stale = 1", "a rebuild of the copy of Partners' facts"),
        ("UPDATE organization_modules SET stale = 1", "a rebuild of the copy of Partners' facts"),
        ("UPDATE subscription SET stale = 1", "a rebuild of the copy of Partners' facts"),
        ("INSERT INTO partners_copy", "one row"),
        ("SELECT count(*) FROM seat_type", "at most 1,000"),
        ("SELECT count(*) FROM license_type", "at most 1,000"),
        ("INSERT INTO place_change", "everybody is counted anew after a rebuild of the copy"),
        ("UPDATE pending_sign_up SET state = 3", "who waits, after a rebuild of the copy"),
    ]

    /// Statements that go along a key from some place on and leave out rows on the way, each with
    /// the reason why those are few.
    static let ranges: [(beginning: String, reason: String)] = [
        ("DELETE FROM storage_event WHERE sequence > ?", "between two ends, 1,000 events apart"),
        ("SELECT node, used FROM usage WHERE node > ?", "four counts a node, one of each kind"),
    ]

    private static let forbidden = [
        "RETURNING", "ATTACH", "DETACH", "VACUUM", "PRAGMA", "REINDEX", "GLOB", "MATCH",
        "CREATE", "ALTER", "DROP", "REPLACE",
    ]

    @Test(arguments: programs)
    func `statements keep to what every engine has`(program: Program) throws {
        let statements = Self.statements(of: program)
        #expect(statements.count > 30)
        for statement in statements {
            let words = Set(
                statement.text.uppercased().split { !$0.isLetter && $0 != "_" }.map(String.init))
            #expect(words.isDisjoint(with: Self.forbidden), "\(statement)")
            #expect(!statement.text.contains(";"), "one statement a string: \(statement)")
            #expect(
                statement.text.filter { $0 == "?" }.count <= SQL.valuesMax, "\(statement)")
            for schema in ["main.", "temp."] {
                #expect(!statement.text.contains(schema), "one database: \(statement)")
            }
        }
    }

    @Test(arguments: programs)
    func `statements fit the schema, and find their rows by an index`(program: Program) throws {
        let database = try ScratchDatabase(of: program)
        for statement in Self.statements(of: program) {
            let plan: [String]
            do {
                plan = try database.plan(of: statement.text)
            } catch {
                Issue.record("\(error): \(statement)")
                continue
            }
            // The first rows in the order of a key are found at once.
            let isFirstRows =
                statement.words.contains("LIMIT ") && !statement.words.contains("WHERE ")
                && !plan.contains { $0.contains("TEMP B-TREE") }
            let scans = isFirstRows ? [] : plan.filter { database.isScan($0, statement.text) }
            let isAllowed = Self.wholeTables.contains { statement.words.hasPrefix($0.beginning) }
            #expect(scans.isEmpty || isAllowed, "\(scans): \(statement)")
            let walks = plan.filter { database.isFilteredRange($0, statement) }
            let isListed = Self.ranges.contains { statement.words.hasPrefix($0.beginning) }
            #expect(walks.isEmpty || isListed, "\(walks): \(statement)")
        }
    }

    @Test(arguments: programs)
    func `queries are bounded`(program: Program) throws {
        let database = try ScratchDatabase(of: program)
        for statement in Self.statements(of: program)
        where statement.text.hasPrefix("SELECT") || statement.text.hasPrefix("WITH") {
            let plan = try database.plan(of: statement.text)
            let isBounded =
                statement.words.contains("LIMIT ") || statement.words.contains("SELECT count(*)")
                || statement.words.contains("SELECT 1 ")
                || Self.bounded.contains { statement.words.hasPrefix($0.beginning) }
                || plan.allSatisfy { database.findsOneRow($0, statement.text) }
            #expect(isBounded, "\(plan): \(statement)")
        }
    }

    @Test(arguments: programs)
    func `recursion ends`(program: Program) {
        let recursive = Self.statements(of: program).filter { $0.text.contains("RECURSIVE") }
        for statement in recursive {
            let isBounded =
                statement.words.contains("level < ") || statement.words.contains("LIMIT 10 )")
            #expect(isBounded, "\(statement)")
        }
    }

    /// Queries that name no limit since something else does.
    static let bounded: [(beginning: String, reason: String)] = [
        ("SELECT organization_id, field, value FROM color", "ten levels of at most 256 colors"),
        ("SELECT organization_id, white_label", "ten levels, a row each"),
        ("SELECT product_id, quantity, unit_price_minor", "100 lines of a sale"),
        ("SELECT u.node, u.kind, u.used, u.cap, p.refs", "ten levels of four counts"),
        ("SELECT role, node FROM platform_role", "the roles of one person"),
        (
            "WITH RECURSIVE up (id, level) AS ( SELECT parent_id, 1 FROM tree_node",
            "ten levels, a row each"
        ),
        (
            "WITH RECURSIVE down (number, level) AS ( SELECT number, 1 FROM organization",
            "the depths of what hangs below something that was moved"
        ),
        ("SELECT id FROM tree_node WHERE stale = 1", "what a rebuild of the copy did not meet"),
    ]

    @Test(arguments: programs)
    func `columns have the four types that every engine has`(program: Program) throws {
        let database = try ScratchDatabase(of: program)
        let types = try database.texts(
            """
            SELECT DISTINCT upper(column.type) FROM pragma_table_list AS list,
                pragma_table_info(list.name) AS column
            WHERE list.schema = 'main' AND list.type = 'table' AND list.name NOT LIKE 'sqlite%'
            """)
        #expect(Set(types).isSubset(of: ["INTEGER", "REAL", "TEXT", "BLOB"]))
        #expect(types.count >= 3)
    }

    /// Statements of a program, of its copy of the tree or its outbox and of storage itself; those
    /// that verify a whole database on an operator's wish are meant to read all of it.
    private static func statements(of program: Program) -> [SourceStatement] {
        let folders =
            ["Services/\(program.name)", "Sources/Storage"]
            + (program.hasTree ? ["Sources/TreeCopy"] : [])
            + (program.hasOutbox ? ["Sources/Mail"] : [])
        return folders.flatMap { SourceTree.here.files(below: $0) }
            .filter {
                !$0.path.hasSuffix("Verification.swift") && !$0.path.hasSuffix("Verifier.swift")
            }
            .flatMap(\.statements)
    }
}
