import RPC
import Synchronization

@testable import RPCTransport

/// Calls that stay until they are let go, and how many of them there were at once.
final class Crowd: Sendable {
    private struct Counts {
        var alive = 0
        var most = 0
        var begun = 0
    }

    private let counts = Mutex(Counts())
    private let end = Signal()

    /// How many handlers run now.
    var alive: Int { counts.withLock { $0.alive } }
    /// The most that ran at once.
    var most: Int { counts.withLock { $0.most } }
    /// How many have begun.
    var begun: Int { counts.withLock { $0.begun } }

    /// Lets all go, those that come later, too.
    func letGo() { end.send() }

    /// Stays until it is let go or cancelled.
    func stay() async {
        counts.withLock { counts in
            counts.alive += 1
            counts.begun += 1
            counts.most = max(counts.most, counts.alive)
        }
        await withTaskCancellationHandler {
            await end.wait()
        } onCancel: {
            end.send()
        }
        counts.withLock { $0.alive -= 1 }
    }

    /// A method whose calls stay; one that streams says so with an empty reply first.
    func method(_ descriptor: MethodDescriptor) -> RegisteredMethod {
        guard descriptor.kind == .serverStreaming else {
            return RegisteredMethod(
                descriptor,
                .unary { payload, _ in
                    await self.stay()
                    return .encoded(payload)
                })
        }
        return RegisteredMethod(
            descriptor,
            .serverStreaming { _, _, replies in
                try await replies.write(.encoded([UInt8]()))
                await self.stay()
            })
    }
}

extension RawConnection {
    /// The ends of so many calls, in the order in which they come.
    func ends(_ count: Int) async throws -> [(call: UInt32, status: Status)] {
        var ends: [(call: UInt32, status: Status)] = []
        while ends.count < count, let received = try await next() {
            if case .end(let call, let ending) = received.frame {
                ends.append((call, ending.status))
            }
        }
        return ends
    }

    /// Opens so many calls of methods, one after the other, with one write.
    func burst(_ count: Int, of methods: MethodDescriptor...) async throws {
        let frames = (0..<count).map { position in
            OutgoingFrame.call(UInt32(2 * position + 1), methods[position % methods.count])
        }
        try await send(frames.flatMap { $0.encoded() })
    }
}
