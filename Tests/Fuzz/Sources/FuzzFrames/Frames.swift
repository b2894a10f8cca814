import FuzzKit
import NIOCore
import RPC

@testable import RPCTransport

/// The bytes after the first are one frame, and also a connection's bytes that arrive in pieces of
/// the size that the first says.
func test(_ input: Input) {
    var input = input
    let step = Int(input.byte())
    let bytes = input.bytes
    bounded { checkFrame(bytes) }
    let whole = bounded { cut(bytes, step: max(1, bytes.count)) }
    let pieces = bounded { cut(bytes, step: max(1, step)) }
    expectEqual(whole, pieces, "cut differently in pieces of \(step)")
    for frame in whole.frames { checkFrame(frame) }
}

/// What an assembler makes of the bytes of a connection.
private struct Cut: Equatable {
    var frames: [[UInt8]] = []
    var fault: FrameAssembler.Fault?
    var rest = 0
}

/// Small, so that the limit is met.
private let frameBytesMax = 4_096

private func cut(_ bytes: [UInt8], step: Int) -> Cut {
    var assembler = FrameAssembler(frameBytesMax: frameBytesMax)
    var cut = Cut()
    for start in stride(from: 0, to: bytes.count, by: step) {
        assembler.append(ByteBuffer(bytes: bytes[start..<min(start + step, bytes.count)]))
        do throws(FrameAssembler.Fault) {
            while let frame = try assembler.next() {
                cut.frames.append(Array(frame.readableBytesView))
            }
        } catch {
            cut.fault = error
            return cut
        }
        assembler.compact()
    }
    cut.rest = bytes.count - cut.frames.reduce(0) { $0 + Frame.lengthByteCount + $1.count }
    expectEqual(assembler.hasPartialFrame, cut.rest > 0, "a partial frame of \(cut.rest) bytes")
    return cut
}

/// A frame is refused or decodes, and what it encodes to decodes to the same.
private func checkFrame(_ bytes: [UInt8]) {
    guard let frame = Decoded(bytes) else { return }
    guard let outgoing = frame.outgoing else { return }
    let encoded = outgoing.encoded()
    expect(
        encoded.count <= outgoing.byteCountMax, "\(encoded.count) bytes exceed the bound: \(frame)")
    expectEqual(frame, Decoded(Array(encoded.dropFirst(Frame.lengthByteCount))), "decoded again")
}
