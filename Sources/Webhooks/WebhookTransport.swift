internal import CCURL
internal import Dispatch
internal import Synchronization

/// Sends calls, each on a thread of its own for as long as it takes, never on one of the few that
/// run Swift's tasks.
///
/// Who sends bounds how many go at once: each holds a thread for up to ``timeMax``.
public final class WebhookTransport: Sendable {
    /// How long a connection may take to be made, encryption included.
    public static let connectTimeMax: Duration = .seconds(5)
    /// How long a call may take in all.
    public static let timeMax: Duration = .seconds(15)
    /// So many doors are kept open with their connections.
    private static let doorsKeptMax = 16

    private let rules: AddressRules
    private let allowsPlaintext: Bool
    private let authorities: String?
    private let connectTimeMax: Duration
    private let timeMax: Duration
    private let free = Mutex<[Door]>([])

    /// A transport; nothing is opened before the first call.
    ///
    /// - Parameters:
    ///   - rules: Which addresses may be called.
    ///   - allowsPlaintext: Whether http may be used.
    ///   - authorities: The file of certificates that vouch for receivers; nil: those of the
    ///     machine.
    ///   - connectTimeMax: How long a connection may take to be made.
    ///   - timeMax: How long a call may take.
    public init(
        rules: AddressRules, allowsPlaintext: Bool = false, authorities: String? = nil,
        connectTimeMax: Duration = connectTimeMax, timeMax: Duration = timeMax
    ) {
        self.rules = rules
        self.allowsPlaintext = allowsPlaintext
        self.authorities = authorities
        self.connectTimeMax = connectTimeMax
        self.timeMax = timeMax
    }

    /// Sends a call and waits for the answer, of which the status alone counts.
    ///
    /// A task that is cancelled is let go of soon: at once before the call is sent, and a moment
    /// later when the answer is missing.
    public func send(_ call: WebhookCall) async -> WebhookOutcome {
        guard !Task.isCancelled else { return .cancelled }
        guard allowsPlaintext || call.url.lowercased().hasPrefix("https://") else {
            return .unanswered("Calls by http are not allowed.")
        }
        let door = free.withLock { $0.popLast() } ?? Door()
        let watch = Watch(rules)
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                door.queue.async {
                    continuation.resume(
                        returning: door.post(
                            call, authorities: self.authorities,
                            connectMilliseconds: Int(self.connectTimeMax / .milliseconds(1)),
                            milliseconds: Int(self.timeMax / .milliseconds(1)), watch))
                }
            }
        } onCancel: {
            watch.cancel()
        }
        free.withLock { if $0.count < Self.doorsKeptMax { $0.append(door) } }
        return outcome
    }
}

/// What is asked while a call is on its way.
private final class Watch: Sendable {
    /// How long an answer is waited for once the program ends: a call whose end is not known is
    /// sent again.
    private static let lastWordTimeMax: Duration = .seconds(3)

    private let rules: AddressRules
    private let cancelledAt = Mutex<ContinuousClock.Instant?>(nil)

    init(_ rules: AddressRules) {
        self.rules = rules
    }

    func cancel() {
        cancelledAt.withLock { $0 = $0 ?? .now }
    }

    func isDue(isSent: Bool) -> Bool {
        guard let start = cancelledAt.withLock({ $0 }) else { return false }
        return !isSent || start.duration(to: .now) > Self.lastWordTimeMax
    }

    func admits(_ bytes: [UInt8]) -> Bool {
        NetworkAddress(bytes: bytes).map(rules.admits) ?? false
    }
}

/// A handle of curl, for one call at a time.
private final class Door: Sendable {
    // Once in a process, before its first use.
    private static let isLibraryReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// A thread of its own: a queue that is not serial shares the threads of Swift's tasks.
    let queue = DispatchQueue(label: "guildhall.webhooks")
    private let handle = Mutex(Handle())

