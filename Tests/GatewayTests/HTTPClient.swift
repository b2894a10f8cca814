import Foundation
import NIOCore
import NIOPosix

/// A small HTTP/1.1 client: a connection for each request, bytes as they are given.
struct HTTPClient: Sendable {
    let port: Int

    /// An answer.
    struct Answer: Sendable {
        let status: Int
        let fields: [String: String]
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// Why there is no answer.
    struct Fault: Error {
        let sentence: String
    }

    /// Sends a request with a body that is text.
    func send(
        _ verb: String, _ target: String, _ fields: [String: String] = [:], body: String? = nil
    ) async throws -> Answer {
        try await send(verb, target, fields, bytes: body.map { Array($0.utf8) })
    }

    /// Sends a request.
    func send(
        _ verb: String, _ target: String, _ fields: [String: String] = [:], bytes: [UInt8]?
    ) async throws -> Answer {
        var head = "\(verb) \(target) HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n"
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        if let bytes { head += "Content-Length: \(bytes.count)\r\n" }
        return try await send(raw: Array((head + "\r\n").utf8) + (bytes ?? []))
    }

    /// Sends bytes and reads until the gateway closes the connection.
    func send(raw: [UInt8]) async throws -> Answer {
        try Self.answer(in: try await exchange(raw))
    }

    /// Sends bytes and reads until the gateway closes the connection.
    ///
    /// Something may be done between the two, and a pause be made after so many bytes that came;
    /// what is not read fills a buffer of the system, which may be small.
    func exchange(
        _ bytes: [UInt8], meanwhile: @Sendable () async throws -> Void = {},
        pause: Duration = .zero, pauseBytes: Int = 512 * 1_024, bufferBytes: Int? = nil
    ) async throws -> [UInt8] {
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        if let bufferBytes {
            bootstrap = bootstrap.channelOption(
                .socketOption(.so_rcvbuf), value: bufferBytes)
        }
        let channel =
            try await bootstrap
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: bytes))
            try await meanwhile()
            var received: [UInt8] = []
            var rested = 0
            do {
                for try await buffer in inbound {
                    received += buffer.readableBytesView
                    guard pause > .zero, received.count - rested >= pauseBytes else { continue }
                    rested = received.count
                    try await Task.sleep(for: pause)
                }
            } catch let error as IOError where error.errnoCode == ECONNRESET {
                // A connection that is cut off may end so.
            }
            return received
        }
    }

    private static func answer(in bytes: [UInt8]) throws -> Answer {
        let mark = Array("\r\n\r\n".utf8)
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }) else {
            throw Fault(sentence: "no header in \(String(decoding: bytes, as: UTF8.self))")
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, let status = Int(words[1]) else {
            throw Fault(sentence: "no status line")
        }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { throw Fault(sentence: "no field: \(line)") }
            fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        return Answer(status: status, fields: fields, body: Array(bytes[(end + mark.count)...]))
    }
}
