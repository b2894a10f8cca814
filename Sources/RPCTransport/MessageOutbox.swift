import NIOCore
import RPC
import Synchronization

/// A connection as its streams see it; it is touched on its thread alone.
protocol StreamCarrier: AnyObject {
    /// Whether streams may send more now.
    var hasRoom: Bool { get }

    /// Sends a frame with the next flush.
    ///
    /// - Returns: The bytes of the frame after its length; nil when it is larger than the peer
    ///   accepts.
    func send(_ frame: OutgoingFrame) -> Int?
}

/// The messages of one streaming call on their way out, at the pace of their reader.
///
/// A message may be sent while the credit is above zero and takes its size from it. Writers that
/// find none wait in line; readers of other calls do not notice.
final class MessageOutbox {
    /// A writer in line.
    fileprivate final class Ticket: Sendable {
        let isCancelled = Atomic<Bool>(false)
    }

    private struct Waiter {
        let ticket: Ticket
        let message: OutgoingMessage
        let continuation: CheckedContinuation<Void, any Error>
    }

    /// Nil once the stream is closed: the connection may be gone then.
    private var carrier: (any StreamCarrier)?
    private let loop: LoopContext
    private let call: UInt32
    private var credit: Int
    private var waiters: [Waiter] = []
    private var isFinishing = false
    /// The bytes of the frames that were sent.
    private(set) var byteCount = 0
    /// What writers are told once the stream is closed.
    private var closing: any Error = CancellationError()

    init(_ carrier: any StreamCarrier, _ loop: LoopContext, call: UInt32, credit: Int) {
        self.carrier = carrier
        self.loop = loop
        self.call = call
        self.credit = credit
    }

    /// What writers hold, on any thread.
    var handle: Handle { Handle(loop: loop, bound: NIOLoopBound(self, eventLoop: loop.loop)) }

    /// An outbox as writers see it, from any thread.
    struct Handle: Sendable {
        fileprivate let loop: LoopContext
        fileprivate let bound: NIOLoopBound<MessageOutbox>

        /// Sends a message if there is room for it and the thread is that of the connection.
        ///
        /// - Returns: Whether it was sent.
        func sendNow(_ message: OutgoingMessage) throws -> Bool {
            try Task.checkCancellation()
            return try loop.loop.inEventLoop && bound.value.sendNow(message)
        }

        /// Sends a message; returns when there is room for more.
        func send(_ message: OutgoingMessage) async throws {
            if try sendNow(message) { return }
            let ticket = Ticket()
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    loop.run { bound.value.enqueue(message, ticket, continuation) }
                }
            } onCancel: {
                ticket.isCancelled.store(true, ordering: .relaxed)
                loop.loop.execute { bound.value.dismiss(ticket) }
            }
        }

        /// Says that no message follows those that were written.
        func finish() {
            loop.run { bound.value.finish() }
        }
    }

    private func sendNow(_ message: OutgoingMessage) throws -> Bool {
        guard let carrier else { throw closing }
        guard credit > 0, waiters.isEmpty, carrier.hasRoom else { return false }
        try send(message, over: carrier)
        return true
    }

    private func send(_ message: OutgoingMessage, over carrier: any StreamCarrier) throws {
        guard let count = carrier.send(.data(call: call, message, endOfStream: false)) else {
            throw Status(.resourceExhausted, "A message is larger than the receiver accepts.")
        }
        credit -= count
        byteCount += count
    }

    private func enqueue(
        _ message: OutgoingMessage, _ ticket: Ticket,
        _ continuation: CheckedContinuation<Void, any Error>
    ) {
        guard carrier != nil, !ticket.isCancelled.load(ordering: .relaxed) else {
            continuation.resume(throwing: carrier == nil ? closing : CancellationError())
            return
        }
        waiters.append(Waiter(ticket: ticket, message: message, continuation: continuation))
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
        while let carrier, credit > 0, carrier.hasRoom, !waiters.isEmpty {
            let first = waiters.removeFirst()
            first.continuation.resume(with: Result { try send(first.message, over: carrier) })
        }
        if isFinishing { finish() }
    }

    /// Says that no message follows those that were written; later ones are refused.
    func finish() {
        guard let carrier else { return }
        isFinishing = true
        guard waiters.isEmpty else { return }
        byteCount += carrier.send(.data(call: call, nil, endOfStream: true)) ?? 0
        close(CallEnded())
    }

    /// Ends the stream: whoever writes, now or later, is told the error.
    func close(_ error: any Error = CancellationError()) {
        guard carrier != nil else { return }
        carrier = nil
        closing = error
        let rest = waiters
        waiters = []
        for waiter in rest { waiter.continuation.resume(throwing: error) }
    }
}