    func post(
        _ call: WebhookCall, authorities: String?, connectMilliseconds: Int, milliseconds: Int,
        _ watch: Watch
    ) -> WebhookOutcome {
        guard Self.isLibraryReady else { return .unanswered("curl does not start") }
        return handle.withLock { handle in
            handle.post(
                call, authorities: authorities, connectMilliseconds: connectMilliseconds,
                milliseconds: milliseconds, watch)
        }
    }
}

@safe private final class Handle {
    private var handle: UnsafeMutableRawPointer?

    deinit {
        if let handle = unsafe handle { unsafe curl_easy_cleanup(handle) }
    }

    func post(
        _ call: WebhookCall, authorities: String?, connectMilliseconds: Int, milliseconds: Int,
        _ watch: Watch
    ) -> WebhookOutcome {
        if unsafe handle == nil { unsafe handle = curl_easy_init() }
        guard let handle = unsafe handle else {
            return .unanswered("there is no memory for a connection")
        }
        var exchange = unsafe webhook_exchange()
        unsafe exchange.connect_milliseconds_max = connectMilliseconds
        unsafe exchange.milliseconds_max = milliseconds
        unsafe exchange.context = Unmanaged.passUnretained(watch).toOpaque()
        unsafe exchange.is_allowed = { context, bytes, count in
            guard let context = unsafe context, let bytes = unsafe bytes else { return 0 }
            let watch = unsafe Unmanaged<Watch>.fromOpaque(context).takeUnretainedValue()
            return watch.admits(
                unsafe Array(UnsafeBufferPointer(start: bytes, count: count))) ? 1 : 0
        }
        unsafe exchange.is_cancelled = { context, isSent in
            guard let context = unsafe context else { return 0 }
            let watch = unsafe Unmanaged<Watch>.fromOpaque(context).takeUnretainedValue()
            return watch.isDue(isSent: isSent != 0) ? 1 : 0
        }
        let outcome = unsafe Self.withTexts([call.url, authorities ?? ""] + call.headers) { texts in
            unsafe exchange.url = texts[0]
            unsafe exchange.authorities = authorities == nil ? nil : texts[1]
            return unsafe call.body.withUnsafeBytes { body in
                unsafe exchange.body = body.bindMemory(to: CChar.self).baseAddress
                unsafe exchange.body_count = body.count
                unsafe exchange.headers = texts.baseAddress.map { unsafe $0 + 2 }
                unsafe exchange.header_count = texts.count - 2
                return unsafe webhook_post(handle, &exchange)
            }
        }
        let seconds = unsafe exchange.retry_after_seconds
        return Self.outcome(
            outcome, status: unsafe exchange.status,
            retryAfter: seconds > 0 ? .seconds(seconds) : nil,
            isRefused: unsafe exchange.is_refused != 0)
    }

    /// What is known of the call; a status counts, whether the rest of the answer came or not.
    private static func outcome(
        _ code: CURLcode, status: Int, retryAfter: Duration?, isRefused: Bool
    ) -> WebhookOutcome {
        if status >= 200 { return .answered(status, retryAfter: retryAfter) }
        if code == CURLE_ABORTED_BY_CALLBACK { return .cancelled }
        // Where one address of several was refused, the others did not answer either.
        if isRefused { return .unanswered("The address is not of the public Internet.") }
        return .unanswered("\(unsafe String(cString: curl_easy_strerror(code))).")
    }

    /// Texts as C has them, for as long as the closure runs.
    private static func withTexts<Value>(
        _ texts: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Value
    ) -> Value {
        // One after the other, each with its end.
        var starts: [Int] = []
        var bytes: [CChar] = []
        for text in texts {
            starts.append(bytes.count)
            bytes += text.utf8.map { CChar(bitPattern: $0) } + [0]
        }
        return unsafe bytes.withUnsafeBufferPointer { memory in
            let pointers = unsafe starts.map { start in
                unsafe memory.baseAddress.map { unsafe $0 + start }
            }
            return unsafe pointers.withUnsafeBufferPointer { unsafe body($0) }
        }
    }
}
