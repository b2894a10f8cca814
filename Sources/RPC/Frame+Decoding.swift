extension Frame {
    /// Decodes a frame from the bytes after its length.
    ///
    /// Messages within are not copied: the frame holds their ranges in the bytes given.
    /// - Throws: ``FrameFault`` naming what is wrong.
    public init(decoding bytes: RawSpan) throws(FrameFault) {
        let envelope: Envelope
        do throws(DecodingFault) {
            envelope = try Envelope(bytes)
        } catch {
            throw .wire(error)
        }
        guard let kind = envelope.kind else { throw .noKind }
        guard !envelope.hasSeveralKinds else { throw .severalKinds }
        let isOfCall = (2...6).contains(kind)
        guard envelope.call != 0 || !isOfCall else { throw .callMissing }
        guard envelope.call == 0 || isOfCall else { throw .callUnexpected }
        do throws(DecodingFault) {
            self = try Frame(kind: kind, call: envelope.call, envelope.range, bytes)
        } catch {
            throw .wire(error)
        }
        switch self {
        case .open(_, let opening):
            switch opening.method {
            case .number(0): throw .methodMissing
            case .path(Opening.twice): throw .methodTwice
            default: break
            }
        case .settings(let settings):
            guard settings.frameBytesMax == 0 || settings.frameBytesMax >= Frame.byteCountMin
            else { throw .frameSizeTooSmall }
        case .data(_, message: nil, endOfStream: false): throw .dataMissing
        default: break
        }
    }

    private init(
        kind: UInt64, call: UInt32, _ range: Range<Int>, _ bytes: RawSpan
    ) throws(DecodingFault) {
        switch kind {
        case 2: self = .open(call: call, try Opening(range, bytes))
        case 3: self = try Frame(data: range, of: call, bytes)
        case 4: self = .end(call: call, try Ending(range, bytes))
        case 5:
            try Frame.checkEmpty(range, bytes)
            self = .cancel(call: call)
        case 6:
            let number = try Frame.number(range, "Window", bytes)
            self = .window(call: call, bytes: UInt32(clamping: number))
        case 7: self = .ping(number: try Frame.number(range, "Ping", bytes))
        case 8: self = .pong(number: try Frame.number(range, "Pong", bytes))
        case 9: self = .goaway(try Goaway(range, bytes))
        case 10: self = .settings(try Settings(range, bytes))
        default: self = try Frame(deflated: range, bytes)
        }
    }

    private init(data range: Range<Int>, of call: UInt32, _ bytes: RawSpan) throws(DecodingFault) {
        var cursor = WireCursor(range, in: "Data")
        var message: Range<Int>?
        var endOfStream = false
        while let tag = try cursor.next(bytes) {
            switch tag.number {
            case 1:
                try cursor.once(tag, .length, "message")
                message = try cursor.range(bytes)
            case 2:
                try cursor.once(tag, .varint, "end_of_stream")
                endOfStream = try cursor.bool(bytes)
            default: try cursor.skip(tag, bytes)
            }
        }
        self = .data(call: call, message: message, endOfStream: endOfStream)
    }

    private init(deflated range: Range<Int>, _ bytes: RawSpan) throws(DecodingFault) {
        var cursor = WireCursor(range, in: "Deflated")
        var byteCount: UInt32 = 0
        var content = 0..<0
        while let tag = try cursor.next(bytes) {
            switch tag.number {
            case 1:
                try cursor.once(tag, .varint, "byte_count")
                byteCount = try cursor.uint32(bytes, "byte_count")
            case 2:
                try cursor.once(tag, .length, "content")
                content = try cursor.range(bytes)
            default: try cursor.skip(tag, bytes)
            }
        }
        self = .deflated(byteCount: Int(byteCount), content: content)
    }

    /// The one number of a ping, pong or window.
    private static func number(
        _ range: Range<Int>, _ name: String, _ bytes: RawSpan
    ) throws(DecodingFault) -> UInt64 {
        var cursor = WireCursor(range, in: name)
        var number: UInt64 = 0
        while let tag = try cursor.next(bytes) {
            guard tag.number == 1 else {
                try cursor.skip(tag, bytes)
                continue
            }
            try cursor.once(tag, .varint, "number")
            number = try cursor.varint(bytes)
        }
        return number
    }

    private static func checkEmpty(_ range: Range<Int>, _ bytes: RawSpan) throws(DecodingFault) {
        var cursor = WireCursor(range, in: "Cancel")
        while let tag = try cursor.next(bytes) { try cursor.skip(tag, bytes) }
    }
}

