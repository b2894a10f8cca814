import NIOCore
import RPC
import Synchronization

/// The replies of one streaming call on their way out, at the pace of its reader.
///
/// A reply may be sent while the credit is above zero and takes its size from it. Writers that find
/// none wait in line; readers of other calls do not notice.
final class ServerStream {
    /// A writer in line.
    private final class Ticket: Sendable {
        let isCancelled = Atomic<Bool>(false)
    }

    private struct Waiter {
        let ticket: Ticket
        let reply: OutgoingMessage
        let continuation: CheckedContinuation<Void, any Error>
    }

    private unowned let connection: ServerConnection
    private let call: UInt32
    private var credit: Int
    private var waiters: [Waiter] = []
    private var isClosed = false

    init(_ connection: ServerConnection, call: UInt32, credit: Int) {
        self.connection = connection
        self.call = call
        self.credit = credit
    }

    /// What the handler writes to, from any thread.
    var writer: ReplyWriter {
        let loop = connection.loop.context
        let bound = NIOLoopBound(self, eventLoop: loop.loop)
        return ReplyWriter { reply in
            try Task.checkCancellation()
            if loop.loop.inEventLoop, try bound.value.sendNow(reply) { return }
            let ticket = Ticket()
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    loop.run { bound.value.enqueue(reply, ticket, continuation) }
                }
            } onCancel: {
                ticket.isCancelled.store(true, ordering: .relaxed)
                loop.loop.execute { bound.value.dismiss(ticket) }
            }
        }
    }

    private func sendNow(_ reply: OutgoingMessage) throws -> Bool {
        guard !isClosed else { throw CancellationError() }
        guard credit > 0, waiters.isEmpty, connection.hasRoom else { return false }
        try send(reply)
        return true
    }

    private func send(_ reply: OutgoingMessage) throws {
        guard let count = connection.send(.data(call: call, reply, endOfStream: false)) else {
            throw Status(.resourceExhausted, "A reply is larger than the caller accepts.")
        }
        credit -= count
    }

    private func enqueue(
        _ reply: OutgoingMessage, _ ticket: Ticket,
        _ continuation: CheckedContinuation<Void, any Error>
    ) {
        guard !isClosed, !ticket.isCancelled.load(ordering: .relaxed) else {
            continuation.resume(throwing: CancellationError())
            return
        }
        waiters.append(Waiter(ticket: ticket, reply: reply, continuation: continuation))
        pump()
    }

    private func dismiss(_ ticket: Ticket) {
        guard let position = waiters.firstIndex(where: { $0.ticket === ticket }) else { return }
        waiters.remove(at: position).continuation.resume(throwing: CancellationError())
    }

    /// The reader has room for more bytes.
    func addCredit(_ bytes: UInt32) {
        credit = min(credit + Int(bytes), Int(Int32.max))
        pump()
    }

    /// Sends what waits, as far as credit and connection allow.
    func pump() {
        while !isClosed, credit > 0, connection.hasRoom, !waiters.isEmpty {
            let first = waiters.removeFirst()
            first.continuation.resume(with: Result { try send(first.reply) })
        }
    }

    /// Ends the stream: whoever still writes is told.
    func close() {
        isClosed = true
        let rest = waiters
        waiters = []
        for waiter in rest { waiter.continuation.resume(throwing: CancellationError()) }
    }
}
