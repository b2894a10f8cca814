import NIOCore
import NIOHTTP1
import Synchronization

/// Holds one HTTP connection to its limits.
///
/// They are how long a header and a body may take, how long an answer may stay unread, how slowly
/// it may be read, and how many requests a connection may bring.
/// What is not HTTP is answered in words; after an answer that says so the connection closes.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// What of a request is being read.
    private enum Reading {
        case nothing
        case head
        case body
    }

    /// How far the connection has come.
    private enum Phase {
        case open
        /// The last answer is being written.
        case lastAnswer
        /// The end of the last answer is on its way.
        case flushing
        /// Nothing more is sent; what the client still sends is thrown away, so that the answer
        /// reaches it.
        case lingering

        /// Whether no further request is taken and nothing more written.
        var isOver: Bool { self == .flushing || self == .lingering }
    }

    private let limits: Limits
    private var phase = Phase.open
    private var reading = Reading.nothing
    private var timeout: Scheduled<Void>?
    /// The next look at whether the client takes what is sent.
    private var nextLook: Scheduled<Void>?
    private var pace: ReadingPace
    private var bytesWritten = 0
    private var answerCount = 0
    private var answersDue = 0
    private var inputIsClosed = false

    init(limits: Limits) {
        self.limits = limits
        pace = ReadingPace(limits: limits)
    }

    /// Told by ``FirstByteWatch`` that bytes are about to be decoded.
    func bytesArrive(_ context: ChannelHandlerContext) {
        guard !phase.isOver, reading == .nothing else { return }
        reading = .head
        close(in: limits.headTimeout, context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !phase.isOver else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            answersDue += 1
            if let problem = Self.problem(with: head) {
                refuse(problem, context)
                return
            }
            reading = .body
            close(in: limits.bodyTimeout, context)
        case .body: break
        case .end:
            reading = .nothing
            timeout?.cancel()
            timeout = nil
        }
        context.fireChannelRead(data)
    }

    func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        guard !phase.isOver else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            answerCount += 1
            if answerCount >= limits.requestsPerConnectionMax {
                head.headers.replaceOrAdd(name: "Connection", value: "close")
            }
            let connection = head.headers[canonicalForm: "connection"]
            if connection.contains(where: { $0.lowercased() == "close" }) { phase = .lastAnswer }
            if nextLook == nil { expectReading(context) }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body(let body):
            bytesWritten += body.readableBytes
            context.write(data, promise: promise)
        case .end:
            answersDue -= 1
            guard phase == .lastAnswer else {
                context.write(data, promise: promise)
                return
            }
            phase = .flushing
            let flushed = promise ?? context.eventLoop.makePromise()
            // A slow reader gets the whole of it: only then the time of lingering begins.
            flushed.futureResult.assumeIsolated().whenSuccess { self.linger(context) }
            context.writeAndFlush(data, promise: flushed)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let fault = error as? HTTPParserError, answersDue == 0 else {
            if !phase.isOver { context.fireErrorCaught(error) }
            return
        }
        answersDue += 1
        refuse(
            fault == .headerOverflow
                ? .headerTooLarge("The header is too large.")
                : .malformed("The request is not HTTP/1.1."), context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            inputIsClosed = true
            if phase == .lingering { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Looks again and again whether the client takes what is sent, as long as something is, and
    /// cuts the connection off when it takes nothing, or too little.
    private func expectReading(_ context: ChannelHandlerContext) {
        nextLook = context.eventLoop.assumeIsolated().scheduleTask(
            in: TimeAmount(pace.interval)
        ) {
            self.lookWhatWasTaken(context)
        }
    }

    private func lookWhatWasTaken(_ context: ChannelHandlerContext) {
        nextLook = nil
        let waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        let isGoingOn = pace.look(
            at: .now, bytesTaken: bytesWritten - waiting, isWaiting: waiting > 0)
        guard isGoingOn else {
            context.close(promise: nil)
            return
        }
        if answersDue > 0 || waiting > 0 { expectReading(context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        timeout = nil
        nextLook?.cancel()
        nextLook = nil
        context.fireChannelInactive()
    }

    /// What is wrong with a header that the decoder let pass.
    private static func problem(with head: HTTPRequestHead) -> Problem? {
        guard head.uri.utf8.first == UInt8(ascii: "/") else {
            return .malformed("A request target begins with a slash.")
        }
        let hosts = head.headers[canonicalForm: "host"].count
        guard hosts == 1 || (hosts == 0 && head.version == .http1_0) else {
            return .malformed("A request names one host.")
        }
        return nil
    }

    /// Answers instead of the gateway, and ends the connection.
    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext) {
        // Answers that are due come first and could not be told from this one.
        guard answersDue == 1 else {
            context.close(promise: nil)
            return
        }
        let answer = Answer(problem, requestID: RequestIdentifier.make())
        var headers = HTTPHeaders(answer.fields.map { ($0.key, $0.value) })
        headers.replaceOrAdd(name: "Content-Length", value: String(answer.body.count))
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status),
            headers: headers)
        write(context: context, data: wrapOutboundOut(.head(head)), promise: nil)
        let body = context.channel.allocator.buffer(bytes: answer.body)
        write(context: context, data: wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        write(context: context, data: wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func linger(_ context: ChannelHandlerContext) {
        phase = .lingering
        nextLook?.cancel()
        nextLook = nil
        guard !inputIsClosed else {
            context.close(promise: nil)
            return
        }
        context.close(mode: .output, promise: nil)
        close(in: limits.lingerTimeout, context)
    }

    private func close(in time: Duration, _ context: ChannelHandlerContext) {
        timeout?.cancel()
        let channel = context.channel
        timeout = context.eventLoop.scheduleTask(in: TimeAmount(time)) {
            channel.close(promise: nil)
        }
    }
}

/// Stands before the decoder and tells the guard when the first byte of a request comes.
final class FirstByteWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: ConnectionGuard

    init(_ connection: ConnectionGuard) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.bytesArrive(context)
        context.fireChannelRead(data)
    }
}

/// Counts the connections of each address.
final class ConnectionCounter: Sendable {
    private let perAddressMax: Int
    private let counts = Mutex<[String: Int]>([:])

    init(perAddressMax: Int) {
        self.perAddressMax = perAddressMax
    }

    /// Counts a connection.
    ///
    /// - Returns: False when the address has too many; it is not counted then.
    func open(_ address: String) -> Bool {
        counts.withLock { counts in
            guard counts[address, default: 0] < perAddressMax else { return false }
            counts[address, default: 0] += 1
            return true
        }
    }

    /// Counts a connection no more.
    func close(_ address: String) {
        counts.withLock { counts in
            let count = counts[address, default: 0] - 1
            counts[address] = count > 0 ? count : nil
        }
    }
}
