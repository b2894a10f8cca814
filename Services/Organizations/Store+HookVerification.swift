import Storage

/// The calls of hooks: what each of them tells is there.
let hookCalls = Verifier(
    "calls of hooks", count: "SELECT count(*) FROM hook_delivery",
    differences: """
        SELECT hex(d.id), d.event FROM hook_delivery AS d
        WHERE NOT EXISTS (SELECT 1 FROM hook_event AS e WHERE e.number = d.event)
        """
) { row in
    "Call \(try row.text(0)) tells of event \(try row.int64(1)), which is not there."
}
