@testable import Storage

/// Every course of a small workflow: two runners that claim it from each other at any time, calls
/// that are lost, answered too late for anybody or carried out long after, an operator who gives it
/// up, and an owner who refuses a move or turns the end back.
///
/// Each step's callee keeps one outcome a key, as ``Idempotency`` does; what becomes of the
/// workflow is decided by ``WorkflowProgress`` alone.
struct WorkflowExploration {
    /// A protection that is taken away.
    enum Omission: CaseIterable {
        /// A callee that cancels what it has not seen keeps nothing of it.
        case tombstone
        /// A callee does not keep that it has refused.
        case storedRefusal
        /// A runner keeps what it has learnt whoever has moved the workflow since.
        case compareAndSet
        /// The pivot is undone like any other step.
        case pivotRule
    }

    let shape: WorkflowShape
    var omission: Omission?

    /// What a course comes to.
    struct Report {
        var situations = 0
        /// The ends that are reached.
        var ends: Set<WorkflowState> = []
        /// The first promise that was found broken; nil when none is.
        var breach: String?
        /// Calls that came after their cancellation, and had no effect.
        var lateCalls = 0
    }

    /// What the callee of a step knows of its key.
    private enum Knowledge: UInt8 {
        case nothing
        case done
        case refused
        case cancelled
    }

    /// What a runner was answered.
    private enum Answer: UInt8, CaseIterable {
        case done
        case refused
        case unknown

        var outcome: StepOutcome {
            switch self {
            case .done: .done([])
            case .refused: .refused([], "no")
            case .unknown: .unknown("lost")
            }
        }
    }

    /// Where the workflow stands.
    private struct Place: Hashable {
        var state: WorkflowState
        var step: Int
    }

    /// What a runner holds in its hands.
    private struct Grip: Hashable {
        var place: Place
        /// Nobody has claimed the workflow since.
        var isLast: Bool
        var answer: Answer?
    }

    private struct Situation: Hashable {
        var place = Place(state: .running, step: 0)
        /// Two bits a step.
        var known: UInt16 = 0
        /// A bit for each step whose call is still on its way.
        var late: UInt8 = 0
        var first: Grip?
        var second: Grip?

        subscript(step: Int) -> Knowledge {
            get { Knowledge(rawValue: UInt8(known >> (2 * step) & 3)) ?? .nothing }
            set { known = known & ~(3 << (2 * step)) | UInt16(newValue.rawValue) << (2 * step) }
        }
    }

    /// Explores until everything is seen, or a promise is broken.
    func run() -> Report {
        var report = Report()
        let moves = Moves(shape: omission == .pivotRule ? withoutPivot : shape)
        var seen: Set<Situation> = [Situation()]
        var open = [Situation()]
        while let situation = open.popLast() {
            if let breach = breach(in: situation) {
                report.breach = "\(breach): \(situation)"
                break
            }
            if !situation.place.state.isOpen { report.ends.insert(situation.place.state) }
            var successors: [Situation] = []
            deliver(situation, &successors, &report)
            giveUp(situation, moves, &successors)
            for hand in [\Situation.first, \Situation.second] {
                work(situation, hand, moves, &successors)
            }
            for next in successors where seen.insert(next).inserted { open.append(next) }
        }
        report.situations = seen.count
        return report
    }

    private var withoutPivot: WorkflowShape {
        WorkflowShape(stepCount: shape.stepCount, pivot: nil)
    }

    /// The promise that a situation breaks.
    private func breach(in situation: Situation) -> String? {
        let done = (0..<shape.stepCount).filter { situation[$0] == .done }
        let place = situation.place
        switch place.state {
        case .running:
            guard done.starts(with: 0..<place.step) else { return "a step before is not done" }
        case .compensating:
            guard shape.isBeforePivot(place.step) else { return "it turned back after the pivot" }
            guard done.allSatisfy({ $0 <= place.step }) else { return "a later step has an effect" }
        case .done:
            guard done.count == shape.stepCount else { return "it is done, and a step is not" }
        case .aborted:
            guard done.isEmpty else { return "it came to nothing, and a step has an effect" }
        }
        if let pivot = shape.pivot, done.contains(pivot),
            place.state != .running, place.state != .done
        {
            return "the pivot is done, and the workflow is being undone"
        }
        return nil
    }

    // MARK: What may happen next

    /// A call comes long after it was sent.
    private func deliver(
        _ situation: Situation, _ successors: inout [Situation], _ report: inout Report
    ) {
        for step in 0..<shape.stepCount where situation.late & 1 << step != 0 {
            var next = situation
            next.late &= ~(1 << step)
            if situation[step] == .cancelled { report.lateCalls += 1 }
            for known in outcomes(ofDoing: step, in: next) {
                next[step] = known
                successors.append(next)
            }
        }
    }

