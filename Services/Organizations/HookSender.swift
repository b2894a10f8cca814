import Access
import CoreMetrics
import Logging
import ServiceKit
import Storage
import Webhooks

/// Sends the calls of hooks, at least once each, several at a time.
///
/// It is the only one that does: a second one would send everything twice.
struct HookSender: Sendable {
    /// The pause after a failure of the database.
    static let failurePause: Duration = .seconds(2)
    /// The longest pause after what has become of a call could not be written.
    static let notePauseMax: Duration = .seconds(300)

    let database: Database
    let clock: WallClock
    let logger: Logger
    /// Sends a call, as ``WebhookTransport/send(_:)`` does.
    let send: @Sendable (WebhookCall) async -> WebhookOutcome
    var pace = HookPace()
    private let counters = HookCounters()

    /// - Parameters:
    ///   - database: Has the hooks and their calls.
    ///   - clock: Tells the time of day.
    ///   - logger: Told of what fails.
    ///   - send: Sends a call.
    ///   - pace: How often calls are sent.
    init(
        database: Database, clock: WallClock, logger: Logger,
        send: @escaping @Sendable (WebhookCall) async -> WebhookOutcome, pace: HookPace = HookPace()
    ) {
        (self.database, self.clock, self.logger) = (database, clock, logger)
        (self.send, self.pace) = (send, pace)
    }

    /// What is under way, and where the next look for calls begins: each hook has its turn.
    private struct Progress {
        var calls: Set<HookCall> = []
        var lastHook: Int64 = 0

        func count(ofHook hook: HookID) -> Int { calls.count { $0.hook.id == hook } }

        func count(ofOrganization organization: Int64) -> Int {
            calls.count { $0.hook.organization == organization }
        }
    }

    /// Sends until it is cancelled.
    func run() async throws {
        try await work(whileDue: false)
    }

    /// Sends what is due, and ends when nothing is.
    func sendDue() async throws {
        try await work(whileDue: true)
    }

    private func work(whileDue: Bool) async throws {
        try await withThrowingTaskGroup(of: HookCall?.self) { group in
            defer { group.cancelAll() }
            var progress = Progress()
            let period = pace.period
            if !whileDue { group.addTask { try await Self.tick(after: period) } }
            while true {
                for call in try await next(&progress) {
                    group.addTask {
                        try await attempt(call)
                        return call
                    }
                }
                guard !whileDue || !progress.calls.isEmpty else { return }
                if let done = try await group.next() ?? nil {
                    progress.calls.remove(done)
                } else {
                    group.addTask { try await Self.tick(after: period) }
                }
            }
        }
    }

    private static func tick(after period: Duration) async throws -> HookCall? {
        try await Task.sleep(for: period)
        return nil
    }

    /// The calls to begin now, as far as there is room; they count as under way.
    private func next(_ progress: inout Progress) async throws -> [HookCall] {
        var chosen: [HookCall] = []
        do {
            while progress.calls.count < pace.callsMax {
                let found = try await due(progress)
                guard !found.isEmpty else { break }
                for call in found where progress.calls.count < pace.callsMax {
                    progress.calls.insert(call)
                    progress.lastHook = call.hook.number
                    chosen.append(call)
                }
            }
        } catch let fault as StorageFault {
            logger.warning("calls of hooks not sent", metadata: ["error": "\(fault)"])
            try await Task.sleep(for: Self.failurePause)
        }
        return chosen
    }

    /// One call of each of the next hooks that have one due, the hooks after the last first, and as
    /// many of an organization as may begin.
    private func due(_ progress: Progress) async throws -> [HookCall] {
        let now = clock.now()
        // Those at their limit are found as well, and those of organizations at theirs.
        let limit =
            2 * pace.callsMax + pace.callsMax / pace.callsOfOrganizationMax * HookPace.hooksMax
        return try await database.read { [pace] snapshot in
            func calls(after number: Int64) throws -> [HookCall] {
                var found: [HookCall] = []
                var begun: [Int64: Int] = [:]
                // In an organization chance gives the turns: else its first hooks had all of them.
                let hooks = try snapshot.hooksDue(at: now, after: number, limit: limit)
                for hook in hooks.shuffled() {
                    let ofHook = progress.count(ofHook: hook.id)
                    let ofOrganization =
                        progress.count(ofOrganization: hook.organization)
                        + begun[hook.organization, default: 0]
                    guard ofHook < pace.callsOfHookMax,
                        ofOrganization < pace.callsOfOrganizationMax,
                        let call = try snapshot.callsDue(ofHook: hook, at: now, limit: ofHook + 1)
                            .first(where: { due in
                                !progress.calls.contains { $0.id == due.id }
                            })
                    else { continue }
                    found.append(call)
                    begun[hook.organization, default: 0] += 1
                }
                return found.sorted { $0.hook.number < $1.hook.number }
            }
            let rest = try calls(after: progress.lastHook)
            return rest.isEmpty && progress.lastHook > 0 ? try calls(after: 0) : rest
        }
    }

