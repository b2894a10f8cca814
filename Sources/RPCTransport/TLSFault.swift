internal import Glibc
import NIOSSL

/// Why certificates cannot be used, or a connection could not be protected, in a sentence.
public struct TLSFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The sentence, without its end.
    public let description: String

    init(_ description: String) {
        self.description = description
    }

    static let serverSpeaksTLS = TLSFault("the server speaks TLS, this client does not")
}

/// The time of day, which certificates are held against.
enum WallSeconds {
    /// Seconds since 1970.
    static var now: Int { time(nil) }
}

extension TLSFault {
    /// What an error of the TLS library means.
    ///
    /// - Parameters:
    ///   - error: The error.
    ///   - certificate: What the other side has shown, if it came so far.
    ///   - now: Seconds since 1970.
    init(_ error: any Error, showing certificate: NIOSSLCertificate?, at now: Int) {
        switch error {
        case let fault as TLSFault: self = fault
        case NIOSSLError.handshakeFailed(let inner):
            self.init("TLS handshake: \(Self.meaning(of: inner, certificate, now))")
        case let error as BoringSSLError:
            self.init("TLS: \(Self.meaning(of: error, certificate, now))")
        case is NIOSSLExtraError:
            self.init("TLS handshake: the certificate of the other side is for another name")
        default: self.init("TLS: \(error)")
        }
    }

    private static func meaning(
        of error: BoringSSLError, _ certificate: NIOSSLCertificate?, _ now: Int
    ) -> String {
        guard case .sslError(let stack) = error, let first = stack.first else { return "\(error)" }
        if first == .eofDuringHandshake { return "the other side closed the connection" }
        let reason = reason(in: first.description)
        if reason == "CERTIFICATE_VERIFY_FAILED" { return doubt(about: certificate, now) }
        return meanings.first { reason.hasSuffix($0.suffix) }?.meaning ?? reason
    }

    /// Why a certificate was not accepted, as far as its dates tell.
    private static func doubt(about certificate: NIOSSLCertificate?, _ now: Int) -> String {
        if let certificate, certificate.notValidAfter < now {
            return "the certificate of the other side has expired"
        }
        if let certificate, certificate.notValidBefore > now {
            return "the certificate of the other side is not valid yet"
        }
        return "the certificate of the other side is not from a trusted authority for this use"
    }

    /// The library's own word, out of `error:10000410:SSL routines:OPENSSL_internal:WORD at …`.
    private static func reason(in text: String) -> String {
        guard let last = text.split(separator: ":").first(where: { $0.contains(" at ") }) else {
            return text
        }
        return last.split(separator: " ").first.map(String.init) ?? text
    }

    /// Alerts of the other side have several spellings, alike at their end.
    private static let meanings: [(suffix: String, meaning: String)] = [
        ("WRONG_VERSION_NUMBER", "the other side does not speak TLS"),
        ("HTTP_REQUEST", "the other side does not speak TLS"),
        ("UNSUPPORTED_PROTOCOL", "the other side does not speak TLS 1.3"),
        ("ALERT_PROTOCOL_VERSION", "the other side does not speak TLS 1.3"),
        ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "the other side showed no certificate"),
        ("CERTIFICATE_REQUIRED", "the other side demands a certificate"),
        ("UNKNOWN_CA", "the other side does not trust the authority of the certificate shown"),
        ("CERTIFICATE_EXPIRED", "the other side says that the certificate shown has expired"),
        ("CERTIFICATE_UNKNOWN", "the other side does not accept the certificate shown"),
        ("BAD_CERTIFICATE", "the other side does not accept the certificate shown"),
        ("UNSUPPORTED_CERTIFICATE", "the other side does not accept the certificate for this use"),
    ]
}
