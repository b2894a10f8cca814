import Access
import Crypto
import ServiceKit

/// The secret of an API key: 256 bits as text, of which only a hash is kept.
///
/// It is made from the identifier of the key and the idempotency key of the call that made it,
/// under a secret of this process: a call that is repeated is answered the same secret, and neither
/// the database nor the reply that is kept there has it. Whoever has that secret of the process and
/// the database lacks the idempotency key alone, which protects if it cannot be guessed.
enum APIKeySecret {
    /// What the secret of the process is for.
    static let purpose = "secrets of API keys"
    /// How every secret begins, so that people and scanners of secrets know it.
    static let beginning = "ghk_"
    /// How many characters are kept, and shown, for people to tell keys apart: 8 of them are
    /// random, and leave more than 200 bits to guess.
    static let prefixLength = 12

    /// The secret of a key.
    ///
    /// - Parameters:
    ///   - id: The key.
    ///   - idempotencyKey: That of the call that made the key.
    ///   - secret: That of the process.
    /// - Returns: The text.
    static func text(
        of id: APIKeyID, madeUnder idempotencyKey: String, with secret: SymmetricKey
    ) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: id.bytes + Array(idempotencyKey.utf8), using: secret)
        return beginning + base62(Array(code))
    }

    /// Whether a credential says of itself that it is the secret of an API key.
    static func isOfForm(_ token: String) -> Bool { token.hasPrefix(beginning) }

    static func hash(of text: String) -> [UInt8] { SessionToken.hash(of: text) }

    static func prefix(of text: String) -> String { String(text.prefix(prefixLength)) }

    /// 32 bytes as 43 letters and digits: a number to the base 62, the last digit first.
    private static func base62(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        var number = bytes
        let text = (0..<43).map { _ in
            var rest = 0
            for index in number.indices {
                let part = rest << 8 | Int(number[index])
                number[index] = UInt8(part / 62)
                rest = part % 62
            }
            return digits[rest]
        }
        return String(decoding: text, as: UTF8.self)
    }
}
