internal import Synchronization

/// How a runner works.
public struct WorkflowSettings: Sendable, Hashable {
    /// Workflows worked on at once.
    public var concurrencyMax = 16
    /// For so long a workflow is left to the runner that claimed it.
    public var lease: Duration = .seconds(10)
    /// At the start, workflows beyond the first few begin at random within this span.
    public var startSpread: Duration = .seconds(5)
    /// The runner looks for work at least this often, should a clock jump.
    public var pollInterval: Duration = .seconds(5)
    /// No workflow waits longer for its turn: one that seems to was left so when the clock was
    /// set back, and is due.
    var longestWait: Duration { max(lease, startSpread, WorkflowProgress.backoffMax) }

    /// The settings for a service.
    public init() {}
}

/// Does the steps of workflows, in this life of the program or the next.
///
/// A lease keeps runners apart out of politeness; what keeps each step's effect single is its
/// key, and the compare-and-set of each move.
public final class WorkflowRunner: Sendable {
    /// Makes the key of a step: 16 bytes of a digest of both.
    public typealias StepKey =
        @Sendable (_ workflowID: [UInt8], _ stepName: String) -> [UInt8]

    let database: Database
    private let definitions: [Kind: WorkflowDefinition]
    private let kinds: [String]
    private let stepKey: StepKey
    private let settings: WorkflowSettings
    private let now: @Sendable () -> WallTime
    let clock: any Clock<Duration>
    let random: @Sendable () -> Double
    private let onStuck: @Sendable (WorkflowInstance) -> Void
    private let underWay = Mutex<Set<[UInt8]>>([])

    private struct Kind: Hashable {
        let name: String
        let version: Int
    }

    /// A runner.
    ///
    /// - Parameters:
    ///   - database: Holds the workflows.
    ///   - definitions: What they follow; each kind and version once.
    ///   - stepKey: Makes the key of a step.
    ///   - settings: How to work.
    ///   - now: The wall clock.
    ///   - clock: Measures waits.
    ///   - random: From 0 to 1, for spreading attempts.
    ///   - onStuck: Told of a workflow that has become stuck, once each time; it is tried on.
    public init(
        _ database: Database, definitions: [WorkflowDefinition], stepKey: @escaping StepKey,
        settings: WorkflowSettings = WorkflowSettings(),
        now: @escaping @Sendable () -> WallTime,
        clock: any Clock<Duration> = ContinuousClock(),
        random: @escaping @Sendable () -> Double = { .random(in: 0..<1) },
        onStuck: @escaping @Sendable (WorkflowInstance) -> Void = { _ in }
    ) {
        self.onStuck = onStuck
        self.database = database
        self.definitions = Dictionary(
            definitions.map { (Kind(name: $0.kind, version: $0.version), $0) },
            uniquingKeysWith: { first, _ in first })
        kinds = Set(definitions.map(\.kind)).sorted()
        self.stepKey = stepKey
        self.settings = settings
        self.now = now
        self.clock = clock
        self.random = random
    }

    /// Resumes the workflows of an earlier life, then works until cancelled.
    ///
    /// - Throws: ``StorageFault/lost(_:)``, when the program should end.
    public func run() async throws {
        do {
            try await whenFree { try await self.releaseAll() }
            try await withThrowingDiscardingTaskGroup { group in
                while true {
                    let seen = database.signals.workflowWork.value
                    let now = self.now()
                    for id in try await whenFree({ try self.workflows(dueAt: now) })
                    where take(id) {
                        group.addTask { try await self.work(on: id) }
                    }
                    try await waitForWork(past: seen, dueAfter: now)
                }
            }
        } catch is CancellationError {
            return
        }
    }

    private func workflows(dueAt now: WallTime) throws -> [[UInt8]] {
        // Those under way are due as well when their lease has run out.
        let limit = settings.concurrencyMax * 2
        let latest = now.advanced(by: settings.longestWait)
        return try database.readInline { snapshot in
            try WorkflowStore.due(
                at: now, latest: latest, kinds: kinds, limit: limit, in: snapshot)
        }
    }

    private func take(_ id: [UInt8]) -> Bool {
        underWay.withLock { underWay in
            guard underWay.count < settings.concurrencyMax else { return false }
            return underWay.insert(id).inserted
        }
    }

    private func letGo(_ id: [UInt8]) {
        _ = underWay.withLock { $0.remove(id) }
        database.signals.workflowWork.increment()
    }

