internal import CCURL

/// Hands mails to an SMTP server by libcurl, over one connection for as long as that lives.
///
/// With a user the connection is encrypted before anything is said, or nothing is: a password never
/// travels in clear. Certificates are verified.
@safe final class ServerDoor: MailDoor {
    // Once in a process, before its first use.
    private static let isLibraryReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private let server: MailServer
    private let connectMilliseconds: Int
    private let milliseconds: Int
    private let cancellation: MailCancellation
    private var handle: UnsafeMutableRawPointer?

    init(
        _ server: MailServer, connectTimeMax: Duration, timeMax: Duration,
        cancellation: MailCancellation
    ) {
        self.server = server
        connectMilliseconds = Int(connectTimeMax / .milliseconds(1))
        milliseconds = Int(timeMax / .milliseconds(1))
        self.cancellation = cancellation
    }

    deinit {
        if let handle = unsafe handle { unsafe curl_easy_cleanup(handle) }
    }

    func deliver(_ message: MailMessage) throws(MailFault) {
        if unsafe handle == nil, Self.isLibraryReady { unsafe handle = curl_easy_init() }
        guard let handle = unsafe handle else {
            throw .unreachable("there is no memory for a connection")
        }
        var exchange = unsafe mail_exchange()
        unsafe exchange.context = Unmanaged.passUnretained(cancellation).toOpaque()
        unsafe exchange.is_cancelled = { context, isContentSent in
            guard let context = unsafe context else { return 0 }
            let cancellation = unsafe Unmanaged<MailCancellation>.fromOpaque(context)
                .takeUnretainedValue()
            return cancellation.isDue(isContentSent: isContentSent != 0) ? 1 : 0
        }
        let outcome = unsafe message.encoded().withUnsafeBufferPointer { bytes in
            unsafe exchange.bytes = bytes.baseAddress
            unsafe exchange.count = bytes.count
            return unsafe withServer { server in
                unsafe mail_send(
                    handle, server, message.from.address.text, message.to.text, &exchange)
            }
        }
        let reply = unsafe withUnsafeBytes(of: exchange.reply) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if let fault = unsafe ServerReply(
            outcome: outcome, stage: Int(exchange.reply_stage), text: reply
        ).fault {
            throw fault
        }
    }

    private func withServer<Value>(
        _ body: (UnsafePointer<mail_server>) -> Value
    ) -> Value {
        unsafe server.url.withCString { url in
            unsafe Self.withOptional(server.signIn?.user) { user in
                unsafe Self.withOptional(server.signIn?.password) { password in
                    unsafe Self.withOptional(server.authorities) { authorities in
                        let told = unsafe mail_server(
                            url: url, user: user, password: password, authorities: authorities,
                            connect_milliseconds_max: connectMilliseconds,
                            milliseconds_max: milliseconds)
                        return unsafe withUnsafePointer(to: told) { unsafe body($0) }
                    }
                }
            }
        }
    }

    private static func withOptional<Value>(
        _ text: String?, _ body: (UnsafePointer<CChar>?) -> Value
    ) -> Value {
        guard let text else { return body(nil) }
        return unsafe text.withCString { unsafe body($0) }
    }
}

/// How the exchange with a server ended.
struct ServerReply {
    let outcome: CURLcode
    /// Which command the server's last line answers.
    let stage: Int
    /// That line; empty when it said nothing.
    let text: String

    /// Why the mail was not taken; nil: it was.
    ///
    /// What the server says for good of a receiver or of the content is the mail's fault, and what
    /// it says of the sender or of the sign-in is the installation's: that is mended, and the mails
    /// wait for it.
    var fault: MailFault? {
        guard outcome != CURLE_OK else { return nil }
        if outcome == CURLE_ABORTED_BY_CALLBACK { return .cancelled }
        let isAnswer = outcome == CURLE_SEND_ERROR || outcome == CURLE_WEIRD_SERVER_REPLY
        guard isAnswer, let code = Int(text.prefix(3)), (400..<600).contains(code) else {
            let library = unsafe String(cString: curl_easy_strerror(outcome))
            // The last line may answer a command that names somebody.
            let isOpening = stage == Int(MAIL_STAGE_OPENING.rawValue)
            let said = isOpening ? visible : MailFault.codes(of: visible)
            return .unreachable(said.isEmpty ? library : "\(library): \(said)")
        }
        switch stage {
        case Int(MAIL_STAGE_RECEIVER.rawValue), Int(MAIL_STAGE_CONTENT.rawValue):
            return code >= 500 ? .refused(visible) : .postponed(visible)
        case Int(MAIL_STAGE_SENDER.rawValue): return .postponed(visible)
        default: return .unreachable(visible)
        }
    }

    /// The server's words, on one line.
    private var visible: String { Letter.line(text) }
}
