import CResolver
import Dispatch
import Foundation
import RPC
import ServiceKit
import Synchronization

/// Finds what a domain says of itself: its TXT records in the domain name system.
protocol TextRecords: Sendable {
    /// The texts at a name; none when there is no such name.
    ///
    /// - Throws: ``TextRecordFault``.
    func texts(at name: String) async throws -> [String]
}

/// Why the domain name system cannot be asked now.
enum TextRecordFault: StatusConvertible, Hashable {
    /// The name server does not answer, or not to the point.
    case noAnswer
    /// Too many ask at once.
    case busy

    var status: Status {
        var status: Status =
            switch self {
            case .noAnswer:
                .refusal(.unavailable, "The name server of this domain does not answer. Try again.")
            case .busy: .refusal(.busy, "Too many domains are looked up. Try again shortly.")
            }
        status.details.append(.retryInfo(delay: .seconds(5)))
        return status
    }
}

/// The address of a name server.
struct NameServer: Sendable, Hashable {
    static let standardPort: UInt16 = 53

    /// Four bytes, as they stand in memory.
    let address: UInt32
    let port: UInt16

    /// The address in a text such as `127.0.0.1:5353`; nil when it is none.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var address = in_addr()
        guard (1...2).contains(parts.count),
            unsafe inet_pton(AF_INET, String(parts[0]), &address) == 1
        else { return nil }
        guard parts.count == 2 else {
            (self.address, port) = (address.s_addr, Self.standardPort)
            return
        }
        guard let port = UInt16(parts[1]), port > 0 else { return nil }
        (self.address, self.port) = (address.s_addr, port)
    }
}

/// Asks the name servers of the machine, or another one, by the C library's resolver, on threads of
/// its own.
///
/// The library answers to none but the server that it asked, under a random identifier; it asks
/// again over TCP when an answer is cut off, and refuses names that point in circles.
final class SystemTextRecords: TextRecords {
    static let threadCount = 2
    /// Lookups that wait for a thread, those that run included.
    static let waitingMax = 16
    /// How long one name server is waited for.
    static let secondsMax: Int32 = 2
    /// How often each is asked.
    static let attemptsMax: Int32 = 2
    /// The longest answer that the protocol has.
    static let answerBytesMax = 65_535
    /// Of more records at one name the rest is left.
    static let recordsMax = 100

    private let server: NameServer?
    private let secondsMax: Int32
    private let attemptsMax: Int32
    private let queues: [DispatchQueue]
    private let loads: Mutex<[Int]>

    /// - Parameters:
    ///   - server: Who is asked; nil for the name servers of the machine.
    ///   - secondsMax: How long one is waited for.
    ///   - attemptsMax: How often each is asked.
    init(
        server: NameServer?, secondsMax: Int32 = secondsMax, attemptsMax: Int32 = attemptsMax
    ) {
        self.server = server
        self.secondsMax = secondsMax
        self.attemptsMax = attemptsMax
        queues = (0..<Self.threadCount).map { DispatchQueue(label: "guildhall.names.\($0)") }
        loads = Mutex(Array(repeating: 0, count: Self.threadCount))
    }

    func texts(at name: String) async throws -> [String] {
        let lane = try loads.withLock { loads in
            guard loads.reduce(0, +) < Self.waitingMax else { throw TextRecordFault.busy }
            let lane = loads.indices.min { loads[$0] < loads[$1] } ?? 0
            loads[lane] += 1
            return lane
        }
        return try await withCheckedThrowingContinuation { continuation in
            queues[lane].async {
                let outcome = Result { try self.lookUp(name) }
                self.loads.withLock { $0[lane] -= 1 }
                continuation.resume(with: outcome)
            }
        }
    }

    private func lookUp(_ name: String) throws -> [String] {
        var answer = [UInt8](repeating: 0, count: Self.answerBytesMax)
        var reason: Int32 = 0
        // The root's dot: nothing is appended to the name.
        let count = ask("\(name).", into: &answer, &reason)
        guard count >= 0 else {
            guard [HOST_NOT_FOUND, NO_DATA].contains(reason) else { throw TextRecordFault.noAnswer }
            return []
        }
        guard let texts = Self.texts(in: Array(answer.prefix(Int(count)))) else {
            throw TextRecordFault.noAnswer
        }
        return texts
    }

    private func ask(
        _ name: String, into answer: inout [UInt8], _ reason: inout Int32
    ) -> Int32 {
        guard let server else {
            return unsafe resolver_ask(
                nil, secondsMax, attemptsMax, name, &answer, Int32(answer.count), &reason)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = server.port.bigEndian
        address.sin_addr.s_addr = server.address
        return unsafe resolver_ask(
            &address, secondsMax, attemptsMax, name, &answer, Int32(answer.count), &reason)
    }

    /// The texts in an answer of a name server; nil when it is damaged.
    static func texts(in answer: [UInt8]) -> [String]? {
        unsafe answer.withUnsafeBufferPointer { bytes in
            var message = unsafe ns_msg()
            guard let start = bytes.baseAddress,
                unsafe ns_initparse(start, Int32(bytes.count), &message) == 0
            else { return nil }
            var texts: [String] = []
            let count = Int(unsafe message._counts.1)
            for position in 0..<min(count, recordsMax) {
                var record = unsafe ns_rr()
                guard unsafe ns_parserr(&message, ns_s_an, Int32(position), &record) == 0
                else { return nil }
                guard unsafe record.type == UInt16(ns_t_txt.rawValue),
                    unsafe record.rr_class == UInt16(ns_c_in.rawValue)
                else { continue }
                // The library has made sure that the content lies within the answer.
                let content = unsafe UnsafeBufferPointer(
                    start: record.rdata, count: Int(record.rdlength))
                guard let text = text(inRecord: unsafe Array(content)) else { return nil }
                texts.append(text)
            }
            return texts
        }
    }

    /// The text of a record: pieces, each behind its length; nil when a piece is cut off.
    private static func text(inRecord content: [UInt8]) -> String? {
        var rest = content[...]
        var text: [UInt8] = []
        while let length = rest.popFirst() {
            guard rest.count >= Int(length) else { return nil }
            text += rest.prefix(Int(length))
            rest = rest.dropFirst(Int(length))
        }
        return String(decoding: text, as: UTF8.self)
    }
}
