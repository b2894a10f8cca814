import Crypto
import Encodings

/// SHA-256, as session tokens and styles are known by.
enum Digest {
    /// The digest of bytes.
    static func sha256(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        Array(SHA256.hash(data: Array(bytes)))
    }

    /// The digest of a text in Base64, as a content security policy has it.
    static func base64(of text: String) -> String {
        Base64.encode(sha256(text.utf8))
    }
}
