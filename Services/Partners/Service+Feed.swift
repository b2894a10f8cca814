import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service {
    func watch(
        _ request: WatchRequest, _ context: CallContext, _ replies: ReplyStream<WatchReply>
    ) async throws {
        try await FeedServer(database).watch(request, context, replies)
    }

    func getFeedHead(
        _ request: GetFeedHeadRequest, _ context: CallContext
    ) async throws -> FeedHead {
        try FeedServer(database).head(request, context)
    }
}

extension Transaction {
    /// Puts a sale's state into the feed.
    ///
    /// - Returns: The sale as callers see it.
    func publish(_ sale: Sale) throws -> Messages.Sale {
        let message = Messages.Sale(sale)
        try publish(
            kind: Messages.Sale.messageName, aggregate: sale.id.bytes, version: sale.version,
            body: message.encoded(), at: sale.updatedAt)
        return message
    }
}
