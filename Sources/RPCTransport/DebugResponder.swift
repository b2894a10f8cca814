import NIOCore
import NIOHTTP1
import RPC

/// Answers the one HTTP request of a connection with the page for operators.
///
/// The bytes are taken apart by NIO's own parser; what is not a plain `GET` without a body is
/// refused. The connection bounds what it is handed, and its time is that of a handshake.
final class DebugResponder: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case awaitingRequest
        case awaitingEnd(HTTPRequestHead)
        case answering
    }

    private let connection: ServerConnection
    private var state = State.awaitingRequest

    init(_ connection: ServerConnection) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (state, unwrapInboundIn(data)) {
        case (.awaitingRequest, .head(let head)): state = .awaitingEnd(head)
        case (.awaitingEnd, .body): refuse(.badRequest, context)
        case (.awaitingEnd(let head), .end): answer(head, context)
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        refuse(.badRequest, context)
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let isOld = head.version == .http1_0
        guard isOld || head.version == .http1_1 else { return refuse(.badRequest, context) }
        guard isOld || head.headers["host"].count == 1 else { return refuse(.badRequest, context) }
        guard connection.mayReadDebugPage(head.headers) else { return refuse(.forbidden, context) }
        guard head.method == .GET else { return refuse(.methodNotAllowed, context) }
        guard head.uri == "/debug" else { return refuse(.notFound, context) }
        state = .answering
        let core = connection.core
        let page = context.eventLoop.makeFutureWithTask { await DebugPage(core).text }
        page.assumeIsolated().whenSuccess { [self] text in
            guard connection.phase == .answeringHTTP else { return }
            send(.ok, text, context)
        }
    }

    /// Refuses the request and closes.
    func refuse(_ status: HTTPResponseStatus, _ context: ChannelHandlerContext) {
        if case .answering = state { return }
        state = .answering
        guard connection.phase == .answeringHTTP else { return }
        send(status, "\(status.code) \(status.reasonPhrase)\n", context)
    }

    private func send(
        _ status: HTTPResponseStatus, _ text: String, _ context: ChannelHandlerContext
    ) {
        let body = ByteBuffer(string: text)
        var head = HTTPResponseHead(version: .http1_1, status: status)
        head.headers = [
            "content-type": "text/plain; charset=utf-8",
            "content-length": "\(body.readableBytes)", "connection": "close",
            "cache-control": "no-store", "x-content-type-options": "nosniff",
        ]
        if status == .methodNotAllowed { head.headers.add(name: "allow", value: "GET") }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        connection.endHTTP()
    }
}

extension ServerConnection {
    /// The largest request for the page for operators, in bytes.
    static let httpRequestBytesMax = 8 * 1_024
    /// What a plain HTTP request begins with; no preface does.
    static let httpMethod = Array("GET ".utf8)

    /// Whether what arrived begins like an HTTP request; nil while more must arrive.
    static func isHTTP(_ arrived: ByteBuffer) -> Bool? {
        let start = arrived.readableBytesView.prefix(httpMethod.count)
        // A single byte may be the beginning of either.
        guard start.count > 1, start.elementsEqual(httpMethod.prefix(start.count)) else {
            return false
        }
        return start.count == httpMethod.count ? true : nil
    }

    /// The peer speaks HTTP: it is answered once.
    func beginHTTP(_ context: ChannelHandlerContext) {
        guard core.configuration.debugPage != .nobody else {
            fail(Status(.invalidArgument, "The connection does not begin with the preface."))
            return
        }
        phase = .answeringHTTP
        let responder = DebugResponder(self)
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
        do {
            try context.pipeline.syncOperations.addHandlers(
                [HTTPResponseEncoder(), decoder, responder], position: .last)
        } catch {
            closeNow()
        }
    }

    /// Hands on bytes of an HTTP request, up to the limit.
    func passToHTTP(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard bytesReceived <= Self.httpRequestBytesMax else {
            // Sent by hand: what was not handed on must not be taken apart.
            let responder = try? context.pipeline.syncOperations.handler(type: DebugResponder.self)
            guard let responder,
                let last = try? context.pipeline.syncOperations.context(handler: responder)
            else { return closeNow() }
            responder.refuse(.requestHeaderFieldsTooLarge, last)
            return
        }
        context.fireChannelRead(NIOAny(bytes))
    }

    /// The answer is on its way.
    func endHTTP() {
        guard phase == .answeringHTTP else { return }
        leaveHandshake(if: true)
        close()
    }

    func mayReadDebugPage(_ headers: HTTPHeaders) -> Bool {
        if let grants {
            return grants.include(MethodDescriptor(service: DebugPageAccess.service, name: "*"))
        }
        return core.configuration.debugPage.includes(peer, headers)
    }
}
