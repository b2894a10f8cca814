/// What one HTTP client may cost at most; every value is a named setting.
struct Limits: Sendable {
    /// The longest request target, in bytes; a longer one is answered 414.
    var targetBytesMax = 8 * 1_024
    /// The longest header field, name and value together, in bytes; a longer one is answered 431.
    var fieldBytesMax = 8 * 1_024
    /// All header fields together, in bytes; more is answered 431.
    var fieldListBytesMax = 32 * 1_024
    /// The most header fields; more is answered 431.
    var fieldCountMax = 100
    /// The most query parameters.
    var parameterCountMax = 100
    /// The largest body, in bytes; a larger one is answered 413.
    var bodyBytesMax = 1_024 * 1_024
    /// The largest form of a page, in bytes; a larger one is answered 413.
    ///
    /// A message of 10,000 characters has at most 120,000 bytes as browsers encode it.
    var formBytesMax = 160 * 1_024
    /// The largest file in a body, in bytes; a larger one is answered 413.
    var fileBytesMax = 16 * 1_024 * 1_024
    /// The largest file that is answered, in bytes.
    var fileBytesAnsweredMax = 64 * 1_024 * 1_024
    /// How long a file may take from or to a service.
    var fileTimeout: Duration = .seconds(120)
    /// The deepest nesting of a JSON body.
    var jsonDepthMax = 32
    /// How long a client may take from the first byte of a request to the end of its header.
    var headTimeout: Duration = .seconds(10)
    /// How long a client may take from the end of the header to the end of the body.
    var bodyTimeout: Duration = .seconds(30)
    /// How long a connection may stay without a request.
    var idleTimeout: Duration = .seconds(60)
    /// How long a client may take nothing of an answer: none of the parts of it that are written.
    var unreadTimeout: Duration = .seconds(30)
    /// The bytes of an answer that a client has to take in a second, averaged over the
    /// ``readingWindow``; who takes fewer is cut off.
    var readBytesPerSecondMin = 16 * 1_024
    /// Over how long the reading of an answer is averaged.
    var readingWindow: Duration = .seconds(60)
    /// How long an answer is being read before its average counts.
    var readingGrace: Duration = .seconds(30)
    /// How long a client may go on sending after the last answer on a connection.
    var lingerTimeout: Duration = .seconds(2)
    /// How long a service may take to answer a call.
    var callTimeout: Duration = .seconds(10)
    /// How long requests in flight may take once the gateway was asked to stop.
    var drainTimeout: Duration = .seconds(10)
    /// How many calls that need no session one address may make at once, and in the long run a
    /// minute; more are answered 429.
    ///
    /// A school behind one address has a class or three sign in at the beginning of a lesson.
    var openCallsPerMinuteMax = 120
    /// The most connections.
    var connectionsMax = 2_000
    /// The most connections from one address.
    var connectionsPerAddressMax = 100
    /// The most requests on one connection; the answer to the last one closes it.
    var requestsPerConnectionMax = 1_000

    /// The bytes that the system may keep before it sends them: without a limit megabytes, so that
    /// a reader who takes 100 KiB a second would look for half a minute like one who takes nothing.
    static let unsentBytesMax = 128 * 1_024

    /// What the decoder refuses before the gateway sees a header at all: above the limits that
    /// are answered in words, so that a client a little over them learns which one it was.
    static let decoderSlack = 2
}
