/// Names and values that accompany a call, beside its messages.
///
/// Keys are lower-case ASCII letters, digits, `-`, `_` and `.`; a key that ends in `-bin` carries
/// bytes, every other carries text. A key may occur more than once.
public struct Metadata: Sendable, Hashable {
    /// Keys and values together may take this many bytes.
    public static let byteCountMax = 8 * 1_024
    /// The most entries.
    public static let entryCountMax = 64

    /// A value: text under ordinary keys, bytes under keys that end in `-bin`.
    public enum Value: Sendable, Hashable {
        /// UTF-8 text.
        case text(String)
        /// Any bytes.
        case bytes([UInt8])
    }

    /// One key with its value.
    public struct Entry: Sendable, Hashable {
        /// The key, in lower case.
        public let key: String
        /// The value.
        public let value: Value

        /// An entry.
        public init(key: String, value: Value) {
            self.key = key
            self.value = value
        }
    }

    /// The entries in the order in which they were added.
    public private(set) var entries: [Entry] = []

    /// No entries.
    public init() {}

    /// Whether there is no entry.
    public var isEmpty: Bool { entries.isEmpty }

    /// The bytes that keys and values take together.
    public var byteCount: Int {
        entries.reduce(0) { sum, entry in
            switch entry.value {
            case .text(let text): sum + entry.key.utf8.count + text.utf8.count
            case .bytes(let bytes): sum + entry.key.utf8.count + bytes.count
            }
        }
    }

    /// Adds an entry after those already there.
    public mutating func append(_ value: Value, for key: String) {
        entries.append(Entry(key: key, value: value))
    }

    /// Removes every entry with the key.
    public mutating func removeAll(_ key: String) {
        entries.removeAll { $0.key == key }
    }

    /// The first text under a key; setting replaces every entry with the key.
    public subscript(text key: String) -> String? {
        get {
            for entry in entries where entry.key == key {
                if case .text(let text) = entry.value { return text }
            }
            return nil
        }
        set {
            removeAll(key)
            if let newValue { append(.text(newValue), for: key) }
        }
    }

    /// The first bytes under a key; setting replaces every entry with the key.
    public subscript(bytes key: String) -> [UInt8]? {
        get {
            for entry in entries where entry.key == key {
                if case .bytes(let bytes) = entry.value { return bytes }
            }
            return nil
        }
        set {
            removeAll(key)
            if let newValue { append(.bytes(newValue), for: key) }
        }
    }

    /// Checks keys, values and sizes before metadata is sent or after it was received.
    ///
    /// - Throws: ``Status/Code/invalidArgument`` or ``Status/Code/resourceExhausted`` with a
    ///   sentence that names the first fault.
    public func validate() throws(Status) {
        guard entries.count <= Metadata.entryCountMax else {
            throw Status(
                .resourceExhausted,
                "The metadata has \(entries.count) entries; \(Metadata.entryCountMax) are allowed.")
        }
        var total = 0
        for entry in entries {
            guard Metadata.isLegal(key: entry.key) else {
                throw Status(.invalidArgument, "The metadata holds an illegal key.")
            }
            let isBinary: Bool
            switch entry.value {
            case .text(let text):
                isBinary = false
                total += text.utf8.count
            case .bytes(let bytes):
                isBinary = true
                total += bytes.count
            }
            guard isBinary == Metadata.isBinary(key: entry.key) else {
                throw Status(
                    .invalidArgument,
                    "The metadata \(entry.key) carries \(isBinary ? "bytes" : "text"); "
                        + "keys ending in -bin carry bytes, all others text.")
            }
            total += entry.key.utf8.count
        }
        guard total <= Metadata.byteCountMax else {
            throw Status(
                .resourceExhausted,
                "The metadata takes \(total) bytes; \(Metadata.byteCountMax) are allowed.")
        }
    }

    /// Whether a key ends in `-bin` and so carries bytes.
    public static func isBinary(key: String) -> Bool {
        key.utf8.suffix(4).elementsEqual("-bin".utf8)
    }

    /// Whether a key is legal.
    public static func isLegal(key: String) -> Bool {
        guard !key.utf8.isEmpty, key.utf8.count <= 128 else { return false }
        return key.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: ".")
        }
    }
}

/// Metadata keys that every service understands.
public enum MetadataKey {
    /// The idempotency key of a mutating call: 1 to 128 visible ASCII characters, text.
    public static let idempotencyKey = "idempotency-key"
    /// The signed principal on whose behalf the call is made: bytes.
    public static let principal = "guildhall-principal-bin"
    /// The identifier of the request in logs and errors: text.
    public static let requestID = "request-id"
    /// The bearer credential of a caller at the gateway: text.
    public static let authorization = "authorization"
    /// The W3C trace context: text, passed through.
    public static let traceParent = "traceparent"
}
