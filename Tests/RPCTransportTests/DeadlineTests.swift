import RPC
import Synchronization
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct `Deadlines and cancellation` {
    @Test func `the caller is told when its deadline passes`() async throws {
        let hanging = HangingMethod()

        try await withServerAndClient([hanging.method()]) { client in
            let seen = await status {
                try await client.bytes(
                    Methods.hang, options: CallOptions(timeout: .milliseconds(30)))
            }

            #expect(seen?.code == .deadlineExceeded)
        }
    }

    @Test func `the server answers a call whose deadline passes`() async throws {
        let hanging = HangingMethod()

        try await withServer([hanging.method()]) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang, timeout: .milliseconds(50)))

            let answer1 = try await raw.end(of: 1)?.status.code
            #expect(answer1 == .deadlineExceeded)
            await hanging.cancelled.wait()
            await raw.close()
        }
    }

    @Test func `a handler learns its deadline, and calls on its behalf inherit it`() async throws {
        let method = RegisteredMethod(
            Methods.echo,
            .unary { _, context in
                #expect(Deadline.current == context.deadline)
                #expect(context.deadline.remaining() <= .seconds(7))
                #expect(CallOptions(timeout: .seconds(20)).unaryDeadline() == context.deadline)
                return .encoded([UInt8]())
            })

        _ = try await withServerAndClient([method]) { client in
            try await client.bytes(Methods.echo, options: CallOptions(timeout: .seconds(7)))
        }
    }

    @Test func `work that has not begun by the deadline is not begun`() async throws {
        let hanging = HangingMethod()
        let begun = Atomic<Int>(0)
        let late = RegisteredMethod(
            Methods.echo,
            .unary { payload, _ in
                begun.wrappingAdd(1, ordering: .relaxed)
                return .encoded(payload)
            })

        try await withServer([hanging.method(), late]) {
            $0.callsMax = 1
            $0.queueTimeMax = .seconds(20)
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang))
            await hanging.started.wait()
            try await raw.send(.call(3, Methods.echo, timeout: .milliseconds(10)))

            let answer2 = try await raw.end(of: 3)?.status.code
            #expect(answer2 == .deadlineExceeded)
            #expect(begun.load(ordering: .relaxed) == 0)
            hanging.cancelled.send()
            await raw.close()
        }
    }

    @Test func `a client that cancels cancels the handler`() async throws {
        let hanging = HangingMethod()

        try await withServerAndClient([hanging.method()]) { client in
            let call = Task { try await client.bytes(Methods.hang) }
            await hanging.started.wait()
            call.cancel()
            let seen = await status { try await call.value }
            await hanging.cancelled.wait()

            #expect(seen?.code == .cancelled)
        }
    }

    @Test func `a connection that is lost cancels its handlers`() async throws {
        let hanging = HangingMethod()

        try await withServer([hanging.method()]) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang))
            await hanging.started.wait()
            await raw.close()
            await hanging.cancelled.wait()
        }
    }

    @Test func `a call that was cancelled before it began is never sent`() async throws {
        try await withServerAndClient { client in
            let seen = await withTaskGroup(of: Status?.self) { group in
                group.cancelAll()
                group.addTask { await status { try await client.bytes(Methods.echo) } }
                return await group.next() ?? nil
            }

            #expect(seen?.code == .cancelled)
        }
    }
}
