internal import Encodings
public import Logging
public import RPC
public import Storage

// What the workflows of all services have in common: their steps are calls of other services.

extension WorkflowRunner {
    /// A runner for a service: the keys of its steps are digests, and a workflow that becomes stuck
    /// is logged as an error.
    ///
    /// - Parameters:
    ///   - database: Holds the workflows.
    ///   - definitions: What they follow; each kind and version once.
    ///   - settings: How to work.
    ///   - clock: Tells the time of day.
    ///   - random: From 0 to 1, for spreading attempts.
    ///   - logger: Told of what becomes stuck.
    public convenience init(
        of database: Database, following definitions: [WorkflowDefinition],
        settings: WorkflowSettings = WorkflowSettings(), clock: WallClock,
        random: @escaping @Sendable () -> Double = { .random(in: 0..<1) }, logger: Logger
    ) {
        self.init(
            database, definitions: definitions, stepKey: WorkflowRunner.stepKey(of:step:),
            settings: settings, now: clock.now, random: random,
            onStuck: { workflow in
                logger.error(
                    "workflow stuck",
                    metadata: [
                        "workflow": "\(Hexadecimal.text(workflow.id))",
                        "kind": "\(workflow.kind)", "state": "\(workflow.state)",
                        "step": "\(workflow.step)", "attempts": "\(workflow.attempts)",
                        "error": "\(workflow.lastError ?? "")",
                    ])
            })
    }

    /// The key of a step: the same whenever it is sent, and by whatever life of the program.
    static func stepKey(of workflow: [UInt8], step: String) -> [UInt8] {
        Array(digest(workflow + Array(step.utf8)).prefix(16))
    }
}

extension WorkflowInstance {
    /// The key of the step at hand as text, for the call that it makes.
    public var stepKeyText: String { Hexadecimal.text(stepKey) }
}

extension CallOptions {
    /// Options for the call that a step of a workflow makes.
    ///
    /// - Parameters:
    ///   - key: The idempotency key.
    ///   - timeout: How long one attempt may take.
    public init(stepKey key: String, timeout: Duration) {
        self.init(timeout: timeout)
        metadata[text: MetadataKey.idempotencyKey] = key
    }
}

extension StepOutcome {
    /// What the call that a step makes comes to: done, refused for good, or to be tried again.
    ///
    /// - Parameters:
    ///   - call: Makes the call, under the key of the step.
    ///   - refusal: Encodes what is kept of a refusal for good.
    /// - Returns: The outcome.
    public static func of(
        _ call: () async throws -> Void, refusal: (Status) -> [UInt8] = { $0.encoded() }
    ) async -> StepOutcome {
        do {
            try await call()
            return .done([])
        } catch {
            let status = Status(thrown: error)
            let words = "\(status.code): \(status.message)"
            return status.isForGood ? .refused(refusal(status), words) : .unknown(words)
        }
    }
}

extension Status {
    /// Whether another service said no for good, so that there is nothing to wait for.
    ///
    /// A missing right is none of these: it is the installation that is at fault, and an operator
    /// who mends it finds the workflow waiting. Nor is a lack of room, which passes, unless it is
    /// the request that will never fit: refusals of a domain have other codes.
    public var isForGood: Bool {
        switch code {
        case .aborted: reason == ErrorReason.commandCancelled.rawValue
        case .resourceExhausted: rpcReason == .requestTooLarge
        default: isDefinite
        }
    }
}
