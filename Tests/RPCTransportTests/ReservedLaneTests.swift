import RPC
import Testing

@testable import RPCTransport

/// Calls that pass when all places are taken: whoever looks after a server must get through.
@Suite(.timeLimit(.minutes(1))) struct `The reserved lane` {
    private static let service = "guildhall.rpc.v1.Health"
    private static let watch = MethodDescriptor(
        service: service, name: "Watch", kind: .serverStreaming)
    private static let check = MethodDescriptor(service: service, name: "Check")
    private static let inspect = MethodDescriptor(
        service: "guildhall.rpc.v1.Introspection", name: "GetServer")

    private static let checking = [check, inspect].map { method in
        RegisteredMethod(method, .unary { payload, _ in .encoded(payload) })
    }

    /// Whether both are answered on a connection of its own.
    private func answers(at address: RPCAddress) async throws -> Bool {
        let raw = try await RawConnection.open(to: address)
        try await raw.send(.call(1, Self.check), .call(3, Self.inspect))
        let ends = try await raw.ends(2)
        await raw.close()
        return ends.count == 2 && ends.allSatisfy { $0.status.code == .ok }
    }

    @Test func `is not taken by those who watch, of one connection`() async throws {
        let watchers = Crowd()

        try await withServer(Self.checking + [watchers.method(Self.watch)]) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.burst(40, of: Self.watch)
            let refused = try await raw.ends(36)
            try await until { watchers.alive == 4 }
            let passes = try await answers(at: address)
            // Also on the connection of those who watch.
            try await raw.send(.call(101, Self.check))
            let own = try await raw.ends(1)
            await raw.close()

            #expect(passes)
            #expect(own.map(\.status.code) == [.ok])
            #expect(refused.allSatisfy { $0.status.reason == "connection_busy" })
            #expect(refused.map(\.call) == (4..<40).map { 2 * $0 + 1 })
            #expect(watchers.most == 4)
        }
    }

    @Test func `is not taken by those who watch, of many connections`() async throws {
        let watchers = Crowd()

        try await withServer(Self.checking + [watchers.method(Self.watch)]) {
            $0.reservedStreamsMax = 20
        } _: { _, address in
            var connections: [RawConnection] = []
            for _ in 0..<7 {
                let raw = try await RawConnection.open(to: address)
                try await raw.burst(4, of: Self.watch)
                connections.append(raw)
            }
            // Two threads may each begin one for the last place.
            try await until { watchers.alive >= 20 }
            let passes = try await answers(at: address)
            for raw in connections { await raw.close() }
            try await until { watchers.alive == 0 }
            // Their places are given back.
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Self.watch))
            let first = try await raw.next()?.frame
            await raw.close()

            #expect(passes)
            #expect(watchers.most <= 21)
            guard case .data(1, _, _) = first else {
                Issue.record("\(first as Any)")
                return
            }
        }
    }

    @Test func `lets operators' streams through, however many watch`() async throws {
        let watchers = Crowd()
        let operators = Crowd()
        let backup = Methods.stream("Backup")
        let methods = [watchers.method(Self.watch), operators.method(backup)]

        try await withServer(of: Router(services: [methods])) {
            $0.limits.streamsMax = 0
            $0.reservedServices.insert(backup.service)
        } _: { _, address in
            var connections: [RawConnection] = []
            for _ in 0..<16 {
                let raw = try await RawConnection.open(to: address)
                try await raw.burst(4, of: Self.watch)
                connections.append(raw)
            }
            try await until { watchers.alive == 64 }
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Self.watch))
            let refused = try await raw.ends(1)
            try await raw.send(.call(3, backup))
            let first = try await raw.next()?.frame
            await raw.close()
            for raw in connections { await raw.close() }

            #expect(refused.map(\.status.code) == [.resourceExhausted])
            guard case .data(3, _, _) = first else {
                Issue.record("\(first as Any)")
                return
            }
        }
    }

    @Test func `is shared: no connection has more than its part of it`() async throws {
        let slow = Crowd()

        try await withServer([slow.method(Self.check)]) { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.burst(12, of: Self.check)
            let refused = try await raw.ends(4)
            try await until { slow.alive == 8 }
            let other = try await RawConnection.open(to: address)
            try await other.send(.call(1, Self.check))
            try await until { slow.alive == 9 }
            slow.letGo()
            let answered = try await raw.ends(8)
            // The places are given back.
            try await raw.send(.call(101, Self.check))
            let again = try await raw.ends(1)
            await raw.close()
            await other.close()

            #expect(refused.map(\.call) == [17, 19, 21, 23])
            #expect(refused.allSatisfy { $0.status.reason == "connection_busy" })
            #expect(answered.allSatisfy { $0.status.code == .ok })
            #expect(again.map(\.status.code) == [.ok])
        }
    }

    @Test func `takes methods by their paths, too, and no others of their service`()
        async throws
    {
        let slow = Crowd()
        let look = Methods.unary("Look")
        let looking = RegisteredMethod(look, .unary { payload, _ in .encoded(payload) })
        let router = Router(services: [[slow.method(Methods.hang), Methods.echoing, looking]])

        try await withServer(of: router) {
            $0.limits.callsMax = 1
            $0.limits.queueMax = 0
            $0.reservedMethods = [look.path]
        } _: { _, address in
            let raw = try await RawConnection.open(to: address)
            try await raw.send(.call(1, Methods.hang))
            try await until { slow.alive == 1 }
            try await raw.send(.call(3, look), .call(5, Methods.echo))
            let ends = try await raw.ends(2)
            await raw.close()

            #expect(ends.first { $0.call == 3 }?.status.code == .ok)
            #expect(ends.first { $0.call == 5 }?.status.reason == "server_busy")
        }
    }
}
