import FuzzKit
import RPC

/// A frame with its message in place of the message's range, so that two can be compared.
struct Decoded: Equatable {
    let frame: Frame
    let message: [UInt8]?

    /// Nil when the bytes are refused.
    init?(_ bytes: [UInt8]) {
        let frame: Frame
        do throws(FrameFault) {
            frame = try unsafe Frame(decoding: bytes.span.bytes)
        } catch {
            expect(!error.description.isEmpty, "a fault without a sentence")
            return nil
        }
        message = frame.message.map { Array(bytes[$0]) }
        self.frame = frame.withoutMessage
    }

    /// The frame to send that decodes to the same; nil when none is ever sent so.
    var outgoing: OutgoingFrame? {
        let content = message.map { OutgoingMessage.encoded($0) }
        switch frame {
        case .open(let call, let opening):
            return .open(
                call: call,
                OutgoingOpening(
                    method: opening.method, timeout: opening.timeout, metadata: opening.metadata,
                    message: content, endOfStream: opening.endOfStream, window: opening.window))
        case .data(let call, _, let endOfStream):
            return .data(call: call, content, endOfStream: endOfStream)
        case .end(let call, let ending):
            guard let content else { return .end(call: call, ending.status) }
            let metadata = ending.status.trailingMetadata
            return ending.status == Status(.ok, "", trailingMetadata: metadata)
                ? .reply(call: call, content, trailingMetadata: metadata) : nil
        case .cancel(let call): return .cancel(call: call)
        case .window(let call, let bytes): return .window(call: call, bytes: bytes)
        case .ping(let number): return .ping(number: number)
        case .pong(let number): return .pong(number: number)
        case .goaway(let goaway): return .goaway(goaway)
        case .settings(let settings): return .settings(settings)
        case .deflated: return nil
        }
    }
}

extension Frame {
    fileprivate var message: Range<Int>? {
        switch self {
        case .open(_, let opening): opening.message
        case .data(_, let message, _): message
        case .end(_, let ending): ending.reply
        default: nil
        }
    }

    fileprivate var withoutMessage: Frame {
        switch self {
        case .open(let call, var opening):
            opening.message = nil
            return .open(call: call, opening)
        case .data(let call, _, let endOfStream):
            return .data(call: call, message: nil, endOfStream: endOfStream)
        case .end(let call, var ending):
            ending.reply = nil
            return .end(call: call, ending)
        default: return self
        }
    }
}
