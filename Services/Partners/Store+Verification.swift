import Access
import Encodings
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// What this service keeps beside the facts it follows from, each recomputed.
let verifiers = [
    TreeCopy.verifier, totals, fulfilments,
    Verifier.feed(of: Messages.Sale.messageName, facts: "SELECT id, version FROM sale") {
        "Sale \(Hexadecimal.text($0))"
    },
]

/// The amounts of each sale, from its lines and its discount.
private let totals = Verifier("totals of sales") { snapshot, findings in
    try snapshot.forEachSale { sale in
        findings.check()
        guard let amounts = sale.amounts else { return }
        let lines = sale.lines.compactMap { line in
            line.price.map { (quantity: line.quantity, price: $0) }
        }
        let expected = try? Amounts(lines, discount: amounts.discount)
        if lines.count != sale.lines.count || expected != amounts {
            findings.differ(
                """
                Sale \(sale.id) says \(amounts.listTotalMinor) and \
                \(amounts.distributionTotalMinor); its lines come to \
                \(expected?.listTotalMinor ?? 0) and \(expected?.distributionTotalMinor ?? 0).
                """)
        }
    }
}

/// What became of each sale, from the workflow that fulfils it.
private let fulfilments = Verifier("sales and their workflows") { snapshot, findings in
    try snapshot.forEachSale { sale in
        guard let id = sale.workflow else { return }
        findings.check()
        let workflow = try snapshot.workflow(id.bytes)
        let isRight =
            switch (sale.state, workflow?.state) {
            case (.approved, .running), (.approved, .compensating): true
            // Workflows that ended long ago are gone.
            case (.fulfilled, .done), (.fulfilled, nil): true
            case (.approved, _), (.fulfilled, _): false
            // Refused: it was a draft again from then on.
            case (_, .aborted), (_, nil): true
            case (_, _): false
            }
        if !isRight {
            let state = workflow.map { "\($0.state)" } ?? "not there"
            findings.differ("Sale \(sale.id) is \(sale.state); its workflow is \(state).")
        }
    }
}

extension Snapshot {
    fileprivate func forEachSale(_ body: (Sale) throws -> Void) throws {
        try forEachRow(of: "SELECT id FROM sale ORDER BY id") { row in
            if let sale = try sale(row.identifier(0)) { try body(sale) }
            return true
        }
    }
}
