import RPC
import Testing

/// The quick way to read an opening: it finds what the general decoder finds, or nothing.
struct PlainOpeningTests {
    private static let usual: [(OutgoingOpening, UInt32)] = [
        (OutgoingOpening(method: .number(1), timeout: .seconds(2), message: .encoded([1, 2])), 1),
        (OutgoingOpening(method: .number(300), timeout: nil, message: .encoded([UInt8]())), 3),
        (
            OutgoingOpening(
                method: .number(.max), timeout: .microseconds(1),
                message: .encoded([UInt8](repeating: 7, count: 5_000)), window: 70_000),
            .max
        ),
    ]

    private func frame(_ opening: OutgoingOpening, _ call: UInt32 = 1) -> [UInt8] {
        Array(OutgoingFrame.open(call: call, opening).encoded().dropFirst(Frame.lengthByteCount))
    }

    private func plain(_ bytes: [UInt8]) -> PlainOpening? {
        unsafe PlainOpening(bytes.span.bytes)
    }

    /// Both ways, compared.
    private func agrees(_ bytes: [UInt8]) throws -> Bool {
        guard let plain = plain(bytes) else { return true }
        guard case .open(plain.call, let opening) = try unsafe Frame(decoding: bytes.span.bytes)
        else { return false }
        return opening == Frame.Opening(plain, messageAt: plain.message.lowerBound)
    }

    @Test func `an opening by number with one message is read`() throws {
        for (opening, call) in Self.usual {
            let bytes = frame(opening, call)

            let plain = try #require(self.plain(bytes))

            #expect(plain.call == call)
            #expect(try agrees(bytes))
        }
    }

    @Test func `every other opening is left to the general decoder`() {
        var metadata = Metadata()
        metadata[text: "a"] = "b"
        let others = [
            OutgoingOpening(method: .path("a.B/C"), timeout: nil, message: .encoded([1])),
            OutgoingOpening(
                method: .number(1), timeout: nil, metadata: metadata, message: .encoded([1])),
            OutgoingOpening(method: .number(1), timeout: nil, message: nil),
            OutgoingOpening(
                method: .number(1), timeout: nil, message: .encoded([1]), endOfStream: false),
            OutgoingOpening(method: .number(0), timeout: nil, message: .encoded([1])),
        ]

        for opening in others { #expect(plain(frame(opening)) == nil) }
        #expect(plain(frame(Self.usual[0].0, 0)) == nil)
    }

    @Test func `what is cut, changed or doubled is never read as something else`() throws {
        var random = SystemRandomNumberGenerator()
        for (opening, call) in Self.usual.prefix(2) {
            let whole = frame(opening, call)
            for count in 0..<whole.count {
                #expect(plain(Array(whole.prefix(count))) == nil)
            }
            for position in whole.indices {
                for value in UInt8.min...UInt8.max {
                    var changed = whole
                    changed[position] = value
                    #expect(try agrees(changed))
                }
            }
            for _ in 0..<20_000 {
                var changed = whole
                for _ in 0..<3 {
                    let position = Int.random(in: changed.indices, using: &random)
                    changed[position] = UInt8.random(in: 0...0x40, using: &random)
                }
                #expect(try agrees(changed))
            }
        }
    }
}
