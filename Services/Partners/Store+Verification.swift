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
    Verifier.feed(of: Messages.Module.messageName, facts: "SELECT id, version FROM module") {
        "Module \(Hexadecimal.text($0))"
    },
    Verifier.feed(of: Messages.Course.messageName, facts: "SELECT id, version FROM course") {
        "Course \(Hexadecimal.text($0))"
    },
    Verifier.feed(
        of: OrganizationModuleSet.messageName,
        facts: "SELECT organization_id, version FROM organization_modules"
    ) { "The modules of organization \(Hexadecimal.text($0))" },
    Verifier.feed(
        of: Messages.Subscription.messageName, facts: "SELECT id, version FROM subscription"
    ) { "Subscription \(Hexadecimal.text($0))" },
    periods,
]

/// Until when each subscription is paid, from its payments.
private let periods = Verifier(
    "periods of subscriptions", count: "SELECT count(*) FROM subscription",
    differences: """
        SELECT hex(subscription.id), coalesce(subscription.period_end || '', 'nothing'),
            coalesce(max(payment.period_end) || '', 'nothing')
        FROM subscription LEFT JOIN payment ON payment.subscription_id = subscription.id
        GROUP BY subscription.id
        HAVING subscription.period_end IS NOT max(payment.period_end)
        """
) { row in
    """
    Subscription \(try row.text(0)) is paid until day \(try row.text(1)); its payments say \
    \(try row.text(2)).
    """
}

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