/// The outer fields of a frame: which call, which kind, and where its content lies.
private struct Envelope {
    var call: UInt32 = 0
    var kind: UInt64?
    var hasSeveralKinds = false
    var range = 0..<0

    init(_ bytes: RawSpan) throws(DecodingFault) {
        var cursor = WireCursor(0..<bytes.byteCount, in: "Frame")
        while let tag = try cursor.next(bytes) {
            switch tag.number {
            case 1:
                try cursor.once(tag, .varint, "call")
                call = try cursor.uint32(bytes, "call")
            case 2...11:
                try cursor.once(tag, .length, "kind")
                if kind != nil { hasSeveralKinds = true }
                kind = tag.number
                range = try cursor.range(bytes)
            default: try cursor.skip(tag, bytes)
            }
        }
    }
}

extension Frame.Opening {
    /// Stands for a method named twice until the frame is refused; no path is empty.
    fileprivate static let twice = ""

    fileprivate init(_ range: Range<Int>, _ bytes: RawSpan) throws(DecodingFault) {
        var cursor = WireCursor(range, in: "Open")
        var path: String?
        var number: UInt32 = 0
        var microseconds: UInt64 = 0
        var metadata = Metadata()
        var metadataCount = 0
        var message: Range<Int>?
        var endOfStream = false
        var window: UInt32 = 0
        while let tag = try cursor.next(bytes) {
            switch tag.number {
            case 1:
                try cursor.once(tag, .length, "path")
                let text = try cursor.text(bytes, "path")
                path = text.isEmpty ? nil : text
            case 2:
                try cursor.once(tag, .varint, "number")
                number = try cursor.uint32(bytes, "number")
            case 3:
                try cursor.once(tag, .varint, "timeout_us")
                microseconds = try cursor.varint(bytes)
            case 4:
                try cursor.check(tag, .length, "metadata")
                metadataCount += 1
                guard metadataCount <= Metadata.decodedEntriesMax else {
                    throw cursor.fault(.tooManyFields, "metadata")
                }
                try metadata.append(entry: try cursor.range(bytes), bytes)
            case 5:
                try cursor.once(tag, .length, "message")
                message = try cursor.range(bytes)
            case 6:
                try cursor.once(tag, .varint, "end_of_stream")
                endOfStream = try cursor.bool(bytes)
            case 7:
                try cursor.once(tag, .varint, "window")
                window = try cursor.uint32(bytes, "window")
            default: try cursor.skip(tag, bytes)
            }
        }
        self.init(
            method: path.map { .path(number == 0 ? $0 : Self.twice) } ?? .number(number),
            timeoutMicroseconds: min(microseconds, Frame.Opening.timeoutMicrosecondsMax),
            metadata: metadata,
            message: message, endOfStream: endOfStream, window: window)
    }
}

extension Frame.Ending {
    fileprivate init(_ range: Range<Int>, _ bytes: RawSpan) throws(DecodingFault) {
        var cursor = WireCursor(range, in: "End")
        self.init(status: Status(.ok, ""))
        var metadataCount = 0
        while let tag = try cursor.next(bytes) {
            switch tag.number {
            case 1:
                try cursor.once(tag, .varint, "code")
                status.code = Status.Code(wire: try cursor.varint(bytes))
            case 2:
                try cursor.once(tag, .length, "message")
                status.message = try cursor.text(bytes, "message")
            case 3:
                try cursor.check(tag, .length, "details")
                try status.append(detail: try cursor.range(bytes), bytes)
            case 4:
                try cursor.check(tag, .length, "metadata")
                metadataCount += 1
                guard metadataCount <= Metadata.decodedEntriesMax else {
                    throw cursor.fault(.tooManyFields, "metadata")
                }
                try status.trailingMetadata.append(entry: try cursor.range(bytes), bytes)
            case 5:
                try cursor.once(tag, .length, "reply")
                reply = try cursor.range(bytes)
            default: try cursor.skip(tag, bytes)
            }
        }
    }
}

extension Frame.Goaway {
    fileprivate init(_ range: Range<Int>, _ bytes: RawSpan) throws(DecodingFault) {
        var cursor = WireCursor(range, in: "Goaway")
        self.init(lastCall: 0, status: Status(.ok, ""))
        while let tag = try cursor.next(bytes) {
            switch tag.number {
            case 1:
                try cursor.once(tag, .varint, "last_call")
                lastCall = try cursor.uint32(bytes, "last_call")
            case 2:
                try cursor.once(tag, .varint, "code")
                status.code = Status.Code(wire: try cursor.varint(bytes))
            case 3:
                try cursor.once(tag, .length, "message")
                status.message = try cursor.text(bytes, "message")
            case 4:
                try cursor.once(tag, .varint, "drain_us")
                drain = Duration(wireMicroseconds: try cursor.varint(bytes)) ?? .zero
            default: try cursor.skip(tag, bytes)
            }
        }
    }
}

