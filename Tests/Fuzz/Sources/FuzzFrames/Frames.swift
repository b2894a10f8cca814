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
    let quick = bounded { cutQuickly(bytes, step: max(1, step)) }
    expectEqual(whole.arrivals, quick, "cut differently the quick way, in pieces of \(step)")
    for frame in whole.frames { checkFrame(frame) }
    // It takes far longer than everything else.
    if step % 16 == 0 { checkDeflation(bytes) }
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

/// What arrives on a connection of a server, in order: an opening of the usual kind with its
/// message, or the bytes of another frame.
private enum Arrival: Equatable {
    case opening(PlainOpening, [UInt8])
    case frame([UInt8])
    case fault(FrameAssembler.Fault)
}

extension Cut {
    fileprivate var arrivals: [Arrival] {
        let arrived = frames.map { frame in
            guard let opening = unsafe PlainOpening(frame.span.bytes) else {
                return Arrival.frame(frame)
            }
            return .opening(opening, Array(frame[opening.message]))
        }
        return arrived + (fault.map { [.fault($0)] } ?? [])
    }
}

/// What a server makes of the bytes of a connection: openings of the usual kind are taken together.
private func cutQuickly(_ bytes: [UInt8], step: Int) -> [Arrival] {
    var assembler = FrameAssembler(frameBytesMax: frameBytesMax)
    var arrivals: [Arrival] = []
    for start in stride(from: 0, to: bytes.count, by: step) {
        assembler.append(ByteBuffer(bytes: bytes[start..<min(start + step, bytes.count)]))
        do throws(FrameAssembler.Fault) {
            while true {
                // Now and then no more are wanted: the next is cut the general way.
                var wanted = 1 + step % 5
                assembler.takeOpenings(while: { wanted > 0 }) { opening, memory, messageAt in
                    wanted -= 1
                    let message = memory.getBytes(at: messageAt, length: opening.message.count)
                    expect(message != nil, "a message beyond what has arrived: \(opening)")
                    arrivals.append(.opening(opening, message ?? []))
                }
                guard let frame = try assembler.next() else { break }
                let bytes = Array(frame.readableBytesView)
                arrivals += Cut(frames: [bytes]).arrivals
            }
        } catch {
            return arrivals + [.fault(error)]
        }
        assembler.compact()
    }
    return arrivals
}

/// What the quick way reads is what the general decoder reads.
private func checkPlain(_ bytes: [UInt8]) {
    guard let plain = unsafe PlainOpening(bytes.span.bytes) else { return }
    let frame: Frame
    do throws(FrameFault) {
        frame = try unsafe Frame(decoding: bytes.span.bytes)
    } catch {
        expect(false, "read the quick way, refused by the decoder: \(plain), \(error)")
        return
    }
    expect(plain.message.upperBound <= bytes.count, "a message beyond the frame: \(plain)")
    expectEqual(
        frame, .open(call: plain.call, Frame.Opening(plain, messageAt: plain.message.lowerBound)),
        "read the quick way")
}

/// A frame that travels inside another has the size that it says, within the limit, or is refused.
private func checkInflation(_ bytes: [UInt8]) {
    guard
        case .deflated(let byteCount, let content)? = try? unsafe Frame(decoding: bytes.span.bytes)
    else { return }
    let within: ByteBuffer
    do throws(Status) {
        guard let inflater = Inflater() else { return }
        within = try bounded { () throws(Status) in
            try inflater.inflate(
                content, of: ByteBuffer(bytes: bytes), byteCount: byteCount,
                frameBytesMax: frameBytesMax)
        }
    } catch {
        expect(
            error.code == .invalidArgument || error.code == .resourceExhausted, "\(error)")
        return
    }
    expectEqual(within.readableBytes, byteCount, "bytes inflated")
    expect(byteCount <= frameBytesMax, "\(byteCount) bytes inflated, above the limit")
    checkFrame(Array(within.readableBytesView), isInflated: true)
}

/// What is deflated inflates to the same, and to nothing when it is said to have another size.
private func checkDeflation(_ bytes: [UInt8]) {
    let room = bytes.count + 64
    guard let inflater = Inflater(), !bytes.isEmpty,
        let deflated = Deflater()?.deflate(ByteBuffer(bytes: bytes), shorterThan: room)
    else { return }
    let again = inflater.inflate(deflated, byteCount: bytes.count)
    expectEqual(again.map { Array($0.readableBytesView) }, bytes, "deflated and inflated")
    expect(inflater.inflate(deflated, byteCount: bytes.count + 1) == nil, "more than it holds")
    expect(inflater.inflate(deflated, byteCount: bytes.count - 1) == nil, "less than it holds")
}

/// A frame is refused or decodes, and what it encodes to decodes to the same.
private func checkFrame(_ bytes: [UInt8], isInflated: Bool = false) {
    checkPlain(bytes)
    if !isInflated { checkInflation(bytes) }
    guard let frame = Decoded(bytes) else { return }
    guard let outgoing = frame.outgoing else { return }
    let encoded = outgoing.encoded()
    expect(
        encoded.count <= outgoing.byteCountMax, "\(encoded.count) bytes exceed the bound: \(frame)")
    expectEqual(frame, Decoded(Array(encoded.dropFirst(Frame.lengthByteCount))), "decoded again")
}
