import Access
import Messages
import RPC
import ServiceKit
import Storage

/// Makes what an import has planned, in one transaction: all of it or nothing.
struct ImportApplication {
    private static let batch = 1_000

    let transaction: Transaction
    /// The import.
    let importID: ImportID
    let identifiers: IdentifierSource
    let creator: String
    /// The organization below which everything must hang, itself included; nil: the platform.
    let scope: OrganizationID?
    let now: WallTime

    /// Of a parent what its children are made with.
    private struct Parent {
        let id: OrganizationID
        let number: Int64
        let depth: Int
        let category: Category
        let country: String
    }

    /// Applies the rows of a plan that create or update.
    ///
    /// - Parameter advance: Told after each row; throwing undoes everything.
    /// - Throws: ``ImportFailure`` `plan_stale` with the row at which the plan no longer fits.
    func apply(advance: () throws -> Void) throws {
        guard try !transaction.isAnythingMoving() else {
            throw ImportFailure(
                code: ErrorReason.orgMoving.rawValue,
                sentence: "Organizations are being moved. Please try again in a moment.")
        }
        var created: [Int64: Parent] = [:]
        var known: [Int64: Parent] = [:]
        var next = try transaction.nextNumber()
        for (row, planned) in try rows(.created).sorted(by: Self.isParentFirst) {
            try advance()
            let parent = try parent(of: planned, row, created, &known)
            guard parent.map({ $0.depth < Line.depthMax }) ?? true else {
                throw Self.stale(row, "The organization above hangs deeper by now.")
            }
            do {
                created[row] = try create(planned, row, number: next, below: parent)
            } catch Refusal.nameTaken {
                throw Self.stale(row, "An organization with this title is there by now.")
            } catch Refusal.emailMaskTaken {
                throw Self.stale(row, "An email domain is taken by now.")
            }
            next += 1
        }
        for (row, planned) in try rows(.updated) {
            try advance()
            do {
                try update(planned, row)
            } catch Refusal.emailMaskTaken {
                throw Self.stale(row, "An email domain is taken by now.")
            }
        }
    }

    static func stale(_ row: Int64, _ sentence: String) -> ImportFailure {
        ImportFailure(
            code: ErrorReason.planStale.rawValue,
            sentence: "Row \(row): \(sentence) Please import the file again.", row: Int(row))
    }

    private static func isParentFirst(
        _ one: (row: Int64, planned: PlannedRow), _ other: (row: Int64, planned: PlannedRow)
    ) -> Bool {
        let (left, right) = (one.planned.path.count, other.planned.path.count)
        return left == right ? one.row < other.row : left < right
    }

    private func rows(
        _ outcome: ImportOutcome
    ) throws -> [(row: Int64, planned: PlannedRow)] {
        var found: [(row: Int64, planned: PlannedRow)] = []
        while true {
            let part = try transaction.importRows(
                of: importID, outcome: outcome, after: found.last?.row ?? 0, limit: Self.batch)
            for (row, _, body) in part {
                found.append((row, try PlannedRow(decoding: body, limits: .bulk)))
            }
            if part.count < Self.batch { return found }
        }
    }

    /// The parent of a row; nil for a root.
    private func parent(
        of planned: PlannedRow, _ row: Int64, _ created: [Int64: Parent],
        _ known: inout [Int64: Parent]
    ) throws -> Parent? {
        if planned.parentRow != 0 {
            guard let parent = created[planned.parentRow] else {
                throw Self.stale(row, "The organization above was not made.")
            }
            return parent
        }
        guard planned.parentNumber != 0 else { return nil }
        if let parent = known[planned.parentNumber] { return parent }
        guard let node = try transaction.node(numbered: planned.parentNumber),
            node.standing == .present, node.depth < Line.depthMax,
            case let line = try transaction.line(of: node, on: now.day),
            line.state == .active, isInScope(line)
        else { throw Self.stale(row, "The organization above is gone or not active by now.") }
        let parent = Parent(
            id: node.id, number: node.number, depth: node.depth,
            category: node.details.category, country: node.details.country)
        known[planned.parentNumber] = parent
        return parent
    }

    private func isInScope(_ line: Line) -> Bool {
        scope.map(line.ids.contains) ?? true
    }

    private func create(
        _ planned: PlannedRow, _ row: Int64, number: Int64, below parent: Parent?
    ) throws -> Parent {
        var details = Details(
            title: try accept(
                planned.path.last ?? "", field: ImportColumns.Header.title, as: Title.init(_:field:)
            ),
            description: Description(stored: ""),
            category: parent?.category ?? .businessCompany,
            categorySource: parent == nil ? .fallback : .inherited,
            country: parent?.country ?? "")
        try planned.change(&details)
        try require(details.discount, insteadOf: .none, row)
        let node = Node(
            id: identifiers.next(), number: number, parent: parent?.number,
            depth: (parent?.depth ?? 0) + 1, standing: .present, isActivated: true,
            details: details, origin: .bulkImport, members: 0, createdAt: now, updatedAt: now,
            version: 1, archival: nil)
        try transaction.insert(node, below: parent?.id, by: creator)
        try transaction.note(number, madeBy: row, of: importID)
        try replaceMasks(planned, of: node.id)
        return Parent(
            id: node.id, number: number, depth: node.depth, category: details.category,
            country: details.country)
    }

    private func update(_ planned: PlannedRow, _ row: Int64) throws {
        guard let before = try transaction.node(numbered: planned.number),
            before.standing == .present, before.version == planned.version,
            isInScope(try transaction.line(of: before, on: now.day))
        else { throw Self.stale(row, "The organization has changed since.") }
        var node = before
        try planned.change(&node.details)
        try require(node.details.discount, insteadOf: before.details.discount, row)
        let parent = try before.parent.flatMap { try transaction.node(numbered: $0)?.id }
        _ = try transaction.update(node, from: before, below: parent, at: now)
        try replaceMasks(planned, of: node.id)
    }

    /// Refuses a discount whose last day has passed since the plan was made.
    private func require(
        _ discount: MemberDiscount, insteadOf kept: MemberDiscount, _ row: Int64
    ) throws {
        guard discount.until != kept.until, discount.isExpired(on: now.day) else { return }
        throw Self.stale(row, "The last day of the discount is over by now.")
    }

    private func replaceMasks(_ planned: PlannedRow, of id: OrganizationID) throws {
        guard let masks = planned.emailMasks else { return }
        try transaction.replaceJoinMasks(
            of: id, with: masks.split(separator: " ").map(String.init), by: creator, at: now)
    }
}

extension PlannedRow {
    /// Changes what the row says of an organization.
    fileprivate func change(_ details: inout Details) throws {
        if let percentage = discountPercentage { details.discount.basisPoints = Int(percentage) }
        if let day = discountExpirationDate {
            details.discount.until = try accept(
                day, field: ImportColumns.Header.expiration, as: CalendarDay.optional)
        }
    }
}