extension Frame.Settings {
    /// More methods than this are not taken from a peer.
    private static let methodsMax = 4_096
    /// More ways of compressing than this are not taken from a peer.
    private static let compressionsMax = 16

    fileprivate init(_ range: Range<Int>, _ bytes: RawSpan) throws(DecodingFault) {
        var cursor = WireCursor(range, in: "Settings")
        var methodCount = 0
        var compressionCount = 0
        while let tag = try cursor.next(bytes) {
            switch tag.number {
            case 1:
                try cursor.once(tag, .varint, "frame_bytes_max")
                frameBytesMax = try cursor.uint32(bytes, "frame_bytes_max")
            case 2:
                try cursor.once(tag, .varint, "calls_max")
                callsMax = try cursor.uint32(bytes, "calls_max")
            case 3:
                try cursor.once(tag, .varint, "window")
                window = try cursor.uint32(bytes, "window")
            case 4:
                try cursor.once(tag, .length, "agent")
                agent = try cursor.text(bytes, "agent")
            case 5:
                try cursor.once(tag, .length, "incarnation")
                incarnation = try cursor.array(bytes)
            case 6:
                try cursor.check(tag, .length, "methods")
                methodCount += 1
                guard methodCount <= Self.methodsMax else { throw cursor.fault(.tooManyFields) }
                try addMethod(try cursor.range(bytes), bytes)
            case 7:
                try cursor.once(tag, .varint, "ping_interval_min_us")
                pingIntervalMin = Duration(wireMicroseconds: try cursor.varint(bytes)) ?? .zero
            case 8:
                try cursor.check(tag, .length, "compressions")
                compressionCount += 1
                guard compressionCount <= Self.compressionsMax else {
                    throw cursor.fault(.tooManyFields)
                }
                if try cursor.text(bytes, "compressions") == Self.deflate { takesDeflated = true }
            default: try cursor.skip(tag, bytes)
            }
        }
    }

    private mutating func addMethod(
        _ range: Range<Int>, _ bytes: RawSpan
    ) throws(DecodingFault) {
        var cursor = WireCursor(range, in: "MethodNumber")
        var number: UInt32 = 0
        var path = ""
        while let tag = try cursor.next(bytes) {
            switch tag.number {
            case 1:
                try cursor.once(tag, .varint, "number")
                number = try cursor.uint32(bytes, "number")
            case 2:
                try cursor.once(tag, .length, "path")
                path = try cursor.text(bytes, "path")
            default: try cursor.skip(tag, bytes)
            }
        }
        methods[number] = path
    }
}

extension Metadata {
    /// A few entries too many refuse a call; more than this are no metadata.
    fileprivate static let decodedEntriesMax = 1_024

    /// Adds a decoded entry; one entry above the limit is kept, so that validation sees it.
    fileprivate mutating func append(
        entry range: Range<Int>, _ bytes: RawSpan
    ) throws(DecodingFault) {
        guard entries.count <= Metadata.entryCountMax else { return }
        var cursor = WireCursor(range, in: "MetadataEntry")
        var key = ""
        var text = ""
        var binary: [UInt8] = []
        while let tag = try cursor.next(bytes) {
            switch tag.number {
            case 1:
                try cursor.once(tag, .length, "key")
                key = try cursor.text(bytes, "key")
            case 2:
                try cursor.once(tag, .length, "text")
                text = try cursor.text(bytes, "text")
            case 3:
                try cursor.once(tag, .length, "binary")
                binary = try cursor.array(bytes)
            default: try cursor.skip(tag, bytes)
            }
        }
        let isBinary = binary.isEmpty ? Metadata.isBinary(key: key) && text.isEmpty : true
        append(isBinary ? .bytes(binary) : .text(text), for: key)
    }
}

extension Duration {
    /// Microseconds as they travel; 0 is none, and no value is too large.
    init?(wireMicroseconds value: UInt64) {
        guard value != 0 else { return nil }
        self = .microseconds(Int64(clamping: min(value, Frame.Opening.timeoutMicrosecondsMax)))
    }

    /// Whole microseconds as they travel: at least 1 unless the duration is not positive.
    var wireMicroseconds: UInt64 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        guard seconds < 1 << 33 else { return Frame.Opening.timeoutMicrosecondsMax }
        let microseconds =
            UInt64(seconds) * 1_000_000 + UInt64(attoseconds / 1_000_000_000_000)
        return min(max(1, microseconds), Frame.Opening.timeoutMicrosecondsMax)
    }
}
