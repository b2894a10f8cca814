import RPC
import Synchronization
import Testing

@testable import RPCTransport

/// Calls that arrive together, by the number of their method: they begin as batches.
@Suite(.timeLimit(.minutes(1))) struct `Calls of one burst` {
    private static let first = Methods.unary("First")
    private static let second = Methods.unary("Second")

    /// Notes the requests that handlers are called with, in order.
    private final class Journal: Sendable {
        private let notes = Mutex<[UInt8]>([])

        var all: [UInt8] { notes.withLock { $0 } }

        func note(_ request: any Payload) {
            let byte = request.bytes.first ?? 0
            notes.withLock { $0.append(byte) }
        }
    }

    private static func echoing(
        _ method: MethodDescriptor, _ journal: Journal
    ) -> RegisteredMethod {
        RegisteredMethod(
            method,
            .unary { payload, _ in
                journal.note(payload)
                return .encoded(payload.bytes)
            })
    }

    /// The ends of so many calls, in the order in which they come.
    private func ends(
        _ count: Int, from raw: RawConnection
    ) async throws -> [(call: UInt32, ending: Frame.Ending)] {
        var ends: [(call: UInt32, ending: Frame.Ending)] = []
        while ends.count < count, let received = try await raw.next() {
            if case .end(let call, let ending) = received.frame { ends.append((call, ending)) }
        }
        return ends
    }

    @Test func `begin and end in the order in which they came, whatever their methods`()
        async throws
    {
        let journal = Journal()
        let methods = [Self.echoing(Self.first, journal), Self.echoing(Self.second, journal)]

        try await withServer(methods) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(
                .call(1, number: 1, [1]), .call(3, number: 1, [2]), .call(5, number: 2, [3]),
                .call(7, number: 1, [4]), .call(9, number: 1, [5], timeout: .seconds(3)))
            let calls = try await ends(5, from: raw).map(\.call)
            await raw.close()

            #expect(calls == [1, 3, 5, 7, 9])
            #expect(journal.all == [1, 2, 3, 4, 5])
        }
    }

    @Test func `one that is cancelled at once does not run, and the others are answered`()
        async throws
    {
        let journal = Journal()

        try await withServer([Self.echoing(Self.first, journal)]) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(
                .call(1, number: 1, [1]), .call(3, number: 1, [2]), .call(5, number: 1, [3]),
                .cancel(call: 3))
            let answered = try await ends(2, from: raw)
            // Nothing comes between: the next call is answered next.
            try await raw.send(.call(7, number: 1, [4]))
            let next = try await ends(1, from: raw)
            await raw.close()

            #expect(answered.map(\.call) == [1, 5])
            #expect(next.map(\.call) == [7])
            #expect(journal.all == [1, 3, 4])
        }
    }

    @Test func `one whose message is too large is refused, and the others are answered`()
        async throws
    {
        let journal = Journal()

        try await withServer([Self.echoing(Self.first, journal)]) {
            $0.requestBytesMax = 1_000
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(
                .call(1, number: 1, [1]),
                .call(3, number: 1, [UInt8](repeating: 2, count: 1_001)),
                .call(5, number: 1, [UInt8](repeating: 3, count: 1_000)))
            let ends = try await ends(3, from: raw)
            await raw.close()

            let codes = ends.map { "\($0.call) \($0.ending.status.code)" }.sorted()
            #expect(codes == ["1 ok", "3 resourceExhausted", "5 ok"])
            #expect(journal.all == [1, 3])
        }
    }

    @Test(arguments: [true, false])
    func `what a handler adds to the end of its call goes with no other`(
        isSynchronous: Bool
    ) async throws {
        let answer: @Sendable (any Payload, CallContext) -> OutgoingMessage = { payload, context in
            if payload.bytes == [1] { context.trailingMetadata[text: "cost"] = "3" }
            return .encoded(payload.bytes)
        }
        let handler: MethodHandler =
            isSynchronous ? .synchronous { answer($0, $1) } : .unary { answer($0, $1) }

        try await withServer([RegisteredMethod(Self.first, handler)]) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(
                .call(1, number: 1, [0]), .call(3, number: 1, [1]), .call(5, number: 1, [2]))
            let costs = try await ends(3, from: raw).map {
                $0.ending.status.trailingMetadata[text: "cost"]
            }
            await raw.close()

            #expect(costs == [nil, "3", nil])
        }
    }

    @Test func `one that suspends keeps none of those behind it waiting`() async throws {
        let hanging = HangingMethod()
        let method = RegisteredMethod(
            Self.first,
            .unary { payload, _ in
                if payload.bytes == [0] { await hanging.hang() }
                return .encoded(payload.bytes)
            })

        try await withServer([method]) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(
                .call(1, number: 1, [1]), .call(3, number: 1, [0]), .call(5, number: 1, [2]),
                .call(7, number: 1, [3]))
            let others = try await ends(3, from: raw).map(\.call)
            hanging.cancelled.send()
            let last = try await ends(1, from: raw).map(\.call)
            await raw.close()

            #expect(others == [1, 5, 7])
            #expect(last == [3])
        }
    }

    /// The handler that the message resumes stands before the one that the burst wakes: its worker
    /// takes the call that comes with the message.
    @Test func `a call is ended at its deadline though a handler that was resumed has begun it`()
        async throws
    {
        let listening = MethodDescriptor(
            service: Methods.service, name: "Listen", kind: .clientStreaming)
        let hanging = HangingMethod()
        let reading = Signal()
        let methods = [
            RegisteredMethod(
                listening,
                .clientStreaming { requests, _ in
                    reading.send()
                    return .encoded(try await requests.next()?.bytes ?? [])
                }), hanging.method(Self.first), Self.echoing(Self.second, Journal()),
        ]

        try await withServer(methods) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(
                .open(
                    call: 1,
                    OutgoingOpening(
                        method: .path(listening.path), timeout: nil, message: nil,
                        endOfStream: false)))
            await reading.wait()
            // Leaves a worker behind that waits for calls.
            try await raw.send(.call(3, number: 3, [1]))
            _ = try await raw.end(of: 3)
            try await raw.send(
                .data(call: 1, .encoded([1] as [UInt8]), endOfStream: true),
                .call(5, number: 2, [0], timeout: .milliseconds(100)))
            let ending = try await raw.end(of: 5)
            await raw.close()

            #expect(ending?.status.code == .deadlineExceeded)
            await hanging.cancelled.wait()
        }
    }
}

extension OutgoingFrame {
    /// The opening of a call of the method with a number, with bytes as its message.
    fileprivate static func call(
        _ call: UInt32, number: UInt32, _ request: [UInt8], timeout: Duration = .seconds(20)
    ) -> OutgoingFrame {
        .open(
            call: call,
            OutgoingOpening(
                method: .number(number), timeout: timeout, message: .encoded(request)))
    }
}