    /// Sends a call and notes what has become of it.
    private func attempt(_ call: HookCall) async throws {
        let outcome = await send(
            WebhookCall(
                id: call.id.text, url: call.url, body: Array(call.body.utf8),
                seconds: clock.now().microseconds / 1_000_000, secret: call.secret))
        let now = clock.now()
        let metadata: Logger.Metadata = [
            "call": "\(call.id)", "hook": "\(call.hook.id)", "tries": "\(call.tries + 1)",
        ]
        switch outcome {
        case .cancelled: throw CancellationError()
        case .answered(let status, _) where (200..<300).contains(status):
            logger.debug("hook called", metadata: metadata)
            try await write { try $0.noteDelivered(call, status: status, at: now) }
            counters.delivered.increment()
        case .answered(let status, let retryAfter):
            logger.debug("hook refused a call", metadata: metadata)
            let miss = HookMiss(status: status, retryAfter: retryAfter)
            try await note(call, miss, at: now)
        case .unanswered(let reason):
            logger.debug("hook does not answer", metadata: metadata)
            try await note(call, HookMiss(reason: reason), at: now)
        }
    }

    /// Notes a call that did not arrive, and switches its hook off where nothing does any more.
    ///
    /// A hook that was changed meanwhile is left as it is: the call went where it led before.
    private func note(
        _ call: HookCall, _ miss: HookMiss, at now: WallTime
    ) async throws {
        let isOff = try await write { [pace] transaction in
            var generator = SystemRandomNumberGenerator()
            let hook = try transaction.hookUnchanged(since: call)
            let isGone = miss.status == 410 && hook != nil
            let tries = call.tries + 1
            let pause =
                isGone ? nil : pace.pause(after: tries, asked: miss.pause, using: &generator)
            try transaction.noteMissed(
                call, status: miss.status, because: miss.reason,
                until: pause.map(now.advanced(by:)), at: now)
            guard let hook else { return false }
            let (failures, since) = try transaction.noteFailure(ofHook: hook, at: now)
            if isGone {
                try transaction.switchOff(hook: hook, because: miss.reason, at: now)
                return true
            }
            if pace.endsHook(after: since.duration(to: now), failures: failures, tries: tries) {
                let days = pace.silenceMax.components.seconds / 86_400
                try transaction.switchOff(
                    hook: hook, because: "Nothing has arrived for \(days) days. \(miss.reason)",
                    at: now)
                return true
            }
            if miss.isSilent {
                let pause = pace.hookPause(after: failures, using: &generator)
                try transaction.pause(
                    hook: hook, until: now.advanced(by: pause),
                    asked: miss.pause.map { now.advanced(by: pace.granted($0)) })
            }
            return false
        }
        counters.failed.increment()
        if isOff {
            logger.notice("hook switched off", metadata: ["hook": "\(call.hook.id)"])
        }
    }

    /// Writes what has become of a call, however often that has to be tried: one whose end is not
    /// written is sent again.
    private func write<Value: Sendable>(
        _ job: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        var pause = Self.failurePause
        while true {
            do {
                // A task of its own: in one that is cancelled nothing is written.
                return try await Task { [database] in try await database.write(job) }.value
            } catch {
                logger.error(
                    "what has become of a hook's call is not written",
                    metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: pause)
            pause = min(Self.notePauseMax, pause * 2)
        }
    }
}

/// Why a call did not arrive.
private struct HookMiss: Sendable {
    /// The HTTP status; 0: there was no answer.
    let status: Int
    /// A sentence.
    let reason: String
    /// How long the receiver asks to be left alone.
    let pause: Duration?

    init(status: Int, retryAfter: Duration?) {
        self.status = status
        reason = "The receiver answered \(status)."
        // Of other answers RFC 9110 says nothing that a call that is sent again could heed.
        pause = status == 429 || status == 503 ? retryAfter : nil
    }

    init(reason: String) {
        (status, self.reason, pause) = (0, reason, nil)
    }

    /// Whether other calls would end in the same way for now.
    var isSilent: Bool { status == 0 || status >= 500 || status == 429 }
}

/// What a backend of metrics is told, if the process has one: attempts, whatever becomes of the
/// calls.
private struct HookCounters: Sendable {
    let delivered = Counter(label: "hook_attempts_delivered_total", factory: MetricsSystem.factory)
    let failed = Counter(label: "hook_attempts_failed_total", factory: MetricsSystem.factory)
}