    /// An operator gives the workflow up.
    private func giveUp(_ situation: Situation, _ moves: Moves, _ successors: inout [Situation]) {
        guard let place = moves.cancelled(situation.place) else { return }
        var next = situation
        next.place = place
        successors.append(next)
    }

    /// A runner does the next thing.
    private func work(
        _ situation: Situation, _ hand: WritableKeyPath<Situation, Grip?>, _ moves: Moves,
        _ successors: inout [Situation]
    ) {
        guard let grip = situation[keyPath: hand] else {
            guard situation.place.state.isOpen else { return }
            // The lease of the other has ended, or a clock says so.
            var next = situation
            next.first?.isLast = false
            next.second?.isLast = false
            next[keyPath: hand] = Grip(place: situation.place, isLast: true)
            successors.append(next)
            return
        }
        guard let answer = grip.answer else {
            return call(situation, hand, grip, &successors)
        }
        var next = situation
        next[keyPath: hand] = nil
        // Somebody else has moved it, or the owner refuses the move for now.
        successors.append(next)
        let isCurrent = grip.isLast && grip.place == situation.place
        guard isCurrent || omission == .compareAndSet else { return }
        for place in moves.after(answer, at: grip.place) {
            next.place = place
            next[keyPath: hand] =
                place.state.isOpen && place != grip.place
                ? Grip(place: place, isLast: grip.isLast) : nil
            successors.append(next)
        }
    }

    /// A runner sends a call: it is answered, the answer is lost, or the call is late.
    private func call(
        _ situation: Situation, _ hand: WritableKeyPath<Situation, Grip?>, _ grip: Grip,
        _ successors: inout [Situation]
    ) {
        func add(_ next: Situation, _ answer: Answer) {
            var next = next
            next[keyPath: hand]?.answer = answer
            successors.append(next)
        }
        let step = grip.place.step
        add(situation, .unknown)
        guard grip.place.state == .running else {
            var next = situation
            let isKept = omission != .tombstone || situation[step] == .refused
            next[step] = isKept ? .cancelled : .nothing
            add(next, .done)
            return add(next, .unknown)
        }
        var late = situation
        late.late |= 1 << step
        add(late, .unknown)
        for known in outcomes(ofDoing: step, in: situation) {
            var next = situation
            next[step] = known
            add(next, known == .done ? .done : .refused)
            add(next, .unknown)
        }
    }

    /// What the callee of a step may know once a call has come.
    private func outcomes(ofDoing step: Int, in situation: Situation) -> [Knowledge] {
        switch situation[step] {
        case .nothing: [.done, .refused]
        case .refused where omission == .storedRefusal: [.done, .refused]
        case .done, .refused, .cancelled: [situation[step]]
        }
    }

    /// Where ``WorkflowProgress`` leads; asked once for each question.
    private final class Moves {
        private let shape: WorkflowShape
        private var known: [Place: [Answer: [Place]]] = [:]

        init(shape: WorkflowShape) {
            self.shape = shape
        }

        /// Where an answer may lead, soon or after long patience.
        func after(_ answer: Answer, at place: Place) -> [Place] {
            if let places = known[place]?[answer] { return places }
            var places: Set<Place> = []
            for now in [WallTime.start, .start.advanced(by: WorkflowProgress.patience)] {
                let progress = Self.progress(at: place)
                let next = progress.after(answer.outcome, shape: shape, now: now, jitter: 0.5)
                places.insert(Self.place(of: next))
                places.insert(Self.place(of: progress.postponed("no", now: now, jitter: 0.5)))
                // The owner's hook turns the end back, where there is no pivot.
                if shape.pivot == nil, let back = next.turnedBack([], "no", now: now) {
                    places.insert(Self.place(of: back))
                }
            }
            known[place, default: [:]][answer] = Array(places)
            return Array(places)
        }

        /// Where an operator's wish leads; nil when it is too late.
        func cancelled(_ place: Place) -> Place? {
            Self.progress(at: place).cancelled(shape: shape, now: .start).map(Self.place)
        }

        private static func progress(at place: Place) -> WorkflowProgress {
            var progress = WorkflowProgress.start
            progress.state = place.state
            progress.step = place.step
            return progress
        }

        private static func place(of progress: WorkflowProgress) -> Place {
            Place(state: progress.state, step: progress.step)
        }
    }
}
