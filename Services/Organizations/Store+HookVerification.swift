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

/// How many calls wait for each hook.
let waitingHookCalls = Verifier(
    "waiting calls of hooks", count: "SELECT count(*) FROM hook",
    differences: """
        SELECT hex(h.id), h.waiting, count(d.number)
        FROM hook AS h LEFT JOIN hook_delivery AS d ON d.hook = h.number AND d.state = 1
        GROUP BY h.number HAVING h.waiting <> count(d.number)
        """
) { row in
    """
    Of hook \(try row.text(0)) \(try row.int64(1)) calls are said to wait; \(try row.int64(2)) do.
    """
}
