import FuzzKit
import RPC

/// The bytes are fields of an opening beside its method; and, read otherwise, keys and values.
func test(_ input: Input) {
    if let metadata = bounded({ decoded(Array(input.rest)) }) { check(metadata) }
    let (metadata, isWithin) = built(input)
    if isWithin, isValid(metadata) {
        expectEqual(decodedAgain(metadata), metadata, "built and valid")
    }
}

/// The metadata of an opening with these fields; nil when it is refused.
private func decoded(_ fields: [UInt8]) -> Metadata? {
    var length: [UInt8] = []
    var rest = fields.count + 2
    while rest >= 0x80 {
        length.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
    }
    length.append(UInt8(rest))
    let bytes: [UInt8] = [0x08, 0x01, 0x12] + length + [0x10, 0x01] + fields
    guard case .open(_, let opening)? = try? unsafe Frame(decoding: bytes.span.bytes) else {
        return nil
    }
    return opening.metadata
}

private func decodedAgain(_ metadata: Metadata) -> Metadata? {
    let opening = OutgoingOpening(
        method: .number(1), timeout: nil, metadata: metadata, message: nil)
    let bytes = Array(OutgoingFrame.open(call: 1, opening).encoded().dropFirst(4))
    guard case .open(_, let opening)? = try? unsafe Frame(decoding: bytes.span.bytes) else {
        return nil
    }
    return opening.metadata
}

private func isValid(_ metadata: Metadata) -> Bool {
    do throws(Status) {
        try metadata.validate()
        return true
    } catch {
        expect(
            [.invalidArgument, .resourceExhausted].contains(error.code), "refused as \(error.code)")
        expect(error.message.utf8.count < 1_024, "a refusal repeats what it refuses")
        return false
    }
}

private func check(_ metadata: Metadata) {
    expect(metadata.entries.count <= Metadata.entryCountMax + 1, "too many entries kept")
    expectEqual(decodedAgain(metadata), metadata, "decoded again")
    for entry in metadata.entries {
        let found = metadata[text: entry.key] != nil || metadata[bytes: entry.key] != nil
        expect(found, "an entry is not found")
        var rest = metadata
        rest.removeAll(entry.key)
        let isLeft = rest[text: entry.key] != nil || rest[bytes: entry.key] != nil
        expect(!isLeft, "a removed entry is found")
    }
    guard isValid(metadata) else { return }
    expect(metadata.entries.count <= Metadata.entryCountMax, "valid with too many entries")
    expect(metadata.byteCount <= Metadata.byteCountMax, "valid with too many bytes")
    for entry in metadata.entries {
        expect(entry.key.utf8.allSatisfy { (0x2D...0x7A).contains($0) }, "an illegal key")
        guard case .bytes = entry.value else { continue }
        expect(entry.key.utf8.suffix(4).elementsEqual("-bin".utf8), "bytes as text")
    }
}

/// Metadata of keys and values that the bytes spell; whether its text is text.
private func built(_ input: Input) -> (Metadata, Bool) {
    var input = input
    var metadata = Metadata()
    while !input.rest.isEmpty, metadata.entries.count < 100 {
        let shape = input.byte()
        let key = String(decoding: input.bytes(Int(shape & 15)), as: UTF8.self)
        let value = input.bytes(Int(shape >> 4) * 17)
        let name = shape & 1 == 0 ? key : key + "-bin"
        metadata.append(
            shape & 1 == 0 ? .text(String(decoding: value, as: UTF8.self)) : .bytes(value),
            for: name)
    }
    return (metadata, metadata.entries.count <= Metadata.entryCountMax)
}
