internal import RPC

/// What generated services and clients share.
enum Calls {
    /// A method that streams replies, with its handler.
    static func registered<Request: Message, Reply: Message>(
        _ method: MethodDescriptor,
        _ handler:
            @escaping @Sendable (Request, CallContext, ReplyStream<Reply>) async throws -> Void
    ) -> RegisteredMethod {
        RegisteredMethod(
            method,
            .serverStreaming { payload, context, writer in
                let request: Request = try request(in: payload, limits: limits(of: method))
                try await handler(request, context, ReplyStream(writer))
            })
    }

    /// A method that streams requests, with its handler.
    static func registered<Request: Message, Reply: Message>(
        _ method: MethodDescriptor,
        _ handler: @escaping @Sendable (MessageStream<Request>, CallContext) async throws -> Reply
    ) -> RegisteredMethod {
        RegisteredMethod(
            method,
            .clientStreaming { reader, context in
                let requests = messages(of: Request.self, method, in: reader)
                return .message(try await handler(requests, context))
            })
    }

    /// A method that streams both ways, with its handler.
    static func registered<Request: Message, Reply: Message>(
        _ method: MethodDescriptor,
        _ handler:
            @escaping @Sendable (MessageStream<Request>, CallContext, ReplyStream<Reply>)
            async throws -> Void
    ) -> RegisteredMethod {
        RegisteredMethod(
            method,
            .bidirectional { reader, context, writer in
                let requests = messages(of: Request.self, method, in: reader)
                try await handler(requests, context, ReplyStream(writer))
            })
    }

    /// Makes a unary call.
    static func make<Request: Message, Reply: Message>(
        _ channel: any Channel, _ method: MethodDescriptor, _ request: Request,
        _ options: CallOptions
    ) async throws -> Reply {
        let payload = try await channel.unary(
            method, .message(request), options: keyed(options, for: method))
        return try reply(in: payload, of: method)
    }

    /// Makes a call whose replies stream.
    static func make<Request: Message, Reply: Message>(
        _ channel: any Channel, _ method: MethodDescriptor, _ request: Request,
        _ options: CallOptions,
        _ onReply: @Sendable (Reply) async throws -> Void
    ) async throws {
        try await channel.serverStreaming(
            method, .message(request), options: keyed(options, for: method)
        ) { payload in
            try await onReply(reply(in: payload, of: method))
        }
    }

    /// Makes a call whose requests stream.
    ///
    /// A server may answer before it has read all; what is left to send is then left.
    static func make<Request: Message, Reply: Message>(
        _ channel: any Channel, _ method: MethodDescriptor, _ options: CallOptions,
        _ send: @Sendable (RequestStream<Request>) async throws -> Void
    ) async throws -> Reply {
        try await channel.bidirectional(method, options: keyed(options, for: method)) {
            writer, reader in
            do {
                try await send(RequestStream(writer))
                try await writer.finish()
            } catch is CallEnded {}
            guard let payload = try await reader.next() else {
                throw Status(.internal, "The server ended \(method.path) without a reply.")
            }
            return try reply(in: payload, of: method)
        }
    }

    /// Makes a call that streams both ways.
    static func make<Request: Message, Reply: Message, Result: Sendable>(
        _ channel: any Channel, _ method: MethodDescriptor, _ options: CallOptions,
        _ body: @Sendable (RequestStream<Request>, MessageStream<Reply>) async throws -> Result
    ) async throws -> Result {
        try await channel.bidirectional(method, options: keyed(options, for: method)) {
            writer, reader in
            let replies = MessageStream<Reply>(reader) { try reply(in: $0, of: method) }
            return try await body(RequestStream(writer), replies)
        }
    }

    /// What a request of a method may cost.
    private static func limits(of method: MethodDescriptor) -> DecodingLimits {
        method.isBulk ? .bulk : .standard
    }

    /// The requests that a call streams.
    private static func messages<Request: Message>(
        of type: Request.Type, _ method: MethodDescriptor, in reader: MessageReader
    ) -> MessageStream<Request> {
        let limits = limits(of: method)
        return MessageStream(reader) { try request(in: $0, limits: limits) }
    }

    /// The request of a call.
    ///
    /// - Throws: `INVALID_ARGUMENT` naming what is wrong with it.
    static func request<Request: Message>(
        in payload: any Payload, limits: DecodingLimits = .standard
    ) throws(Status) -> Request {
        do {
            return try payload.withBytes { (bytes) throws(DecodingFault) in
                try Request(decoding: bytes, limits: limits)
            }
        } catch {
            let field = error.location ?? Request.messageName
            throw Status(
                .invalidArgument, "The request is not a valid \(Request.messageName): \(error).",
                details: [
                    .errorInfo(
                        reason: "malformed_message", domain: "guildhall",
                        metadata: ["fault": error.reason.rawValue]),
                    .badRequest([.init(field: field, description: error.description)]),
                ])
        }
    }

    private static func reply<Reply: Message>(
        in payload: any Payload, of method: MethodDescriptor
    ) throws(Status) -> Reply {
        do {
            return try payload.withBytes { (bytes) throws(DecodingFault) in
                try Reply(decoding: bytes, limits: .bulk)
            }
        } catch {
            throw Status(
                .internal, "The server's reply to \(method.path) is malformed: \(error).",
                details: [
                    .errorInfo(
                        reason: "malformed_reply", domain: "guildhall",
                        metadata: ["fault": error.reason.rawValue])
                ])
        }
    }

    /// The options, with a random idempotency key if the method takes one and they have none.
    private static func keyed(_ options: CallOptions, for method: MethodDescriptor) -> CallOptions {
        guard method.idempotency == .keyed,
            options.metadata[text: MetadataKey.idempotencyKey] == nil
        else { return options }
        var options = options
        options.metadata[text: MetadataKey.idempotencyKey] = randomKey()
        return options
    }

    /// 128 random bits in 32 hexadecimal digits.
    private static func randomKey() -> String {
        (0..<2).map { _ in
            let digits = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
