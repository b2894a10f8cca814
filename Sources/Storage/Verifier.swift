/// Recomputes something that a database keeps beside the facts it follows from.
public struct Verifier: Sendable {
    /// What is recomputed, in words, such as "counters of seats".
    public let name: String
    let body: @Sendable (Snapshot, inout Findings) throws -> Void

    /// A verifier.
    ///
    /// - Parameters:
    ///   - name: What is recomputed, in words.
    ///   - body: Reads, and notes what it has looked at and what differs.
    public init(
        _ name: String, _ body: @escaping @Sendable (Snapshot, inout Findings) throws -> Void
    ) {
        self.name = name
        self.body = body
    }

    /// A verifier by SQL alone.
    ///
    /// - Parameters:
    ///   - name: What is recomputed, in words.
    ///   - count: A query for the number of rows that are looked at.
    ///   - differences: A query for what differs, a row each.
    ///   - sentence: Says of such a row what differs.
    public init(
        _ name: String, count: SQL, differences: SQL,
        sentence: @escaping @Sendable (Row) throws -> String
    ) {
        self.init(name) { snapshot, findings in
            findings.check(try snapshot.row(count) { try $0.int64(0) } ?? 0)
            try snapshot.forEachRow(of: differences) { row in
                try findings.differ(sentence(row))
                return true
            }
        }
    }

    /// The verifier, put off while it could find nothing but false alarms.
    ///
    /// - Parameters:
    ///   - reason: Why it is put off, in words.
    ///   - isTooEarly: Whether it is.
    /// - Returns: The verifier.
    public func unless(
        _ reason: String, _ isTooEarly: @escaping @Sendable (Snapshot) throws -> Bool
    ) -> Verifier {
        let body = body
        return Verifier(name) { snapshot, findings in
            guard try !isTooEarly(snapshot) else { return findings.putOff(because: reason) }
            try body(snapshot, &findings)
        }
    }

    /// Compares the last event of each aggregate with what is kept of it.
    ///
    /// - Parameters:
    ///   - kind: The kind of the events.
    ///   - facts: A query for every aggregate's identifier and version.
    ///   - name: Says which aggregate an identifier is.
    /// - Returns: A verifier that finds what the feed has not told.
    public static func feed(
        of kind: String, facts: SQL, name: @escaping @Sendable ([UInt8]) -> String
    ) -> Verifier {
        Verifier(
            "feed of \(kind)", count: "SELECT count(*) FROM (\(facts))",
            differences: """
                WITH fact (aggregate, version) AS (\(facts)),
                    told (aggregate, version) AS MATERIALIZED (
                        SELECT aggregate, max(version) FROM storage_event WHERE kind = \(kind)
                        GROUP BY aggregate)
                SELECT fact.aggregate, fact.version, coalesce(told.version, 0)
                FROM fact LEFT JOIN told ON told.aggregate = fact.aggregate
                WHERE told.version IS NOT fact.version
                """
        ) { row in
            """
            \(name(try row.bytes(0))) is at version \(try row.int64(1)); the feed has told of \
            version \(try row.int64(2)).
            """
        }
    }
}

/// What a verifier has found.
public struct Findings: Sendable, Hashable {
    /// Differences are told up to this many, and counted beyond.
    public static let sentencesMax = 100

    /// What was recomputed, in words.
    public let name: String
    /// How much was looked at.
    public private(set) var checkedCount: Int64 = 0
    /// How much differs.
    public private(set) var differenceCount: Int64 = 0
    /// The first differences, a sentence each.
    public private(set) var differences: [String] = []

    /// Why nothing was looked at now, in words; nil when it was.
    public private(set) var reasonPutOff: String?

    /// Nothing yet.
    public init(name: String) {
        self.name = name
    }

    /// Notes that so much was looked at.
    public mutating func check(_ count: Int64 = 1) {
        checkedCount += count
    }

    /// Notes that this is not the time to look.
    public mutating func putOff(because reason: String) {
        reasonPutOff = reason
    }

    /// Notes what differs, as a sentence.
    public mutating func differ(_ sentence: @autoclosure () throws -> String) rethrows {
        differenceCount += 1
        if differences.count < Self.sentencesMax { differences.append(try sentence()) }
    }
}

extension Database {
    /// Recomputes what can be recomputed, all at one state of the database, while it is in use.
    ///
    /// - Parameters:
    ///   - verifiers: Run after those of storage itself: of the file, its references and the
    ///     workflows.
    ///   - report: Told of each one's findings, on a thread of its own.
    /// - Throws: ``StorageFault``, `CancellationError`, or what a verifier throws.
    public func verify(
        _ verifiers: [Verifier], report: @escaping @Sendable (Findings) -> Void
    ) async throws {
        let all = StorageVerifiers.all + verifiers
        try await inspect { snapshot in
            for verifier in all {
                var findings = Findings(name: verifier.name)
                try verifier.body(snapshot, &findings)
                report(findings)
            }
        }
    }
}

/// What storage itself can recompute.
private enum StorageVerifiers {
    static let all = [file, references, workflows]

    private static let file = Verifier(
        "file", count: "SELECT page_count FROM pragma_page_count",
        differences: """
            SELECT integrity_check FROM pragma_integrity_check(\(Findings.sentencesMax))
            WHERE integrity_check <> 'ok'
            """
    ) { row in "\(try row.text(0))." }

    private static let references = Verifier(
        "references", count: "SELECT count(*) FROM pragma_table_list WHERE type = 'table'",
        differences:
            #"SELECT "table", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2"#
    ) { row in
        """
        \(try row.int64(2)) rows of \(try row.text(0)) refer to rows of \(try row.text(1)) that do \
        not exist.
        """
    }

    /// A workflow has a result for each step that it has done.
    private static let workflows = Verifier(
        "workflows", count: "SELECT count(*) FROM storage_workflow",
        differences: """
            SELECT hex(id), step, (SELECT count(*) FROM storage_workflow_result
                WHERE workflow_id = id AND storage_workflow_result.step < storage_workflow.step)
            FROM storage_workflow
            WHERE state IN (0, 2) AND storage_workflow.step <> (
                SELECT count(*) FROM storage_workflow_result
                WHERE workflow_id = id
                    AND storage_workflow_result.step < storage_workflow.step)
            """
    ) { row in
        """
        Workflow \(try row.text(0)) has done \(try row.int64(1)) steps and has the results of \
        \(try row.int64(2)).
        """
    }
}
