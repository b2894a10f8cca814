import RPC
import Synchronization

/// Makes calls, a bounded number at a time, and measures each.
struct LoadGenerator: Sendable {
    /// When calls are begun.
    enum Pace: Sendable, Hashable {
        /// Each caller calls again as soon as it was answered.
        case closed
        /// So many calls a second are due, whether the server keeps up or not.
        ///
        /// The latency of a call counts from the instant at which it was due: a server that stops
        /// for a second delays all calls that were due in it, and the percentiles say so.
        case open(callsPerSecond: Double)
    }

    /// Callers that run at the same time; each waits for its answer before it calls again.
    let callers: Int
    let pace: Pace
    let duration: Duration
    /// Calls made before measuring begins, so that connections stand and caches are warm.
    let warmUp: Duration
    /// The threads of the connections; a caller on the thread of its connection saves two changes
    /// of thread a call.
    let executors: [any TaskExecutor]

    /// Makes a call.
    ///
    /// - Parameters:
    ///   - caller: The number of the caller, from 0.
    ///   - number: A number that no other call of the run has, from 0.
    typealias Call = @Sendable (_ caller: Int, _ number: Int) async throws -> Void

    /// The pause of a caller whose call has failed: one that fails at once would otherwise take the
    /// thread on which the others are answered.
    static let failurePause: Duration = .milliseconds(1)

    /// Runs the load.
    func run(_ call: @escaping Call) async -> LoadReport {
        let start = ContinuousClock.now
        let begin = start.advanced(by: warmUp)
        let run = LoadRun(
            call: call, start: start, begin: begin, end: begin.advanced(by: duration))
        var report = LoadReport()
        await withTaskGroup(of: LoadReport.self) { group in
            for caller in 0..<callers {
                group.addTask(executorPreference: executors[caller % executors.count]) {
                    switch pace {
                    case .closed: await run.callAgainAndAgain(caller)
                    case .open(let rate): await run.callWhenDue(caller, every: .seconds(1) / rate)
                    }
                }
            }
            for await part in group { report.add(part) }
        }
        report.elapsed = duration
        if case .open(let rate) = pace {
            report.missed += run.undrawn(every: .seconds(1) / rate)
        }
        return report
    }
}

/// One run of a load, shared by its callers.
private final class LoadRun: Sendable {
    let call: LoadGenerator.Call
    let start: ContinuousClock.Instant
    let begin: ContinuousClock.Instant
    let end: ContinuousClock.Instant
    private let numbers = Atomic<Int>(0)

    init(
        call: @escaping LoadGenerator.Call, start: ContinuousClock.Instant,
        begin: ContinuousClock.Instant, end: ContinuousClock.Instant
    ) {
        self.call = call
        self.start = start
        self.begin = begin
        self.end = end
    }

    private func nextNumber() -> Int { numbers.wrappingAdd(1, ordering: .relaxed).oldValue }

    func callAgainAndAgain(_ caller: Int) async -> LoadReport {
        var report = LoadReport()
        var started = ContinuousClock.now
        while started < end {
            let failure = await failure(of: caller, nextNumber())
            let answered = ContinuousClock.now
            if started >= begin {
                report.record(failure, latency: started.duration(to: answered))
            }
            guard failure != nil else {
                started = answered
                continue
            }
            // Never cancelled: a run ends by its time.
            try? await Task.sleep(for: LoadGenerator.failurePause)
            started = .now
        }
        return report
    }

    func callWhenDue(_ caller: Int, every interval: Duration) async -> LoadReport {
        var report = LoadReport()
        while true {
            let number = nextNumber()
            let due = start.advanced(by: interval * number)
            guard due < end else { return report }
            if due > .now {
                // Never cancelled: a run ends by its time.
                try? await Task.sleep(until: due, tolerance: .zero, clock: .continuous)
            }
            let started = ContinuousClock.now
            // Every caller was busy for too long: what was due is begun no more.
            guard started < end else {
                report.missed += 1
                return report
            }
            let failure = await failure(of: caller, number)
            let answered = ContinuousClock.now
            // Also what was due in the warm-up and came late: a backlog is what is to be seen.
            guard answered >= begin else { continue }
            report.record(failure, latency: due.duration(to: answered))
            report.recordLateness(due.duration(to: started))
        }
    }

    /// Calls that were due and that no caller came to, once all have ended.
    func undrawn(every interval: Duration) -> Int {
        var number = numbers.load(ordering: .relaxed)
        var count = 0
        while start.advanced(by: interval * number) < end {
            count += 1
            number += 1
        }
        return count
    }

    private func failure(of caller: Int, _ number: Int) async -> Status? {
        do {
            try await call(caller, number)
            return nil
        } catch {
            return error as? Status ?? Status(.unknown, "\(error)")
        }
    }
}
