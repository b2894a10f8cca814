import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(3))) struct WorkflowStateTests {
    private static let shapes: [WorkflowShape] = (1...4).flatMap { count in
        [WorkflowShape(stepCount: count, pivot: nil)]
            + (0..<count).map { WorkflowShape(stepCount: count, pivot: $0) }
    }

    @Test(arguments: shapes)
    private func `no course breaks the promise of all or nothing`(shape: WorkflowShape) {
        let report = WorkflowExploration(shape: shape).run()

        #expect(report.breach == nil)
        #expect(report.ends == [.done, .aborted])
        // At the pivot alone nothing is ever cancelled.
        #expect((report.lateCalls > 0) == (shape.pivot != 0))
        Report.line("\(shape): \(report.situations) situations")
    }

    @Test(arguments: WorkflowExploration.Omission.allCases)
    func `without one of the protections some course breaks it`(
        omission: WorkflowExploration.Omission
    ) {
        let shape = WorkflowShape(stepCount: 2, pivot: 1)

        let report = WorkflowExploration(shape: shape, omission: omission).run()

        #expect(report.breach != nil, "\(report.situations) situations")
    }

    @Test func `a workflow that is turned back from its end is undone from its last step`() {
        var progress = WorkflowProgress.start
        progress.state = .done
        progress.step = 3

        let back = progress.turnedBack([7], "no room", now: .start)

        #expect(back?.state == .compensating && back?.step == 2)
        #expect(back?.refusal == [7] && back?.lastError == "no room")
        #expect(WorkflowProgress.start.turnedBack([], "", now: .start) == nil)
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
}
