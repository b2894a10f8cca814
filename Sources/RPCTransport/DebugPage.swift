import RPC

/// What a server does now, as text for a person.
struct DebugPage: Sendable {
    /// More connections are left out.
    static let connectionsMax = 1_000

    let server: ServerReport
    let connections: [ConnectionReport]
    let methods: [MethodReport]

    init(_ core: ServerCore) async {
        methods = await core.methodReports()
        server = await core.report(methods)
        connections = await core.connectionReports()
    }

    init(server: ServerReport, connections: [ConnectionReport], methods: [MethodReport]) {
        self.server = server
        self.connections = connections
        self.methods = methods
    }

    var text: String {
        var lines = summary + [""] + methodLines + [""] + connectionLines + ["", "limits"]
        for limit in server.limits {
            switch limit.value {
            case .count(let count): lines.append("  \(limit.name) \(count)")
            case .time(let time): lines.append("  \(limit.name) \(Self.words(time))")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var summary: [String] {
        [
            "\(Self.printable(server.agent)), up \(Self.words(server.age))"
                + (server.isDraining ? ", draining" : ""),
            "  \(server.threads) threads, \(server.connections) connections, "
                + "\(server.handshakes) of them shaking hands",
            "  \(server.callsSuspended) calls suspended, "
                + "\(server.callsQueued) waiting for a place, \(server.streamsOpen) streams open",
            "  \(server.callsBegun) calls begun, \(server.callsSucceeded) succeeded, "
                + "\(server.callsFailed) failed, "
                + "\(server.callsOfUnknownMethods) of unknown methods",
        ]
    }

    private var methodLines: [String] {
        let called = methods.filter { $0.begun > 0 }
        return ["methods called"] + called.flatMap { Self.lines(of: $0) }
    }

    private static func lines(of method: MethodReport) -> [String] {
        var counts = "    \(method.begun) begun, \(method.succeeded) succeeded, "
        counts += "\(method.inFlight) in flight"
        for (code, count) in method.failed.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            counts += ", \(count) \(code)"
        }
        if let concurrency = method.concurrency {
            counts += ", \(concurrency.suspended) of \(concurrency.max) suspended"
        }
        var lines = ["  \(printable(method.path))", counts]
        let latency = method.latency
        if latency.count > 0 {
            let bounds = [0.5, 0.9, 0.99].map { share in
                "p\(Int(share * 100)) " + bound(latency.bound(below: share))
            }
            let mean = latency.sum / Int(clamping: latency.count)
            lines.append("    mean \(words(mean)), " + bounds.joined(separator: ", "))
            let buckets = latency.counts.enumerated().filter { $0.element > 0 }.map { at, count in
                let isLast = at == LatencyHistogram.bounds.count
                return bound(isLast ? nil : LatencyHistogram.bounds[at]) + " \(count)"
            }
            lines.append("    times: " + buckets.joined(separator: ", "))
        }
        lines += method.slow.map { "    slow: " + line(of: $0) }
        lines += method.failures.map { "    failed: " + line(of: $0) }
        return lines
    }

    private static func line(of call: MethodReport.Call) -> String {
        let sentence = call.message.isEmpty ? "" : ": " + printable(call.message)
        return "\(words(call.age)) ago, took \(words(call.duration)), \(call.code)" + sentence
    }

    private var connectionLines: [String] {
        let shown = connections.prefix(Self.connectionsMax).map { connection in
            let identity = connection.peer.identity.map { " \($0)" } ?? ""
            return "  #\(connection.number) \(Self.printable(connection.peer.description))"
                + "\(identity), \(connection.phase.rawValue), \(Self.words(connection.age)) old, "
                + "\(connection.callsInFlight) calls, \(connection.bytesReceived) bytes in, "
                + "\(connection.bytesSent) out"
        }
        let rest = connections.count - shown.count
        return ["connections"] + shown + (rest > 0 ? ["  and \(rest) more"] : [])
    }

    private static func bound(_ bound: Duration?) -> String {
        if let bound { return "≤" + words(bound) }
        return ">" + words(LatencyHistogram.bounds.last ?? .zero)
    }

    /// A duration with about three digits.
    static func words(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        guard seconds < 600 else {
            return seconds < 36_000 ? "\(seconds / 60) min" : "\(seconds / 3_600) h"
        }
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        let (unit, name): (Int64, String) =
            switch nanoseconds {
            case ..<1_000_000: (1_000, "µs")
            case ..<1_000_000_000: (1_000_000, "ms")
            default: (1_000_000_000, "s")
            }
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: unit)
        let tenths = rest * 10 / unit
        return whole >= 100 || tenths == 0 ? "\(whole) \(name)" : "\(whole).\(tenths) \(name)"
    }

    /// Text from elsewhere without what a terminal would obey.
    static func printable(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse:
                Unicode.Scalar(UInt8(ascii: "?"))
            default: scalar
            }
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
