import Testing

@testable import Storage

/// Explores every course of every small workflow, with a world in which each step's effect is
/// there or not, whatever the workflow has been told of it.
@Suite struct WorkflowStateTests {
    private struct Situation: Hashable {
        var progress: WorkflowProgress
        /// Which steps have an effect.
        var effects: Set<Int> = []
        /// Which steps have been cancelled: a late original has no effect.
        var cancelled: Set<Int> = []
    }

    private static let shapes: [WorkflowShape] = (1...4).flatMap { count in
        [WorkflowShape(stepCount: count, pivot: nil)]
            + (0..<count).map { WorkflowShape(stepCount: count, pivot: $0) }
    }

    @Test(arguments: shapes)
    private func `no course breaks the promise of all or nothing`(shape: WorkflowShape) {
        var seen: Set<Situation> = [Situation(progress: .start)]
        var open = Array(seen)
        while let situation = open.popLast() {
            check(situation, shape)
            for next in successors(of: situation, shape) where seen.insert(next).inserted {
                open.append(next)
            }
        }

        let ends = Set(seen.map(\.progress.state).filter { !$0.isOpen })
        #expect(ends == [.done, .aborted])
    }

    private func check(_ situation: Situation, _ shape: WorkflowShape) {
        let progress = situation.progress
        switch progress.state {
        case .running:
            #expect((0..<progress.step).allSatisfy { situation.effects.contains($0) })
        case .compensating:
            #expect(shape.isBeforePivot(progress.step))
            #expect(situation.effects.allSatisfy { $0 <= progress.step })
        case .done:
            #expect(situation.effects == Set(0..<shape.stepCount))
        case .aborted:
            #expect(situation.effects.isEmpty)
        }
        if let pivot = shape.pivot, situation.effects.contains(pivot) {
            #expect(progress.state == .running || progress.state == .done)
        }
    }

    /// Everything that may happen next.
    private func successors(of situation: Situation, _ shape: WorkflowShape) -> [Situation] {
        guard situation.progress.state.isOpen else { return [] }
        let step = situation.progress.step
        var successors: [Situation] = []
        for now in [WallTime.start, .start.advanced(by: WorkflowProgress.patience)] {
            func add(_ outcome: StepOutcome, effect: Bool) {
                var next = situation
                next.progress = next.progress.after(outcome, shape: shape, now: now, jitter: 0.5)
                // What does not decide the course is left aside.
                next.progress = next.progress.bare
                if effect { next.effects.insert(step) } else { next.effects.remove(step) }
                if situation.progress.state == .compensating, case .done = outcome {
                    next.cancelled.insert(step)
                }
                successors.append(next)
            }
            let hasEffect = situation.effects.contains(step)
            switch situation.progress.state {
            case .running:
                add(.done([]), effect: true)
                add(.unknown(""), effect: true)
                add(.unknown(""), effect: hasEffect)
                if !hasEffect { add(.refused([], ""), effect: false) }
            case .compensating:
                add(.done([]), effect: false)
                add(.unknown(""), effect: false)
                add(.unknown(""), effect: hasEffect)
                add(.refused([], ""), effect: hasEffect)
            case .done, .aborted:
                break
            }
            if let given = situation.progress.cancelled(shape: shape, now: now) {
                var next = situation
                next.progress = given.bare
                successors.append(next)
            }
        }
        return successors
    }

    @Test func `after the pivot there is no giving up`() {
        let shape = WorkflowShape(stepCount: 3, pivot: 1)
        var progress = WorkflowProgress.start
        progress.step = 2
        let late = WallTime.start.after(days: 100)

        for outcome in [StepOutcome.refused([1], "no"), .unknown("gone")] {
            let next = progress.after(outcome, shape: shape, now: late, jitter: 0)
            #expect(next.state == .running)
            #expect(next.step == 2)
        }
        #expect(progress.cancelled(shape: shape, now: late) == nil)
    }

    @Test func `an unknown pivot is asked again and never undone`() {
        let shape = WorkflowShape(stepCount: 3, pivot: 1)
        var progress = WorkflowProgress.start
        progress.step = 1
        let late = WallTime.start.after(days: 100)

        let next = progress.after(.unknown("gone"), shape: shape, now: late, jitter: 0)

        #expect(next.state == .running)
        #expect(next.step == 1)
        #expect(progress.cancelled(shape: shape, now: late) == nil)
    }

    @Test func `a refusal turns back before the step, a long silence with it`() {
        let shape = WorkflowShape(stepCount: 3, pivot: 2)
        var progress = WorkflowProgress.start
        progress.step = 1
        let soon = WallTime.start.advanced(by: .seconds(599))
        let late = WallTime.start.advanced(by: .seconds(600))

        let refused = progress.after(.refused([7], "full"), shape: shape, now: soon, jitter: 0)
        let patient = progress.after(.unknown("gone"), shape: shape, now: soon, jitter: 0)
        let silent = progress.after(.unknown("gone"), shape: shape, now: late, jitter: 0)

        #expect(refused.state == .compensating && refused.step == 0)
        #expect(refused.refusal == [7] && refused.lastError == "full")
        #expect(patient.state == .running && patient.step == 1 && patient.attempts == 1)
        #expect(silent.state == .compensating && silent.step == 1)
    }

    @Test func `waits double from a tenth of a second to half a minute, and any part is taken`() {
        let full = (0..<12).map { WorkflowProgress.backoff(attempts: $0, jitter: 1) }

        #expect(full[0] == .milliseconds(100))
        #expect(full[1] == .milliseconds(200))
        #expect(full[8] == .milliseconds(25_600))
        #expect(full[9...].allSatisfy { $0 == .seconds(30) })
        #expect(WorkflowProgress.backoff(attempts: .max, jitter: 1) == .seconds(30))
        #expect(WorkflowProgress.backoff(attempts: 5, jitter: 0) == .zero)
    }

    @Test func `a workflow that keeps failing is shown to operators`() {
        let shape = WorkflowShape(stepCount: 1, pivot: 0)
        var progress = WorkflowProgress.start
        for _ in 1...99 {
            progress = progress.after(.unknown(""), shape: shape, now: .start, jitter: 0)
        }
        #expect(!progress.isStuck)

        progress = progress.after(.unknown(""), shape: shape, now: .start, jitter: 0)

        #expect(progress.isStuck)
        #expect(!progress.after(.done([]), shape: shape, now: .start, jitter: 0).isStuck)
    }
}

extension WorkflowProgress {
    static let start = WorkflowProgress(
        state: .running, step: 0, attempts: 0, progressedAt: .start, dueAt: .start, isStuck: false)

    /// The state and step alone.
    var bare: WorkflowProgress {
        var bare = WorkflowProgress.start
        bare.state = state
        bare.step = step
        return bare
    }
}
