extension Status {
    /// The status as an encoded `google.rpc.Status`.
    public func encoded() -> [UInt8] {
        encodedArray(byteCountMax: wireByteCount) { encode(into: &$0) }
    }

    /// Decodes a `google.rpc.Status`.
    ///
    /// - Throws: ``DecodingFault`` naming what is wrong.
    public init(decoding bytes: [UInt8]) throws(DecodingFault) {
        let span = unsafe bytes.span.bytes
        var cursor = WireCursor(0..<span.byteCount, in: "google.rpc.Status")
        self.init(.ok, "")
        while let tag = try cursor.next(span) {
            switch tag.number {
            case 1:
                try cursor.once(tag, .varint, "code")
                code = Code(wire: try cursor.varint(span))
            case 2:
                try cursor.once(tag, .length, "message")
                message = try cursor.text(span, "message")
            case 3:
                try cursor.check(tag, .length, "details")
                try append(detail: try cursor.range(span), span)
            default: try cursor.skip(tag, span)
            }
        }
    }

    /// More details than this are neither sent nor taken from a peer.
    static let detailsMax = 64

    /// Adds a decoded detail.
    mutating func append(detail range: Range<Int>, _ bytes: RawSpan) throws(DecodingFault) {
        guard details.count < Self.detailsMax else {
            throw DecodingFault(.tooManyFields, at: "google.rpc.Status.details")
        }
        details.append(try StatusDetail(any: range, bytes))
    }

    /// The bytes that ``encode(into:)`` appends.
    ///
    /// Fields 1 to 3 of an `End` frame are those of `google.rpc.Status`.
    var wireByteCount: Int {
        var count =
            WireSize.field(UInt64(code.rawValue))
            + WireSize.fieldUnlessEmpty(byteCount: message.utf8.count)
        for detail in details.prefix(Self.detailsMax) {
            count += WireSize.field(byteCount: detail.any.byteCount)
        }
        return count
    }

    func encode(into output: inout OutputRawSpan) {
        output.append(field: 1, varint: UInt64(code.rawValue))
        output.append(field: 2, text: message)
        for detail in details.prefix(Self.detailsMax) {
            let any = detail.any
            output.append(field: 3, byteCount: any.byteCount)
            output.append(field: 1, text: any.typeURL)
            output.append(field: 2, bytes: any.value)
        }
    }
}

extension Status.Code {
    /// The code with a number; numbers that gRPC does not know are ``unknown``.
    init(wire number: UInt64) {
        self = UInt32(exactly: number).flatMap(Status.Code.init(rawValue:)) ?? .unknown
    }
}

extension StatusDetail {
    private static let prefix = "type.googleapis.com/google.rpc."
    /// A detail with more violations or facts than this is kept as it is.
    private static let entriesMax = 1_024

    /// A `google.protobuf.Any`.
    fileprivate struct Packed {
        let typeURL: String
        let value: [UInt8]

        var byteCount: Int {
            WireSize.fieldUnlessEmpty(byteCount: typeURL.utf8.count)
                + WireSize.fieldUnlessEmpty(byteCount: value.count)
        }
    }

