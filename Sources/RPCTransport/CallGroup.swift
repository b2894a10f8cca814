import NIOCore
import RPC

/// The calls of a read burst that come one after the other and ask for the same: the batch that
/// grows, or what a handler that never waits is told.
///
/// It cannot be copied, so that nothing in it is counted anew for each call.
struct CallGroup: ~Copyable {
    private var batch: CallBatch?
    private var synchronous: Synchronous?

    /// A handler that never waits, and what it is told.
    private struct Synchronous: ~Copyable {
        let handler: @Sendable (any Payload, CallContext) throws -> OutgoingMessage
        var context: CallContext

        @inline(__always)
        mutating func answer(_ call: CallBatch.Call, of batch: CallBatch) {
            batch.connection.answer(
                call.number, of: batch.tally, batch.payload(of: call), context, by: handler)
            context.renew()
        }
    }

    /// The batch to which a call belongs; nil when the peer may not call what it names, or not so.
    @inline(__always)
    mutating func batch(
        for opening: PlainOpening, in memory: ByteBuffer, of connection: ServerConnection
    ) -> CallBatch? {
        if let batch, batch.takes(opening) { return batch }
        return begin(opening, memory, connection)
    }

    @inline(never)
    private mutating func begin(
        _ opening: PlainOpening, _ memory: ByteBuffer, _ connection: ServerConnection
    ) -> CallBatch? {
        batch = CallBatch(connection, opening, in: memory)
        synchronous = nil
        if let batch, case .synchronous(let handler) = batch.method.handler {
            let context = batch.context(TrailingMetadata())
            synchronous = Synchronous(handler: handler, context: context)
        }
        return batch
    }

    /// Answers a call, if its handler never waits: it takes no place, and needs no task.
    ///
    /// - Returns: Whether it does not.
    @inline(__always)
    mutating func answers(_ call: CallBatch.Call, of batch: CallBatch) -> Bool {
        synchronous?.answer(call, of: batch) != nil
    }
}