    /// Waits for a new workflow, the end of one under way, or the time of the next after those that
    /// were due at an instant.
    private func waitForWork(past seen: Int64, dueAfter instant: WallTime) async throws {
        let next = try await whenFree {
            try self.database.readInline { snapshot in
                try WorkflowStore.nextDue(after: instant, kinds: self.kinds, in: snapshot)
            }
        }
        let span = next.map { self.now().duration(to: $0) } ?? settings.pollInterval
        let work = database.signals.workflowWork
        let clock = self.clock
        let wait = min(span, settings.pollInterval)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await work.wait(past: seen) }
            group.addTask { try await clock.sleep(for: wait) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Does the steps of one workflow until it ends, must wait, or is somebody else's.
    private func work(on id: [UInt8]) async throws {
        defer { letGo(id) }
        do {
            guard let instance = try await claim(id),
                let definition = definition(of: instance)
            else { return }
            try await work(on: instance, definition)
        } catch StorageFault.lost(let reason) {
            throw StorageFault.lost(reason)
        } catch StorageFault.busy(let pause) {
            // It may still be due: it is not let go before the database has had its pause.
            try await rest(pause)
        } catch {
            // Cancelled: the workflow is due again when its lease ends.
            return
        }
    }

    /// The shortest pause before a database that was busy is asked again.
    static let busyPauseMin: Duration = .milliseconds(100)

    /// Does something as soon as the database is not too busy: a full disk or a long queue must not
    /// end the program, which can still answer reads.
    func whenFree<Value: Sendable>(
        _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        while true {
            do {
                return try await body()
            } catch StorageFault.busy(let pause) {
                try await rest(pause)
            }
        }
    }

    /// Gives a database that was busy the time that it asked for.
    private func rest(_ pause: Duration) async throws {
        try await clock.sleep(for: max(pause, Self.busyPauseMin))
    }

    private func work(
        on claimed: WorkflowInstance, _ definition: WorkflowDefinition
    ) async throws {
        var instance = claimed
        while instance.state.isOpen {
            Failpoint.beforeStep.reach(Self.work(of: instance, definition))
            let outcome = await outcome(of: instance, definition)
            Failpoint.afterStep.reach(Self.work(of: instance, definition))
            let next: WorkflowInstance?
            do {
                next = try await advance(instance, outcome, definition)
            } catch let error where Self.isPassing(error) {
                throw error
            } catch {
                return try await postpone(instance, because: error)
            }
            guard let next else { return }
            if next.state == instance.state, next.step == instance.step { return }
            instance = next
        }
    }

    /// What is done of a workflow now, such as `reserve.do` or `reserve.undo`.
    private static func work(
        of instance: WorkflowInstance, _ definition: WorkflowDefinition
    ) -> String {
        let isStep = definition.steps.indices.contains(instance.step)
        let name = isStep ? definition.steps[instance.step].name : "\(instance.step)"
        return "\(name).\(instance.state == .compensating ? "undo" : "do")"
    }

    /// Whether an error says nothing about the move itself.
    private static func isPassing(_ error: any Error) -> Bool {
        switch error {
        case let fault as StorageFault: fault.isPassing
        default: error is CancellationError
        }
    }

    /// The owner's hook refuses a move: the step is tried again with its key.
    private func postpone(
        _ instance: WorkflowInstance, because error: any Error
    ) async throws {
        let now = self.now()
        let progress = instance.progress.postponed("\(error)", now: now, jitter: random())
        let moved = try await database.write { transaction in
            try WorkflowStore.advance(
                instance, to: progress, result: nil, at: now, lease: .zero, in: transaction)
        }
        if let moved, moved.isStuck, !instance.isStuck { onStuck(moved) }
    }

    private func claim(_ id: [UInt8]) async throws -> WorkflowInstance? {
        let now = self.now()
        let lease = settings.lease
        let latest = now.advanced(by: settings.longestWait)
        return try await database.write { transaction in
            try WorkflowStore.claim(id, at: now, latest: latest, lease: lease, in: transaction)
        }
    }

    /// What a workflow follows; nil when this program does not know it.
    func definition(of instance: WorkflowInstance) -> WorkflowDefinition? {
        definitions[Kind(name: instance.kind, version: instance.version)]
    }

    /// What a step is told of its workflow.
    func call(of instance: WorkflowInstance, _ step: WorkflowStep) -> WorkflowInstance {
        var call = instance
        call.stepName = step.name
        call.stepKey = stepKey(instance.id, step.name)
        return call
    }

    private func outcome(
        of instance: WorkflowInstance, _ definition: WorkflowDefinition
    ) async -> StepOutcome {
        guard definition.steps.indices.contains(instance.step) else {
            return .unknown("there is no step \(instance.step)")
        }
        let step = definition.steps[instance.step]
        let call = call(of: instance, step)
        guard instance.state == .compensating else { return await step.action(call) }
        guard let compensation = step.compensation else { return .done([]) }
        return await compensation(call)
    }

    /// Keeps an outcome, if the workflow is still in the runner's hands.
    private func advance(
        _ instance: WorkflowInstance, _ outcome: StepOutcome, _ definition: WorkflowDefinition
    ) async throws -> WorkflowInstance? {
        let now = self.now()
        let lease = settings.lease
        let progress = instance.progress.after(
            outcome, shape: definition.shape, now: now, jitter: random())
        var result: [UInt8]?
        if case .done(let bytes) = outcome, instance.state == .running { result = bytes }
        let kept = result
        let moved = try await database.write { transaction -> WorkflowInstance? in
            let moved = try WorkflowStore.advance(
                instance, to: progress, result: kept, at: now, lease: lease, in: transaction)
            guard let moved else { return nil }
            if moved.state != instance.state || moved.step != instance.step {
                try definition.onTransition(transaction, moved)
            }
            return moved
        }
        if let moved, moved.isStuck, !instance.isStuck { onStuck(moved) }
        return moved
    }

    /// Nobody of an earlier life of the program is left: every open workflow may go on.
    private func releaseAll() async throws {
        let now = self.now()
        let settings = self.settings
        let random = self.random
        var position: [UInt8]? = []
        while let from = position {
            position = try await database.write { transaction in
                try WorkflowStore.release(
                    after: from, limit: 500,
                    dueAt: { index in
                        from.isEmpty && index < settings.concurrencyMax
                            ? now : now.advanced(by: settings.startSpread * random())
                    }, in: transaction)
            }
        }
    }
}
