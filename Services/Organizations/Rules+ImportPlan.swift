import Access
import ServiceKit

/// What is there of an organization that an import meets.
struct ImportedOrganization: Sendable, Hashable {
    let number: Int64
    let version: Int64
    /// Whether it is active by itself, on the day of the plan.
    let isActive: Bool
    /// The domains by which people join it, in order.
    let emailMasks: [String]
    let discount: MemberDiscount
}

/// Where the first column of a file stands.
enum ImportTop: Sendable, Hashable {
    /// The first column names roots.
    case roots
    /// The first column names this organization, and nothing else.
    case organization(Int64, titleKey: String, depth: Int, isActive: Bool)

    /// The depth of what the first column names.
    var depth: Int {
        switch self {
        case .roots: 1
        case .organization(_, _, let depth, _): depth
        }
    }
}

/// What becomes of a row.
enum ImportOutcome: Int, Sendable {
    case created = 1
    case updated = 2
    case unchanged = 3
    case error = 4
}

/// A value that a row would change, old and new as people read them.
struct ImportDifference: Sendable, Hashable {
    let field: String
    let old: String
    let new: String
}

/// A row with what becomes of it.
struct PlannedLine: Sendable, Hashable {
    var line: ImportLine
    var outcome: ImportOutcome
    /// The organization, when it is there.
    var organization: ImportedOrganization?
    /// The parent of one to create: there, or made by another row; neither for a root.
    var parentNumber: Int64?
    var parentRow: Int?
    var differences: [ImportDifference] = []
}

/// What a plan asks of what is there.
protocol ImportSource {
    /// The organization under a parent, or at the root, with a title.
    func organization(below parent: Int64?, titleKey: String) throws -> ImportedOrganization?
    /// The organization with a number.
    func organization(numbered number: Int64) throws -> ImportedOrganization?
    /// Whether no two organizations of the whole platform share a title.
    var areTitlesUniqueEverywhere: Bool { get }
    /// Whether an organization at any place has a title.
    func isTakenEverywhere(titleKey: String) throws -> Bool
    /// The number of the organization that people join by a domain.
    func owner(ofEmailMask value: String) throws -> Int64?
}

extension ImportSource {
    /// Whether a title that must be unique on the whole platform is taken, there or in the file.
    fileprivate func isTakenEverywhere(
        titleKey: String, or made: inout Set<String>?
    ) throws -> Bool {
        guard made != nil else { return false }
        let isMade = made?.insert(titleKey).inserted == false
        return try isMade || isTakenEverywhere(titleKey: titleKey)
    }
}

/// Compares the rows of a file with what is there.
struct ImportPlanner<Source: ImportSource> {
    let source: Source
    let top: ImportTop
    /// The day by which days are judged to be over.
    let day: CalendarDay
    /// The most email masks of one organization.
    let emailMasksMax: Int

    /// An organization of the file or above it.
    private final class Place {
        var organization: ImportedOrganization?
        var row: Int?
        /// Whether nothing may be made below: it, or one above it, is not active.
        var isClosed = false
        var children: [String: Place] = [:]
    }

    /// Plans rows in any order: parents are looked at before their children.
    ///
    /// - Parameters:
    ///   - lines: The rows.
    ///   - advance: Told after each row; throwing ends the work.
    /// - Returns: The rows in the order of the file.
    /// - Throws: What the source or `advance` throws.
    func plan(
        _ lines: [ImportLine], advance: () throws -> Void = {}
    ) throws -> [PlannedLine] {
        var planned = lines.map { PlannedLine(line: $0, outcome: .error) }
        markDuplicates(&planned)
        let roots = Place()
        if case .organization(_, _, _, isActive: false) = top { roots.isClosed = true }
        var owners: [String: Int] = [:]
        var made: Set<String>? = source.areTitlesUniqueEverywhere ? [] : nil
        let order = planned.indices.sorted { one, other in
            let (left, right) = (planned[one].line, planned[other].line)
            return left.path.count == right.path.count
                ? left.row < right.row : left.path.count < right.path.count
        }
        for index in order {
            try advance()
            guard planned[index].line.faults.isEmpty else { continue }
            try place(&planned[index], below: roots)
            try claimEmailMasks(&planned[index], &owners)
            if planned[index].organization == nil, let key = planned[index].line.path.last?.key,
                try source.isTakenEverywhere(titleKey: key, or: &made)
            {
                planned[index].fail(
                    "name_taken", "An organization with this title is there, or made by this file.")
            }
            planned[index].decide(emailMasksMax, on: day)
            if planned[index].outcome == .created {
                note(planned[index], below: roots)
            }
        }
        return planned
    }

    private func markDuplicates(_ planned: inout [PlannedLine]) {
        var rows: [[String]: [Int]] = [:]
        for (index, line) in planned.enumerated() where line.line.hasPath {
            rows[line.line.path.map(\.key), default: []].append(index)
        }
        for indices in rows.values where indices.count > 1 {
            let numbers = indices.map { String(planned[$0].line.row) }.prefix(10)
            for index in indices {
                planned[index].fail(
                    "duplicate_row",
                    "Rows \(numbers.joined(separator: ", ")) name the same organization.")
            }
        }
    }

