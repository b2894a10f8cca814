import ArgumentParser
import DynamicMessages
import Encodings
import Foundation
import RPC

/// Calls of one method whose messages are known by their descriptors alone.
struct DynamicCall: Sendable {
    let method: MethodType
    private let remote: RemoteAPI
    private let request: MessageType
    private let reply: MessageType
    private let jsonOptions: JSONOptions
    private let options: CallOptions

    /// Calls of a method.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - remote: Declares its messages.
    ///   - writesDefaults: Whether replies show fields that hold their default.
    ///   - options: Accompany each call.
    /// - Throws: When the messages of the method are not declared.
    init(
        _ method: MethodType, _ remote: RemoteAPI, writesDefaults: Bool = false,
        options: CallOptions
    ) throws {
        guard let request = remote.schema.messages[method.request],
            let reply = remote.schema.messages[method.reply]
        else { throw ValidationError("The server does not declare the messages of the method.") }
        self.method = method
        self.remote = remote
        self.request = request
        self.reply = reply
        self.options = options
        var jsonOptions = JSONOptions()
        jsonOptions.writesDefaults = writesDefaults
        self.jsonOptions = jsonOptions
    }

    /// Makes a call of one request and one reply.
    func unary(_ document: String, over channel: any Channel) async throws -> JSONValue {
        let request = OutgoingMessage.encoded(try encode(document))
        let options = keyed()
        do {
            return try decode(try await channel.unary(method.descriptor, request, options: options))
        } catch let status as Status {
            hint(status, options)
            throw status
        }
    }

    /// Makes a call of one request and any number of replies.
    func watch(
        _ document: String, over channel: any Channel,
        onReply: @escaping @Sendable (JSONValue) -> Void
    ) async throws {
        let request = OutgoingMessage.encoded(try encode(document))
        try await channel.serverStreaming(method.descriptor, request, options: keyed()) {
            onReply(try decode($0))
        }
    }

    /// Makes a call of any number of requests, sent as their lines come.
    func stream(
        _ lines: LineSource, over channel: any Channel,
        onReply: @escaping @Sendable (JSONValue) -> Void
    ) async throws {
        try await channel.bidirectional(method.descriptor, options: keyed()) { writer, reader in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        while let line = await lines.next() {
                            try await writer.write(.encoded(try encode(line)))
                        }
                        try await writer.finish()
                    } catch is CallEnded {
                        // The status with which the call ends says more.
                    }
                }
                group.addTask {
                    while let payload = try await reader.next() { onReply(try decode(payload)) }
                    // What is left to send is left: the server has ended the call.
                    throw ServerFinished()
                }
                do {
                    try await group.next()
                    try await group.next()
                } catch is ServerFinished {
                    group.cancelAll()
                }
            }
        }
    }

    private struct ServerFinished: Error {}

    /// A request as it travels.
    func encode(_ document: String) throws -> [UInt8] {
        do {
            return try remote.schema.encode(try JSONValue(parsing: document.utf8), as: request)
        } catch {
            throw ValidationError("The request is not a \(method.request): \(error)")
        }
    }

    private func decode(_ payload: any Payload) throws -> JSONValue {
        do {
            return try remote.schema.decode(payload.bytes, as: reply, options: jsonOptions)
        } catch {
            throw Status(.internal, "The reply of the server is not a \(method.reply): \(error)")
        }
    }

    /// The options, with an idempotency key of its own if the method takes one.
    func keyed() -> CallOptions {
        var options = options
        if method.idempotency == .idempotent,
            options.metadata[text: MetadataKey.idempotencyKey] == nil
        {
            options.metadata[text: MetadataKey.idempotencyKey] = UUID().uuidString.lowercased()
        }
        return options
    }

    /// Says how to repeat a change whose outcome is not known.
    private func hint(_ status: Status, _ options: CallOptions) {
        guard status.isTransient, method.idempotency == .idempotent,
            let key = options.metadata[text: MetadataKey.idempotencyKey]
        else { return }
        StandardError.line("To repeat it with one effect at most: -H idempotency-key:\(key)")
    }
}
