import FuzzKit
import RPC

/// The bytes are an encoded `google.rpc.Status`, which the end of a call has, too.
func test(_ input: Input) {
    let bytes = input.bytes
    guard let status = bounded({ decoded(bytes) }) else { return }
    let encoded = status.encoded()
    expectEqual(decoded(encoded), status, "decoded again")
    for detail in status.details {
        guard case .retryInfo(let delay) = detail else { continue }
        expect(delay >= .zero, "a delay below zero")
    }

    let frame = Array(OutgoingFrame.end(call: 1, status).encoded().dropFirst(4))
    guard case .end(1, let ending)? = try? unsafe Frame(decoding: frame.span.bytes) else {
        return expect(false, "the end of a call with the status is refused")
    }
    expectEqual(ending.status, status, "as the end of a call")
}

private func decoded(_ bytes: [UInt8]) -> Status? {
    do throws(DecodingFault) {
        return try Status(decoding: bytes)
    } catch {
        expect(!error.description.isEmpty, "a fault without a sentence")
        return nil
    }
}
