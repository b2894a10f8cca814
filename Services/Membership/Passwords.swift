import CArgon2
import Dispatch
import Synchronization

/// Hashes and checks passwords by argon2id, on two threads of its own.
///
/// A hash takes 19 MiB and tens of milliseconds: two at once bound what attackers can make this
/// process spend, and no thread that serves calls waits for one.
final class Passwords: Sendable {
    static let iterations: UInt32 = 2
    static let memoryKiB: UInt32 = 19 * 1_024
    static let lanes: UInt32 = 1
    static let hashByteCount = 32
    static let saltByteCount = 16
    static let threadCount = 2
    /// Checks that wait for a thread, those that run included.
    static let waitingMax = 64

    /// Checked in place of a user's hash when there is no such user, so that time tells nothing.
    static let hashOfNobody =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA"
        + "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

    private let queues: [DispatchQueue]
    private let loads: Mutex<[Int]>

    init() {
        queues = (0..<Self.threadCount).map { DispatchQueue(label: "guildhall.passwords.\($0)") }
        loads = Mutex(Array(repeating: 0, count: Self.threadCount))
    }

    /// The hash to keep of a password: parameters, salt and digest in one text.
    ///
    /// - Parameters:
    ///   - password: In NFC.
    ///   - salt: ``saltByteCount`` random bytes.
    /// - Returns: About 100 ASCII characters.
    /// - Throws: ``Denial/busy`` when too many wait.
    func hash(_ password: String, salt: [UInt8]) async throws -> String {
        try await onThread { try Self.encodedHash(Array(password.utf8), salt: salt) }
    }

    /// Whether a password is the one of a hash.
    ///
    /// - Throws: ``Denial/busy`` when too many wait.
    func verify(_ password: String, against hash: String) async throws -> Bool {
        try await onThread { Self.matches(Array(password.utf8), hash) }
    }

    private func onThread<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let lane = try loads.withLock { loads in
            guard loads.reduce(0, +) < Self.waitingMax else { throw Denial.busy }
            let lane = loads.indices.min { loads[$0] < loads[$1] } ?? 0
            loads[lane] += 1
            return lane
        }
        return try await withCheckedThrowingContinuation { continuation in
            queues[lane].async {
                let outcome = Result { try work() }
                self.loads.withLock { $0[lane] -= 1 }
                continuation.resume(with: outcome)
            }
        }
    }

    private static func encodedHash(_ password: [UInt8], salt: [UInt8]) throws -> String {
        precondition(salt.count == saltByteCount, "the caller draws a whole salt")
        let capacity = argon2_encodedlen(
            iterations, memoryKiB, lanes, UInt32(salt.count), UInt32(hashByteCount), Argon2_id)
        var encoded = [CChar](repeating: 0, count: capacity)
        let code = unsafe argon2id_hash_encoded(
            iterations, memoryKiB, lanes, password, password.count, salt, salt.count,
            hashByteCount, &encoded, capacity)
        guard code == ARGON2_OK.rawValue else { throw Denial.busy }
        let bytes = encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func matches(_ password: [UInt8], _ hash: String) -> Bool {
        let code = unsafe hash.withCString { encoded in
            unsafe argon2id_verify(encoded, password, password.count)
        }
        return code == ARGON2_OK.rawValue
    }
}