    /// Finds the organization of a row, or its parent.
    private func place(_ planned: inout PlannedLine, below roots: Place) throws {
        let path = planned.line.path
        if case .organization(_, let titleKey, _, _) = top, path[0].key != titleKey {
            planned.fail(
                "out_of_scope",
                "The first column must name the organization for which the file is imported.")
            return
        }
        guard top.depth + path.count - 1 <= Line.depthMax else {
            planned.fail(
                "depth_exceeded",
                "Organizations can be nested at most \(Line.depthMax) levels deep.")
            return
        }
        var above = roots
        for (level, title) in path.enumerated() {
            let here = try child(of: above, level: level, titled: title.key)
            if level == path.count - 1 {
                planned.organization = here.organization
                if here.organization == nil, above.isClosed {
                    planned.fail(
                        "org_not_active", "The organization above, or one above it, is not active.")
                }
                planned.parentNumber = above.organization?.number
                planned.parentRow = above.row
            } else if here.organization == nil, here.row == nil {
                planned.fail(
                    "parent_not_found",
                    "“\(title.text)” is neither there nor made by a row of this file.",
                    column: ImportColumns.Header.level(level + 1))
                return
            }
            above = here
        }
    }

    private func child(of above: Place, level: Int, titled key: String) throws -> Place {
        if let known = above.children[key] { return known }
        let found = Place()
        if level == 0, case .organization(let number, _, _, _) = top {
            found.organization = try source.organization(numbered: number)
        } else if level == 0 || above.organization != nil {
            found.organization = try source.organization(
                below: above.organization?.number, titleKey: key)
        }
        found.isClosed = above.isClosed || found.organization?.isActive == false
        above.children[key] = found
        return found
    }

    /// Notes that a row makes its organization.
    private func note(_ planned: PlannedLine, below roots: Place) {
        var place = roots
        for title in planned.line.path {
            guard let next = place.children[title.key] else { return }
            place = next
        }
        place.row = planned.line.row
    }

    /// Finds out whether the domains of a row are free.
    private func claimEmailMasks(
        _ planned: inout PlannedLine, _ owners: inout [String: Int]
    ) throws {
        guard planned.line.faults.isEmpty, case .set(let values) = planned.line.emailMasks else {
            return
        }
        for value in values {
            let owner = try source.owner(ofEmailMask: value)
            let isOthers = owner != nil && owner != planned.organization?.number
            let row = owners[value]
            if isOthers || row != nil {
                planned.fail(
                    "email_mask_taken",
                    row.map { "Row \($0) has the email domain \(value), too." }
                        ?? "The email domain \(value) is already in use.",
                    column: ImportColumns.Header.emailMask)
            } else {
                owners[value] = planned.line.row
            }
        }
    }
}

extension PlannedLine {
    fileprivate mutating func fail(_ code: String, _ sentence: String, column: String = "") {
        line.faults.append(ImportProblem(code: code, column: column, sentence: sentence))
    }

    /// Compares what the row wants with what is there.
    fileprivate mutating func decide(_ emailMasksMax: Int, on day: CalendarDay) {
        if case .set(let values) = line.emailMasks, values.count > emailMasksMax {
            fail(
                "too_many_email_masks",
                "An organization may have at most \(emailMasksMax) email masks.",
                column: ImportColumns.Header.emailMask)
        }
        guard line.faults.isEmpty else { return }
        let masks = organization?.emailMasks ?? []
        let discount = organization?.discount ?? .none
        checkDiscount(discount, on: day)
        guard line.faults.isEmpty else { return }
        compare(
            "email_masks", masks.joined(separator: "; "),
            line.emailMasks.text { $0.joined(separator: "; ") })
        compare(
            "discount_percentage", discount.basisPoints.map(Percentage.text) ?? "",
            line.basisPoints.text(Percentage.text))
        compare(
            "discount_expiration_date", discount.until?.text ?? "",
            line.expiration.text(\.text))
        outcome =
            organization == nil ? .created : differences.isEmpty ? .unchanged : .updated
    }

    /// Finds out whether the discount that the row makes of the one that is there can be.
    ///
    /// What stays as it is may be over, or lack a percentage: an export of it changes nothing.
    private mutating func checkDiscount(_ kept: MemberDiscount, on day: CalendarDay) {
        // A last day is one of a discount: it goes with it.
        if line.basisPoints == .cleared, line.expiration == .unchanged, kept.until != nil {
            line.expiration = .cleared
        }
        let basisPoints = line.basisPoints.value(keeping: kept.basisPoints)
        let until = line.expiration.value(keeping: kept.until)
        if let until, until < day, until != kept.until {
            fail(
                "date_in_past", "The last day of the discount, \(until.text), is over.",
                column: ImportColumns.Header.expiration)
        }
        let isKept = basisPoints == kept.basisPoints && until == kept.until
        if until != nil, basisPoints == nil, !isKept {
            fail(
                "percent_missing", "A discount with a last day needs a percentage.",
                column: ImportColumns.Header.percentage)
        }
    }

    private mutating func compare(_ field: String, _ old: String, _ new: String?) {
        guard let new, new != old else { return }
        differences.append(ImportDifference(field: field, old: old, new: new))
    }
}

extension ImportValue {
    /// The value after the change.
    func value(keeping kept: Value?) -> Value? {
        switch self {
        case .unchanged: kept
        case .cleared: nil
        case .set(let value): value
        }
    }

    /// What would stand there; nil when nothing changes.
    func text(_ words: (Value) -> String) -> String? {
        switch self {
        case .unchanged: nil
        case .cleared: ""
        case .set(let value): words(value)
        }
    }
}

/// Percentages as people read them.
enum Percentage {
    /// Hundredths of a percent as `15%` or `15.25%`.
    static func text(_ basisPoints: Int) -> String { "\(number(basisPoints))%" }

    /// Hundredths of a percent as `15` or `15.25`.
    static func number(_ basisPoints: Int) -> String {
        let (whole, rest) = basisPoints.quotientAndRemainder(dividingBy: 100)
        guard rest != 0 else { return "\(whole)" }
        let digits = rest < 10 ? "0\(rest)" : rest % 10 == 0 ? "\(rest / 10)" : "\(rest)"
        return "\(whole).\(digits)"
    }
}
