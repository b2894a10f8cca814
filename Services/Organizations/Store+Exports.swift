import Access
import ServiceKit
import Storage

/// Goes through organizations from the top down, each before what hangs below it, by title.
struct ExportWalk: Sendable {
    private static let childrenAtOnce = 200

    /// A level of the way down.
    private struct Step: Sendable {
        let parent: Int64?
        let path: [String]
        var place = ListPlace.start(of: byTitle)
        var waiting: ArraySlice<Node> = []
        var isDone = false
    }

    private static let byTitle = ListOrder(key: .title, isDescending: false)
    private var steps: [Step]

    /// A walk that begins with what the first column of a file names.
    init(from top: ImportTop, in reading: some Reading) throws {
        switch top {
        case .roots: steps = [Step(parent: nil, path: [])]
        case .organization(let number, _, _, _):
            let node = try reading.node(numbered: number)
            steps = [
                Step(parent: nil, path: [], waiting: node.map { [$0] } ?? [], isDone: true)
            ]
        }
    }

    /// The next organizations; fewer than asked for at the end.
    mutating func next(_ limit: Int, in reading: some Reading) throws -> [ExportRow] {
        var rows: [ExportRow] = []
        while rows.count < limit, !steps.isEmpty {
            guard let node = try take(in: reading) else {
                steps.removeLast()
                continue
            }
            let path = steps[steps.count - 1].path + [node.details.title.text]
            steps.append(Step(parent: node.number, path: path))
            rows.append(
                ExportRow(
                    path: path, emailMasks: try reading.joinMasks(of: node.id),
                    basisPoints: node.details.discount.basisPoints,
                    until: node.details.discount.until,
                    facts: ExportRow.Facts(
                        id: node.id, members: node.members, updatedAt: node.updatedAt)))
        }
        return rows
    }

    private mutating func take(in reading: some Reading) throws -> Node? {
        let last = steps.count - 1
        if steps[last].waiting.isEmpty, !steps[last].isDone {
            let nodes = try reading.rows(
                Statements.children(
                    of: steps[last].parent, in: Self.byTitle, after: steps[last].place,
                    limit: Self.childrenAtOnce), Node.init(row:))
            steps[last].waiting = nodes[...]
            steps[last].isDone = nodes.count < Self.childrenAtOnce
            if let node = nodes.last { steps[last].place = ListPlace(node, by: .title) }
        }
        return steps[last].waiting.popFirst()
    }
}

extension Reading {
    /// How many levels there are from what the first column of a file names.
    func height(below top: ImportTop) throws -> Int {
        switch top {
        case .roots:
            try row(
                """
                WITH RECURSIVE down (number, level) AS (
                    SELECT number, 1 FROM organization WHERE parent IS NULL AND standing = 1
                    UNION ALL
                    SELECT o.number, down.level + 1
                    FROM down JOIN organization AS o ON o.parent = down.number
                    WHERE o.standing = 1 AND down.level < 10
                )
                SELECT max(level) FROM down LIMIT 1
                """
            ) { try $0.isNull(0) ? 1 : $0.int(0) } ?? 1
        case .organization(let number, _, _, _):
            try row(
                """
                WITH RECURSIVE down (number, level) AS (
                    SELECT number, 1 FROM organization WHERE number = \(number)
                    UNION ALL
                    SELECT o.number, down.level + 1
                    FROM down JOIN organization AS o ON o.parent = down.number
                    WHERE o.standing = 1 AND down.level < 10
                )
                SELECT max(level) FROM down LIMIT 1
                """
            ) { try $0.isNull(0) ? 1 : $0.int(0) } ?? 1
        }
    }
}
