import Dispatch
import Foundation

/// A name server on this machine that answers what a test says, over UDP and TCP.
final class LocalNameServer {
    /// Makes the answer to a question, or none.
    typealias Answering = @Sendable (_ question: [UInt8], _ isByTCP: Bool) -> [UInt8]?

    struct Fault: Error {
        let deed: String
    }

    let port: UInt16
    private let datagrams: any DispatchSourceRead
    private let connections: any DispatchSourceRead

    init(_ answer: @escaping Answering) throws {
        let queue = DispatchQueue(label: "name server of a test")
        let listener = try Self.bound(SOCK_STREAM, port: 0)
        port = Self.port(of: listener)
        let socket = try Self.bound(SOCK_DGRAM, port: port)
        guard listen(listener, 8) == 0 else { throw Fault(deed: "listen") }
        datagrams = DispatchSource.makeReadSource(fileDescriptor: socket, queue: queue)
        datagrams.setEventHandler { Self.answerDatagram(on: socket, answer) }
        datagrams.setCancelHandler { close(socket) }
        connections = DispatchSource.makeReadSource(fileDescriptor: listener, queue: queue)
        connections.setEventHandler { Self.answerConnection(on: listener, answer) }
        connections.setCancelHandler { close(listener) }
        datagrams.activate()
        connections.activate()
    }

    deinit {
        datagrams.cancel()
        connections.cancel()
    }

    private static func bound(_ kind: __socket_type, port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(kind.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard descriptor >= 0, code == 0 else { throw Fault(deed: "bind") }
        return descriptor
    }

    private static func port(of descriptor: Int32) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe getsockname(descriptor, generic, &length)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func answerDatagram(on socket: Int32, _ answer: Answering) {
        var question = [UInt8](repeating: 0, count: 512)
        var sender = sockaddr()
        var length = socklen_t(MemoryLayout<sockaddr>.size)
        let count = unsafe recvfrom(socket, &question, question.count, 0, &sender, &length)
        guard count > 0, let reply = answer(Array(question.prefix(count)), false) else { return }
        _ = unsafe sendto(socket, reply, reply.count, 0, &sender, length)
    }

    private static func answerConnection(on listener: Int32, _ answer: Answering) {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        defer { close(connection) }
        var question: [UInt8] = []
        while question.count < 2
            || question.count < 2 + Int(question[0]) << 8 + Int(question[1])
        {
            var piece = [UInt8](repeating: 0, count: 512)
            let count = unsafe read(connection, &piece, piece.count)
            guard count > 0 else { return }
            question += piece.prefix(count)
        }
        guard let reply = answer(Array(question.dropFirst(2)), true) else { return }
        let framed = [UInt8(reply.count >> 8), UInt8(reply.count & 255)] + reply
        _ = unsafe write(connection, framed, framed.count)
    }
}

/// Answers of name servers, byte by byte.
struct NameAnswer {
    enum Outcome: UInt8 {
        case found = 0
        case serverFailed = 2
        case noSuchName = 3
        case refused = 5
    }

    /// What a record begins with: a pointer to the name that was asked for.
    static let sameName: [UInt8] = [0xC0, 0x0C]

    let question: [UInt8]
    var outcome = Outcome.found
    var isCutOff = false
    var records: [[UInt8]] = []

    /// The answer as it is sent.
    var bytes: [UInt8] {
        let name = question.dropFirst(12).prefix { $0 != 0 }.count
        let flags: [UInt8] = [isCutOff ? 0x83 : 0x81, 0x80 | outcome.rawValue]
        let counts: [UInt8] = [0, 1, UInt8(records.count >> 8), UInt8(records.count & 255)]
        let asked = Array(question[12..<(12 + name + 5)])
        return Array(question[..<2]) + flags + counts + [0, 0, 0, 0] + asked
            + Array(records.joined())
    }

    /// A question for the texts at a name of one part.
    static func question(_ name: String) -> [UInt8] {
        [7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, UInt8(name.utf8.count)] + Array(name.utf8)
            + [0, 0, 16, 0, 1]
    }

    /// A record of a type with a content.
    static func record(
        _ type: UInt8 = 16, content: [UInt8], name: [UInt8] = sameName
    ) -> [UInt8] {
        name + [0, type, 0, 1, 0, 0, 0, 60, UInt8(content.count >> 8), UInt8(content.count & 255)]
            + content
    }

    /// A record with a text, in pieces as long as they may be.
    static func text(_ text: String) -> [UInt8] {
        var rest = Array(text.utf8)[...]
        var content: [UInt8] = []
        repeat {
            let piece = rest.prefix(255)
            content += [UInt8(piece.count)] + piece
            rest = rest.dropFirst(255)
        } while !rest.isEmpty
        return record(content: content)
    }
}
