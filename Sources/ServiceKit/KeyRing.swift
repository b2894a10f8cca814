public import Crypto
internal import Encodings
import Synchronization

/// The keys by which the processes of an installation know one another.
///
/// The folder holds `<name>.key`, this process's private key (32 bytes in hexadecimal, mode 0600),
/// and `trusted/<name>.pub`, the public key of each process that is believed. A process without a
/// key makes one and puts its public half among the trusted: whoever may write to the folder may
/// join the installation.
public final class KeyRing: Sendable {
    /// A name that is not known is looked for in the folder at most this often.
    static let lookupPause: Duration = .seconds(1)
    /// The most names that are remembered.
    static let trustedMax = 64

    /// Why the keys cannot be used.
    public struct Fault: Error, Sendable, CustomStringConvertible {
        /// What is wrong, in a line for the operator.
        public let description: String
    }

    /// The name of this process's key.
    public let name: String
    private let folder: String
    private let privateKey: Curve25519.Signing.PrivateKey
    private let trusted = Mutex(Trusted())

    private struct Trusted {
        var keys: [String: Curve25519.Signing.PublicKey] = [:]
        var nextLookup: ContinuousClock.Instant?
    }

    /// Opens the key ring of a process; makes its key if there is none.
    ///
    /// - Parameters:
    ///   - folder: Where the keys are; made if it is missing.
    ///   - name: The name of the process, such as `membership`.
    /// - Throws: ``Fault`` when a key is malformed, open to others or cannot be made.
    public init(folder: String, name: String) throws(Fault) {
        guard Self.isLegal(name: name) else {
            throw Fault(description: "\(name) is not a name of a key")
        }
        self.folder = folder
        self.name = name
        do {
            privateKey = try Self.openKey(folder: folder, name: name)
        } catch {
            throw Fault(description: "\(error)")
        }
    }

    /// The public key of a trusted process; nil when there is none.
    ///
    /// - Parameters:
    ///   - name: The name of its key.
    ///   - isStale: Whether the key that is known did not fit, and the folder may hold a newer one.
    /// - Returns: The key, or nil.
    func publicKey(of name: String, isStale: Bool = false) -> Curve25519.Signing.PublicKey? {
        guard Self.isLegal(name: name) else { return nil }
        return trusted.withLock { trusted in
            if !isStale, let known = trusted.keys[name] { return known }
            let now = ContinuousClock.now
            if let next = trusted.nextLookup, now < next { return nil }
            // Few and small: a strange name costs one look into the folder a second.
            guard let found = Self.readPublicKey(folder: folder, name: name) else {
                trusted.nextLookup = now.advanced(by: Self.lookupPause)
                return nil
            }
            if isStale { trusted.nextLookup = now.advanced(by: Self.lookupPause) }
            if trusted.keys.count >= Self.trustedMax { trusted.keys.removeAll() }
            trusted.keys[name] = found
            return found
        }
    }

    /// Signs bytes with the key of this process.
    func signature(for bytes: [UInt8]) throws -> [UInt8] {
        Array(try privateKey.signature(for: bytes))
    }

    /// A secret that this process can make again at any time, for one purpose.
    ///
    /// - Parameter purpose: Names the purpose; other purposes get other secrets.
    /// - Returns: The secret.
    public func secret(for purpose: String) -> SymmetricKey {
        let seed = SymmetricKey(data: privateKey.rawRepresentation)
        return SymmetricKey(
            data: HMAC<SHA256>.authenticationCode(
                for: Array("guildhall \(purpose)".utf8), using: seed))
    }

    private static func openKey(
        folder: String, name: String
    ) throws -> Curve25519.Signing.PrivateKey {
        let path = "\(folder)/\(name).key"
        if try PrivateFile.read(path, isSecret: true) == nil {
            try PrivateFile.createFolder("\(folder)/trusted")
            let fresh = Curve25519.Signing.PrivateKey()
            _ = try PrivateFile.create(path, text(fresh.rawRepresentation), mode: 0o600)
        }
        guard let content = try PrivateFile.read(path, isSecret: true),
            let seed = bytes(content)
        else { throw Fault(description: "\(path) is not a key of 32 bytes in hexadecimal") }
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        try publish(key.publicKey, folder: folder, name: name)
        return key
    }

    /// Puts the public half among the trusted, unless somebody has decided what stands there.
    private static func publish(
        _ key: Curve25519.Signing.PublicKey, folder: String, name: String
    ) throws {
        let path = "\(folder)/trusted/\(name).pub"
        guard try PrivateFile.read(path, isSecret: false) == nil else { return }
        try PrivateFile.createFolder("\(folder)/trusted")
        _ = try PrivateFile.create(path, text(key.rawRepresentation), mode: 0o644)
    }

    private static func readPublicKey(
        folder: String, name: String
    ) -> Curve25519.Signing.PublicKey? {
        // A file that cannot be read or is no key is nobody's key: the caller is not believed.
        guard let content = try? PrivateFile.read("\(folder)/trusted/\(name).pub", isSecret: false),
            let raw = bytes(content)
        else { return nil }
        return try? Curve25519.Signing.PublicKey(rawRepresentation: raw)
    }

    private static func isLegal(name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-")
            }
    }

    private static func text(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        Array("\(Hexadecimal.text(bytes))\n".utf8)
    }

    /// 32 bytes, as they are or in hexadecimal.
    private static func bytes(_ content: [UInt8]) -> [UInt8]? {
        if content.count == 32 { return content }
        var digits = content[...]
        while let last = digits.last, last == 0x0A || last == 0x0D || last == 0x20 {
            digits.removeLast()
        }
        guard digits.count == 64 else { return nil }
        // Keys that come from elsewhere may be written in capitals.
        return Hexadecimal.bytes(digits.map { (0x41...0x46).contains($0) ? $0 | 0x20 : $0 })
    }
}
