public import Crypto
public import RPC
public import Storage

/// Makes and reads page tokens: positions in a list that only this service can make, bound to the
/// method and the other arguments of the request.
public struct PageTokens: Sendable {
    /// The size of a page when the request names none.
    public static let sizeDefault = 50
    /// A larger page is answered with this size.
    public static let sizeMax = 500
    /// A longer token is refused unread.
    static let tokenBytesMax = 2_048
    private static let version: UInt8 = 2

    private let key: SymmetricKey

    /// Page tokens under a secret key.
    public init(key: SymmetricKey) {
        self.key = key
    }

    /// Page tokens under a secret of a process, the same after every start.
    public init(keys: KeyRing) {
        self.init(key: keys.secret(for: "page tokens"))
    }

    /// The page that a request asks for.
    ///
    /// - Parameters:
    ///   - context: The call.
    ///   - size: The request's `page_size`: 0 is 50, more than 500 is 500.
    ///   - token: The request's `page_token`: empty for the first page.
    ///   - arguments: The request with neither: a token is good for one set of arguments.
    /// - Returns: The page.
    /// - Throws: `INVALID_ARGUMENT` when the size is negative, or the token was not made here for
    ///   this method and these arguments.
    public func page(
        _ context: CallContext, size: Int32, token: String, arguments: some Message
    ) throws(Status) -> Page {
        guard size >= 0 else {
            throw Status.refusal(
                .pageSizeInvalid, "The page size must not be negative.",
                fields: [.init(field: "page_size", description: "This must not be negative.")])
        }
        let binding = binding(context.method, arguments)
        return Page(
            size: size == 0 ? Self.sizeDefault : min(Int(size), Self.sizeMax),
            after: token.isEmpty ? nil : try read(token, binding), key: key, binding: binding)
    }

    private func binding(_ method: MethodDescriptor, _ arguments: some Message) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: Array(method.path.utf8) + [0])
        hash.update(data: arguments.encoded())
        return Array(hash.finalize())
    }

    private func read(_ token: String, _ binding: [UInt8]) throws(Status) -> [SQLValue] {
        guard token.utf8.count <= Self.tokenBytesMax, let bytes = Base64URL.decode(token),
            bytes.first == Self.version,
            let box = try? AES.GCM.SealedBox(combined: bytes.dropFirst()),
            let content = try? AES.GCM.open(box, using: key, authenticating: binding),
            let values = KeysetCoding.decode(Array(content))
        else { throw .pageTokenInvalid }
        return values
    }

    /// Sealed, for a place may be that of something which the caller must not know of.
    fileprivate static func token(
        _ values: [SQLValue], _ binding: [UInt8], _ key: SymmetricKey
    ) -> String {
        let content = KeysetCoding.encode(values)
        guard let box = try? AES.GCM.seal(content, using: key, authenticating: binding),
            let combined = box.combined
        else { preconditionFailure("a key of the right size seals everything") }
        return Base64URL.encode([version] + Array(combined))
    }
}

/// A page that a request asks for.
public struct Page: Sendable {
    /// How many entries it may have.
    public let size: Int
    /// The keys of the last entry of the page before; nil for the first page.
    public let after: [SQLValue]?
    private let key: SymmetricKey
    private let binding: [UInt8]

    fileprivate init(size: Int, after: [SQLValue]?, key: SymmetricKey, binding: [UInt8]) {
        self.size = size
        self.after = after
        self.key = key
        self.binding = binding
    }

    /// How many rows to ask the database for: one more tells whether a page follows.
    public var limit: Int { size + 1 }

    /// Cuts rows to the page and makes the token of the next.
    ///
    /// - Parameters:
    ///   - rows: What the database answered to ``limit``.
    ///   - keys: The keys of an entry in the order of the list.
    /// - Returns: The entries of this page, and the token of the next; empty when there is none.
    public func cut<Entry>(
        _ rows: [Entry], keys: (Entry) -> [any SQLBindable]
    ) -> (entries: [Entry], nextToken: String) {
        guard rows.count > size, size > 0 else { return (rows, "") }
        let entries = Array(rows.prefix(size))
        return (entries, token(after: keys(entries[size - 1])))
    }

    /// The token of a page that begins after a place, for pages that end before they are full.
    ///
    /// - Parameter keys: The keys of the place in the order of the list.
    /// - Returns: The token.
    public func token(after keys: [any SQLBindable]) -> String {
        PageTokens.token(keys.map(\.sqlValue), binding, key)
    }
}

/// The keys in a page token, as bytes.
enum KeysetCoding {
    private static let valuesMax = 8

    static func encode(_ values: [SQLValue]) -> [UInt8] {
        values.flatMap { value -> [UInt8] in
            switch value {
            case .null: [0]
            case .integer(let number): [1] + bytes(UInt64(bitPattern: number))
            case .real(let number): [2] + bytes(number.bitPattern)
            case .text(let text): [3] + sized(Array(text.utf8))
            case .blob(let blob): [4] + sized(blob)
            }
        }
    }

    static func decode(_ bytes: [UInt8]) -> [SQLValue]? {
        var rest = bytes[...]
        var values: [SQLValue] = []
        while let tag = rest.popFirst() {
            guard values.count < valuesMax, let value = value(tag, &rest) else { return nil }
            values.append(value)
        }
        return values
    }

    private static func value(_ tag: UInt8, _ rest: inout ArraySlice<UInt8>) -> SQLValue? {
        switch tag {
        case 0: .null
        case 1: number(&rest).map { .integer(Int64(bitPattern: $0)) }
        case 2: number(&rest).map { .real(Double(bitPattern: $0)) }
        case 3: content(&rest).flatMap { String(validating: $0, as: UTF8.self) }.map { .text($0) }
        case 4: content(&rest).map { .blob(Array($0)) }
        default: nil
        }
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
    }

    private static func sized(_ content: [UInt8]) -> [UInt8] {
        bytes(UInt64(content.count)).suffix(2) + content.prefix(0xFFFF)
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        guard rest.count >= 8 else { return nil }
        defer { rest = rest.dropFirst(8) }
        return rest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func content(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let high = rest.popFirst(), let low = rest.popFirst() else { return nil }
        let count = Int(high) << 8 | Int(low)
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}

/// Bytes as text that fits into a URL: base64 with `-` and `_`, without padding.
enum Base64URL {
    private static let digits = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var buffer: UInt32 = 0
        var bits = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(digits[Int(buffer >> UInt32(bits) & 63)])
            }
        }
        if bits > 0 { text.append(digits[Int(buffer << UInt32(6 - bits) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }

    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer: UInt32 = 0
        var bits = 0
        for byte in text.utf8 {
            guard let digit = digits.firstIndex(of: byte) else { return nil }
            buffer = buffer << 6 | UInt32(digit)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        // One text for each content: left-over bits are zero, and never a whole digit.
        let isCanonical = bits < 6 && buffer & ((1 << UInt32(bits)) - 1) == 0
        return isCanonical ? bytes : nil
    }
}

extension Status {
    /// The refusal of a page token that another request has made, or nobody.
    public static var pageTokenInvalid: Status {
        refusal(
            .pageTokenInvalid, "This page token does not belong to this request.",
            fields: [.init(field: "page_token", description: "This token is not valid here.")])
    }
}
