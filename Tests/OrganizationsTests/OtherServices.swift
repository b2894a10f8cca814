import Messages
import RPC

/// What Membership is asked when organizations move or come back, and what it answers.
actor CountedPeople {
    private(set) var moved: [MoveSubtreeRequest] = []
    private(set) var restored: [RestoreSubtreeRequest] = []
    private(set) var cancelledMoves: [CancelSubtreeMoveRequest] = []
    private(set) var cancelledRestores: [CancelSubtreeRestoreRequest] = []
    /// The idempotency keys of what moved and restored.
    private(set) var keys: [String] = []
    private(set) var trials = Trials<MoveSubtreeRequest, MoveSubtreeReply>(MoveSubtreeReply())
    private var refusal: Status?
    private var cancelRefusal: Status?
    private var meanwhile: (@Sendable () async throws -> Void)?

    /// Makes it refuse, or answer again.
    func refuse(with status: Status?) { refusal = status }

    /// Makes it hear of nothing that is cancelled, or hear again.
    func refuseCancelling(with status: Status?) { cancelRefusal = status }

    /// What happens while it decides.
    func meanwhile(_ body: @escaping @Sendable () async throws -> Void) { meanwhile = body }

    /// What a dry run answers.
    func answer(with reply: MoveSubtreeReply) { trials.answer = .success(reply) }

    /// Makes dry runs fail.
    func failTrials(with status: Status) { trials.answer = .failure(status) }

    /// Makes dry runs wait for others.
    func meet(at meeting: Meeting) { trials.meeting = meeting }

    func tries(_ request: MoveSubtreeRequest, _ options: CallOptions) async throws
        -> MoveSubtreeReply
    {
        trials.note(request, options)
        try await trials.meeting?.arrive()
        return try trials.answer.get()
    }

    func moves(_ request: MoveSubtreeRequest, _ options: CallOptions) async throws {
        moved.append(request)
        try await decide(options)
    }

    func restores(_ request: RestoreSubtreeRequest, _ options: CallOptions) async throws {
        restored.append(request)
        try await decide(options)
    }

    private func decide(_ options: CallOptions) async throws {
        keys.append(options.metadata[text: MetadataKey.idempotencyKey] ?? "")
        try await meanwhile?()
        if let refusal { throw refusal }
    }

    func cancels(_ request: CancelSubtreeMoveRequest) throws {
        cancelledMoves.append(request)
        if let cancelRefusal { throw cancelRefusal }
    }

    func cancels(_ request: CancelSubtreeRestoreRequest) throws {
        cancelledRestores.append(request)
        if let cancelRefusal { throw cancelRefusal }
    }
}

/// What Branding is asked, and what it answers.
actor Looks {
    private(set) var trials = Trials<PreviewAppearanceRequest, PreviewAppearanceReply>(
        PreviewAppearanceReply())
    private(set) var questions = Trials<GetAppearanceRequest, Appearance>(
        Appearance(whiteLabel: true))
    /// How many questions come before an organization has arrived.
    private var questionsBeforeArrival = 0

    /// What a dry run answers.
    func answer(with reply: PreviewAppearanceReply) { trials.answer = .success(reply) }

    /// Makes dry runs fail.
    func failTrials(with status: Status) { trials.answer = .failure(status) }

    /// Makes dry runs wait for others.
    func meet(at meeting: Meeting) { trials.meeting = meeting }

    /// Switches white label of every organization.
    func setWhiteLabel(_ isOn: Bool) {
        questions.answer = .success(Appearance(whiteLabel: isOn))
    }

    /// Makes it say nothing of what is set at organizations.
    func failQuestions(with status: Status) { questions.answer = .failure(status) }

    /// Makes organizations unknown to so many questions.
    func arrive(after questions: Int) { questionsBeforeArrival = questions }

    func tries(_ request: PreviewAppearanceRequest, _ options: CallOptions) async throws
        -> PreviewAppearanceReply
    {
        trials.note(request, options)
        try await trials.meeting?.arrive()
        return try trials.answer.get()
    }

    func appearance(_ request: GetAppearanceRequest, _ options: CallOptions) throws -> Appearance {
        questions.note(request, options)
        guard questions.asked.count > questionsBeforeArrival else {
            throw Status(.notFound, "There is no such organization.")
        }
        return try questions.answer.get()
    }
}

/// What Partners is asked, and what it answers.
actor Assignments {
    private(set) var trials = Trials<PreviewAssignmentRequest, PreviewAssignmentReply>(
        PreviewAssignmentReply())
    private(set) var moduleTrials = Trials<PreviewModulesRequest, PreviewModulesReply>(
        PreviewModulesReply())

    /// What a dry run answers.
    func answer(with reply: PreviewAssignmentReply) { trials.answer = .success(reply) }

    /// What a dry run answers of modules.
    func answer(with reply: PreviewModulesReply) { moduleTrials.answer = .success(reply) }

    /// Makes dry runs fail.
    func failTrials(with status: Status) {
        trials.answer = .failure(status)
        failModuleTrials(with: status)
    }

    /// Makes dry runs fail as to modules.
    func failModuleTrials(with status: Status) { moduleTrials.answer = .failure(status) }

    /// Makes dry runs wait for others.
    func meet(at meeting: Meeting) { (trials.meeting, moduleTrials.meeting) = (meeting, meeting) }

    func tries(_ request: PreviewModulesRequest, _ options: CallOptions) async throws
        -> PreviewModulesReply
    {
        moduleTrials.note(request, options)
        try await moduleTrials.meeting?.arrive()
        return try moduleTrials.answer.get()
    }

    func tries(_ request: PreviewAssignmentRequest, _ options: CallOptions) async throws
        -> PreviewAssignmentReply
    {
        trials.note(request, options)
        try await trials.meeting?.arrive()
        return try trials.answer.get()
    }
}

/// One kind of question, and its answer.
struct Trials<Request: Sendable, Reply: Sendable>: Sendable {
    private(set) var asked: [Request] = []
    private(set) var timeouts: [Duration?] = []
    var answer: Result<Reply, Status>
    var meeting: Meeting?

    init(_ reply: Reply) { answer = .success(reply) }

    mutating func note(_ request: Request, _ options: CallOptions) {
        asked.append(request)
        timeouts.append(options.timeout)
    }
}

/// Where calls wait for one another: those that are made one after the other never meet.
actor Meeting {
    /// How long the first waits for the last.
    private static let patience: Duration = .seconds(5)

    private let size: Int
    private var arrived = 0

    init(of size: Int) { self.size = size }

    func arrive() async throws {
        arrived += 1
        let end = ContinuousClock.now.advanced(by: Self.patience)
        while arrived < size {
            guard ContinuousClock.now < end else {
                throw Status(.unavailable, "Nobody else came.")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
