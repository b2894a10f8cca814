import Messages
import RPC
import Storage
import Testing

@testable import Partners

/// What operators do about workflows, and what they are told.
@Suite(.serialized) struct OperatorTests {
    @Test func `an operator has a waiting workflow tried again at once, and it is noted`()
        async throws
    {
        let bench = try Bench(approvalWait: .zero)
        bench.neighbours.expect(.silenceBefore, at: .grantSeats)

        try await bench.life { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            let approved = try await life.approve(registered)
            for await _ in bench.neighbours.silences { break }
            let retried = try await life.client.retryWorkflow(
                RetryWorkflowRequest(id: approved.workflowID, text: "the network is back"),
                options: life.options(key: "retry"))
            let again = try await life.client.retryWorkflow(
                RetryWorkflowRequest(id: approved.workflowID, text: "the network is back"),
                options: life.options(key: "retry"))
            #expect(retried.notes.map(\.action) == [.retry])
            #expect(retried.notes.map(\.text) == ["the network is back"])
            #expect(retried.notes.first?.author.isEmpty == false)
            #expect(again == retried, "a repeated call notes nothing twice")
        }
    }

    @Test func `an operator gives a workflow up, and the sale is a draft again`() async throws {
        let bench = try Bench(approvalWait: .zero)
        bench.neighbours.expect(.lostRequest(.unavailable), .silenceBefore, at: .grantSeats)

        try await bench.life { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            let approved = try await life.approve(registered)
            for await _ in bench.neighbours.silences { break }
            let cancelled = try await life.client.cancelWorkflow(
                CancelWorkflowRequest(id: approved.workflowID, text: "ordered twice"),
                options: life.options())
            #expect(cancelled.state == .compensating)
            let sale = try await life.settled(approved)
            #expect(sale.state == .draft)
            let ended = try await life.client.getWorkflow(
                GetWorkflowRequest(id: approved.workflowID), options: life.options())
            #expect(ended.state == .aborted)
            #expect(ended.notes.map(\.action) == [.cancel])
        }
    }

    @Test func `an ended workflow takes remarks and nothing else`() async throws {
        let bench = try Bench()
        try await bench.life { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            let sale = try await life.settled(try await life.approve(registered))
            let id = sale.workflowID
            let retry = await life.status {
                try await life.client.retryWorkflow(
                    RetryWorkflowRequest(id: id), options: life.options())
            }
            let cancel = await life.status {
                try await life.client.cancelWorkflow(
                    CancelWorkflowRequest(id: id), options: life.options())
            }
            #expect(retry?.reason == "wrong_state")
            #expect(retry?.message == "The workflow has ended: it is done.")
            #expect(cancel?.reason == "wrong_state")
            let empty = await life.status {
                try await life.client.annotateWorkflow(
                    AnnotateWorkflowRequest(id: id, text: "  "), options: life.options())
            }
            #expect(empty?.code == .invalidArgument)
            let noted = try await life.client.annotateWorkflow(
                AnnotateWorkflowRequest(id: id, text: "Invoiced by hand."),
                options: life.options())
            #expect(noted.notes.map(\.text) == ["Invoiced by hand."])
            #expect(noted.notes.map(\.action) == [.remark])
            let unknown = await life.status {
                try await life.client.annotateWorkflow(
                    AnnotateWorkflowRequest(id: registered.id, text: "x"), options: life.options())
            }
            #expect(unknown?.code == .notFound)
        }
    }

    @Test func `a verification finds sales right, and each kind of wrong`() async throws {
        let bench = try Bench()
        try await bench.life { life in
            let registered = try await life.register(try await life.draftToNewOrganization())
            _ = try await life.settled(try await life.approve(registered))
            _ = try await life.register(try await life.draftToNewOrganization("Second"))
            _ = try await life.draftToNewOrganization("Third")
            #expect(try await life.differences() == [:])

            try await life.database.write { transaction in
                try transaction.execute(
                    """
                    UPDATE sale SET list_total_minor = list_total_minor + 1
                    WHERE list_total_minor > 0 AND state = 2
                    """)
            }
            #expect(try await life.differences() == ["totals of sales": 1])
            try await life.database.write { transaction in
                try transaction.execute("UPDATE sale SET state = 3 WHERE state = 4")
                try transaction.execute("UPDATE sale SET version = version + 1 WHERE state = 1")
            }
            #expect(
                try await life.differences() == [
                    "totals of sales": 1, "sales and their workflows": 1,
                    "feed of guildhall.partners.v1.Sale": 1,
                ])
        }
    }
}

extension Life {
    /// What a verification finds to differ, by name.
    fileprivate func differences() async throws -> [String: Int64] {
        let (stream, continuation) = AsyncStream.makeStream(of: Findings.self)
        try await database.verify(verifiers) { continuation.yield($0) }
        continuation.finish()
        var found: [String: Int64] = [:]
        for await findings in stream where findings.differenceCount > 0 {
            found[findings.name] = findings.differenceCount
        }
        return found
    }
}
