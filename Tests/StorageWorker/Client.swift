import Storage

/// Asks for one change after the other, as a caller would that repeats what was not answered.
struct Client: Sendable {
    /// Answers that are asked for again after a restart.
    static let repeated = 3

    let number: Int
    let database: Database
    let assignment: Assignment

    func run() async throws {
        let known =
            assignment.acknowledged.indices.contains(number)
            ? assignment.acknowledged[number] : 0
        for counter in max(1, known + 1 - Self.repeated)..<(known + 1) {
            try await perform(counter, isRepeated: true)
        }
        let last = assignment.commands > 0 ? known + assignment.commands : .max
        // The first of these may have been done by the life before, unseen.
        for counter in known + 1...last { try await perform(counter, isRepeated: false) }
    }

    private func perform(_ counter: Int, isRepeated: Bool) async throws {
        var key = Ledger.key(client: number, counter: counter)
        if assignment.omission == .commandKey, isRepeated { key[1] = 0xff }
        while true {
            let entry = Entry(
                client: number, counter: counter, key: key, at: assignment.clock.now(),
                startsWorkflow: assignment.hasWorkflows && Course.begins(at: counter))
            do {
                return acknowledge(counter, try await answer(to: entry))
            } catch StorageFault.busy(let pause) {
                Output.line("busy \(number) \(counter)")
                try await Task.sleep(for: min(pause, .milliseconds(20)))
            } catch StorageFault.lost(let reason) {
                Output.line("unknown \(number) \(counter)")
                throw StorageFault.lost(reason)
            }
        }
    }

    private func answer(to entry: Entry) async throws -> CommandOutcome {
        let isHasty = assignment.omission == .commit
        return try await database.command(entry.command) { transaction in
            let reply = try entry.enter(in: transaction)
            if isHasty { acknowledge(entry.counter, .reply(reply)) }
            return reply
        }
    }

    private func acknowledge(_ counter: Int, _ outcome: CommandOutcome) {
        switch outcome {
        case .reply(let bytes):
            Output.answer("\(number) \(counter) \(hexadecimal(bytes))")
        case .refusal(let bytes):
            Output.line("refusal \(number) \(counter) \(hexadecimal(bytes))")
        }
    }
}
