import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle

/// The door to the HTTP server: nothing else knows which one it is.
struct HTTPServer: Sendable {
    /// Answers the requests.
    let front: Front
    /// The address to listen at.
    let host: String
    /// The port; 0 for any.
    let port: Int
    /// Told where the server listens.
    let address: HTTPAddress

    /// Serves until the task is cancelled; requests in flight may then finish.
    func run() async throws {
        // Hummingbird reports every connection and its start; what matters is logged by Front.
        var quiet = front.logger
        quiet.logLevel = max(quiet.logLevel, .warning)
        var configuration = ServiceGroupConfiguration(
            services: [application(logger: quiet)], logger: quiet)
        configuration.maximumGracefulShutdownDuration = front.limits.drainTimeout
        let group = ServiceGroup(configuration: configuration)
        // A task of its own, awaited here: cancellation becomes a drain instead of an abort.
        let serving = Task { try await group.run() }
        try await withTaskCancellationHandler {
            try await serving.value
        } onCancel: {
            Task { await group.triggerGracefulShutdown() }
        }
    }

    private func application(logger: Logger) -> Application<FrontResponder> {
        let limits = front.limits
        let counter = ConnectionCounter(perAddressMax: limits.connectionsPerAddressMax)
        return Application(
            responder: FrontResponder(front: front),
            server: HTTPServerBuilder { responder in
                GuardedChannel(
                    inner: HTTP1Channel(
                        responder: responder, configuration: Self.configuration(limits)),
                    limits: limits, counter: counter)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(
                    limits.connectionsMax, logger: logger)),
            onServerRunning: { channel in
                address.listens(host: host, port: channel.localAddress?.port ?? port)
            },
            logger: logger)
    }

    private static func configuration(_ limits: Limits) -> HTTP1Channel.Configuration {
        HTTP1Channel.Configuration(
            idleTimeout: TimeAmount(limits.idleTimeout),
            httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                maxHeaderFieldSize: limits.fieldBytesMax * Limits.decoderSlack,
                maxHeaderListSize: limits.fieldListBytesMax * Limits.decoderSlack,
                maxHeaderFieldCount: limits.fieldCountMax * Limits.decoderSlack))
    }
}

/// An HTTP/1.1 connection with its guard.
private struct GuardedChannel: ServerChildChannel {
    let inner: HTTP1Channel
    let limits: Limits
    let counter: ConnectionCounter

    /// `TCP_NOTSENT_LOWAT` of Linux.
    private static let unsentLowWater = NIOBSDSocket.Option(rawValue: 25)

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        if let address = channel.remoteAddress?.ipAddress {
            guard counter.open(address) else {
                return channel.close().flatMapThrowing { throw ChannelError.ioOnClosedChannel }
            }
            channel.closeFuture.whenComplete { _ in counter.close(address) }
        }
        return inner.setup(channel: channel, logger: logger).flatMapThrowing { value in
            try channel.syncOptions?.setOption(
                .tcpOption(Self.unsentLowWater), value: Limits.unsentBytesMax)
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(
                type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let connection = ConnectionGuard(limits: limits)
            try pipeline.addHandler(connection, position: .after(decoder))
            try pipeline.addHandler(FirstByteWatch(connection), position: .first)
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await inner.handle(value: value, logger: logger)
    }
}

/// Hands the requests of the server to the gateway and its answers back.
struct FrontResponder: HTTPResponder {
    /// What is known of a request beside what it says.
    struct Context: RequestContext {
        var coreContext: CoreRequestContextStorage
        /// The address of who is connected.
        let peer: String?

        init(source: ApplicationRequestContextSource) {
            coreContext = CoreRequestContextStorage(source: source)
            peer = source.channel.remoteAddress?.ipAddress
        }
    }

    private typealias Field = HTTPFields.Element

    let front: Front

    func respond(to request: Request, context: Context) async throws -> Response {
        let answer = await front.answer(Incoming(request, from: context.peer))
        var fields = HTTPFields()
        for (name, value) in answer.fields.sorted(by: { $0.key < $1.key }) {
            if let name = Field.Name(name) { fields[name] = value }
        }
        let body = Self.body(of: answer)
        let response = Response(
            status: HTTPResponse.Status(code: answer.status), headers: fields, body: body)
        return request.method == .head ? response.createHeadResponse() : response
    }

    /// The bytes of a body that are written at once; the next follow when these have been taken.
    private static let partBytesMax = 64 * 1_024

    private static func body(of answer: Answer) -> ResponseBody {
        let (parts, turn) = ([answer.body] + answer.parts, answer.turn)
        let count = parts.reduce(0) { $0 + $1.count }
        guard count > partBytesMax || turn != nil else {
            return ResponseBody(byteBuffer: ByteBuffer(bytes: parts.joined()))
        }
        return ResponseBody(contentLength: count) { writer in
            // Whatever ends the writing ends the turn.
            defer { withExtendedLifetime(turn) {} }
            for part in parts {
                var rest = part[...]
                while !rest.isEmpty {
                    try await writer.write(ByteBuffer(bytes: rest.prefix(partBytesMax)))
                    rest = rest.dropFirst(partBytesMax)
                }
            }
            try await writer.finish(nil)
        }
    }
}

extension Incoming {
    /// A request of the server.
    fileprivate init(_ request: Request, from peer: String?) {
        var fields = request.headers.map { (name: $0.name.canonicalName, value: $0.value) }
        if let host = request.head.authority { fields.append((name: "host", value: host)) }
        self.init(
            verb: request.method.rawValue, target: request.head.path ?? "", fields: fields,
            peer: peer
        ) { bytesMax throws(Problem) in
            if let length = request.headers[.contentLength].flatMap(Int.init),
                length > bytesMax
            {
                throw .bodyTooLarge(bytesMax)
            }
            do {
                let buffer = try await request.body.collect(upTo: bytesMax)
                return Array(buffer.readableBytesView)
            } catch is NIOTooManyBytesError {
                throw .bodyTooLarge(bytesMax)
            } catch {
                throw .malformed("The body could not be read.")
            }
        }
    }
}