    fileprivate var any: Packed {
        switch self {
        case .errorInfo(let reason, let domain, let metadata):
            Packed(
                typeURL: Self.prefix + "ErrorInfo",
                value: .build { output in
                    output.append(field: 1, text: reason)
                    output.append(field: 2, text: domain)
                    // In order, so that equal statuses have equal bytes.
                    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
                        output.append(field: 3, fields: [key, value])
                    }
                })
        case .badRequest(let violations):
            Packed(
                typeURL: Self.prefix + "BadRequest",
                value: .build { output in
                    for violation in violations {
                        output.append(field: 1, fields: [violation.field, violation.description])
                    }
                })
        case .preconditionFailure(let violations):
            Packed(
                typeURL: Self.prefix + "PreconditionFailure",
                value: .build { output in
                    for violation in violations {
                        output.append(
                            field: 1,
                            fields: [violation.type, violation.subject, violation.description])
                    }
                })
        case .retryInfo(let delay):
            Packed(
                typeURL: Self.prefix + "RetryInfo",
                value: .build { output in
                    let (seconds, attoseconds) = max(delay, .zero).components
                    var duration: [UInt8] = []
                    duration.append(field: 1, varint: UInt64(seconds))
                    duration.append(field: 2, varint: UInt64(attoseconds / 1_000_000_000))
                    output.append(field: 1, content: duration)
                })
        case .other(let typeURL, let value): Packed(typeURL: typeURL, value: value)
        }
    }

    /// Decodes a `google.protobuf.Any`; a type that is not known, or a known one that does not
    /// decode, is kept as it is.
    init(any range: Range<Int>, _ bytes: RawSpan) throws(DecodingFault) {
        var cursor = WireCursor(range, in: "google.protobuf.Any")
        var typeURL = ""
        var content = range.upperBound..<range.upperBound
        while let tag = try cursor.next(bytes) {
            switch tag.number {
            case 1:
                try cursor.once(tag, .length, "type_url")
                typeURL = try cursor.text(bytes, "type_url")
            case 2:
                try cursor.once(tag, .length, "value")
                content = try cursor.range(bytes)
            default: try cursor.skip(tag, bytes)
            }
        }
        // A detail of a newer or foreign kind must not hide the status it belongs to.
        if let known = try? StatusDetail(typeURL: typeURL, content, bytes) {
            self = known
        } else {
            let value = unsafe bytes.extracting(content).withUnsafeBytes { unsafe [UInt8]($0) }
            self = .other(typeURL: typeURL, value: value)
        }
    }

    private init?(
        typeURL: String, _ range: Range<Int>, _ bytes: RawSpan
    ) throws(DecodingFault) {
        guard typeURL.hasPrefix(Self.prefix) else { return nil }
        switch typeURL.dropFirst(Self.prefix.count) {
        case "ErrorInfo": self = try Self.errorInfo(range, bytes)
        case "BadRequest":
            self = .badRequest(
                try Self.entries(range, "BadRequest", bytes).map {
                    FieldViolation(field: $0[0], description: $0[1])
                })
        case "PreconditionFailure":
            self = .preconditionFailure(
                try Self.entries(range, "PreconditionFailure", bytes).map {
                    PreconditionViolation(type: $0[0], subject: $0[1], description: $0[2])
                })
        case "RetryInfo": self = try Self.retryInfo(range, bytes)
        default: return nil
        }
    }

    private static func errorInfo(
        _ range: Range<Int>, _ bytes: RawSpan
    ) throws(DecodingFault) -> StatusDetail {
        var cursor = WireCursor(range, in: "ErrorInfo")
        var names = ["", ""]
        var entryCount = 0
        var metadata: [String: String] = [:]
        while let tag = try cursor.next(bytes) {
            switch tag.number {
            case 1, 2:
                try cursor.once(tag, .length, "reason")
                names[Int(tag.number) - 1] = try cursor.text(bytes, "reason")
            case 3:
                try cursor.check(tag, .length, "metadata")
                entryCount += 1
                guard entryCount <= entriesMax else { throw cursor.fault(.tooManyFields) }
                let entry = try texts(of: try cursor.range(bytes), "metadata", bytes)
                metadata[entry[0]] = entry[1]
            default: try cursor.skip(tag, bytes)
            }
        }
        return .errorInfo(reason: names[0], domain: names[1], metadata: metadata)
    }

    private static func retryInfo(
        _ range: Range<Int>, _ bytes: RawSpan
    ) throws(DecodingFault) -> StatusDetail {
        var cursor = WireCursor(range, in: "RetryInfo")
        var delay = Duration.zero
        while let tag = try cursor.next(bytes) {
            guard tag.number == 1 else {
                try cursor.skip(tag, bytes)
                continue
            }
            try cursor.once(tag, .length, "retry_delay")
            delay = try self.delay(try cursor.range(bytes), bytes)
        }
        return .retryInfo(delay: delay)
    }

    /// A `google.protobuf.Duration`: no less than nothing, and no longer than anyone waits.
    private static func delay(
        _ range: Range<Int>, _ bytes: RawSpan
    ) throws(DecodingFault) -> Duration {
        var cursor = WireCursor(range, in: "Duration")
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0
        while let tag = try cursor.next(bytes) {
            switch tag.number {
            case 1:
                try cursor.once(tag, .varint, "seconds")
                seconds = Int64(bitPattern: try cursor.varint(bytes))
            case 2:
                try cursor.once(tag, .varint, "nanos")
                nanoseconds = Int64(bitPattern: try cursor.varint(bytes))
            default: try cursor.skip(tag, bytes)
            }
        }
        guard seconds >= 0, nanoseconds >= 0 else { return .zero }
        return .seconds(min(seconds, 1 << 32)) + .nanoseconds(min(nanoseconds, 999_999_999))
    }

    /// The submessages in field 1, each of up to three texts.
    private static func entries(
        _ range: Range<Int>, _ name: String, _ bytes: RawSpan
    ) throws(DecodingFault) -> [[String]] {
        var cursor = WireCursor(range, in: name)
        var entries: [[String]] = []
        while let tag = try cursor.next(bytes) {
            guard tag.number == 1 else {
                try cursor.skip(tag, bytes)
                continue
            }
            try cursor.check(tag, .length, "violations")
            guard entries.count < entriesMax else { throw cursor.fault(.tooManyFields) }
            entries.append(try texts(of: try cursor.range(bytes), name, bytes))
        }
        return entries
    }

    /// The texts in fields 1 to 3 of a message.
    private static func texts(
        of range: Range<Int>, _ name: String, _ bytes: RawSpan
    ) throws(DecodingFault) -> [String] {
        var cursor = WireCursor(range, in: name)
        var texts = ["", "", ""]
        while let tag = try cursor.next(bytes) {
            guard (1...3).contains(tag.number), tag.has(.length) else {
                try cursor.skip(tag, bytes)
                continue
            }
            try cursor.once(tag, .length, "text")
            texts[Int(tag.number) - 1] = try cursor.text(bytes, "text")
        }
        return texts
    }
}

extension [UInt8] {
    /// Builds the encoded form of a small message.
    fileprivate static func build(_ body: (inout [UInt8]) -> Void) -> [UInt8] {
        var output: [UInt8] = []
        body(&output)
        return output
    }

    fileprivate mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    fileprivate mutating func append(field number: UInt64, varint value: UInt64) {
        guard value != 0 else { return }
        append(varint: number << 3)
        append(varint: value)
    }

    fileprivate mutating func append(field number: UInt64, content: [UInt8]) {
        append(varint: number << 3 | 2)
        append(varint: UInt64(content.count))
        append(contentsOf: content)
    }

    fileprivate mutating func append(field number: UInt64, text: String) {
        guard !text.utf8.isEmpty else { return }
        append(field: number, content: Array(text.utf8))
    }

    /// Appends a submessage whose fields 1, 2, … are texts.
    fileprivate mutating func append(field number: UInt64, fields texts: [String]) {
        append(
            field: number,
            content: .build { inner in
                for (index, text) in texts.enumerated() {
                    inner.append(field: UInt64(index + 1), text: text)
                }
            })
    }
}
