import Testing

@testable import Spreadsheets

/// Who works, who waits and who is refused.
@Suite(.timeLimit(.minutes(1))) struct TurnTests {
    /// Holds places until it is opened.
    private struct Gate: Sendable {
        private let stream: AsyncStream<Void>
        private let continuation: AsyncStream<Void>.Continuation

        init() { (stream, continuation) = AsyncStream<Void>.makeStream() }

        func open() { continuation.finish() }
        func wait() async { for await _ in stream {} }
    }

    private func until(_ condition: () -> Bool) async {
        while !condition() { await Task.yield() }
    }

    @Test func `so many work at once, the others when their turn comes`() async throws {
        let turns = Turns(atOnceMax: 2, waitersMax: 10, waitMax: .seconds(60))
        let gate = Gate()
        let (order, noting) = AsyncStream<Int>.makeStream()
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<2 {
            tasks.append(
                Task {
                    try await turns.take {
                        noting.yield(number)
                        await gate.wait()
                    }
                })
        }
        var begun = order.makeAsyncIterator()
        _ = await begun.next()
        _ = await begun.next()
        for number in 2..<6 {
            tasks.append(Task { try await turns.take { _ = noting.yield(number) } })
            await until { turns.waiting == number - 1 }
        }

        gate.open()
        for task in tasks { try await task.value }

        var late: Set<Int> = []
        while late.count < 4, let number = await begun.next() { late.insert(number) }
        #expect(late == [2, 3, 4, 5])
        try await turns.take {}
    }

    @Test func `turns come in the order of waiting`() async throws {
        let turns = Turns(atOnceMax: 1, waitersMax: 10, waitMax: .seconds(60))
        let (order, noting) = AsyncStream<Int>.makeStream()
        var tasks: [Task<Void, any Error>] = []

        try await turns.take {
            for number in 0..<6 {
                tasks.append(Task { try await turns.take { _ = noting.yield(number) } })
                await until { turns.waiting == number + 1 }
            }
        }
        for task in tasks { try await task.value }
        noting.finish()

        var begun: [Int] = []
        for await number in order { begun.append(number) }
        #expect(begun == [0, 1, 2, 3, 4, 5])
    }

    @Test func `who has waited long enough is refused`() async throws {
        let turns = Turns(atOnceMax: 1, waitersMax: 10, waitMax: .milliseconds(50))

        try await turns.take {
            _ = await #expect(throws: SpreadsheetFault.busy) { try await turns.take {} }
        }
        try await turns.take {}
    }

    @Test func `where many wait, the next is refused at once`() async throws {
        let turns = Turns(atOnceMax: 1, waitersMax: 1, waitMax: .seconds(60))

        try await turns.take {
            let waiter = Task { try await turns.take {} }
            await until { turns.waiting == 1 }
            await #expect(throws: SpreadsheetFault.busy) { try await turns.take {} }
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
            #expect(turns.waiting == 0)
        }
        try await turns.take {}
    }

    @Test func `no place is lost to callers that are cancelled`() async throws {
        let turns = Turns(atOnceMax: 2, waitersMax: 100, waitMax: .seconds(60))

        await withTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let task = Task { try await turns.take { await Task.yield() } }
                    if number.isMultiple(of: 3) { task.cancel() }
                    _ = await task.result
                }
            }
        }

        try await turns.take { try await turns.take {} }
        #expect(turns.waiting == 0)
    }
}
