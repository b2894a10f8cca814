import Messages
import RPC
import TestSupport
import Testing

@testable import RPCTransport

/// The hand-written codec against the generated messages of `frame.proto`.
@Suite struct `Hand-written and generated frames` {
    private func generated(_ frame: OutgoingFrame) throws -> Messages.Frame {
        try Messages.Frame(decoding: Array(frame.encoded().dropFirst(4)))
    }

    @Test func `the generated code reads what the hand-written one wrote`() throws {
        var metadata = Metadata()
        metadata[text: "request-id"] = "r1"
        metadata[bytes: "token-bin"] = [0, 255]
        let open = try generated(
            .open(
                call: 3,
                OutgoingOpening(
                    method: .path("a.B/C"), timeout: .seconds(1), metadata: metadata,
                    message: .encoded([1, 2] as [UInt8]), window: 9)))
        let end = try generated(
            .end(
                call: 3,
                Status(
                    .notFound, "No.", details: [.retryInfo(delay: .seconds(1))],
                    trailingMetadata: metadata)))
        let reply = try generated(
            .reply(
                call: 5, .message(CheckHealthReply(state: .serving)), trailingMetadata: metadata))
        let entries = [
            MetadataEntry(key: "request-id", text: "r1"),
            MetadataEntry(key: "token-bin", binary: [0, 255]),
        ]

        #expect(
            open
                == Messages.Frame(
                    call: 3,
                    kind: .open(
                        Open(
                            path: "a.B/C", timeoutUs: 1_000_000,
                            metadata: entries, message: [1, 2], endOfStream: true, window: 9))))
        guard case .end(let ending)? = end.kind, case .end(let answer)? = reply.kind else {
            Issue.record("no end")
            return
        }
        #expect(ending.code == 5)
        #expect(ending.metadata == entries)
        #expect(answer.metadata == entries)
        #expect(ending.details.map(\.typeURL) == ["type.googleapis.com/google.rpc.RetryInfo"])
        #expect(try CheckHealthReply(decoding: answer.reply ?? []).state == .serving)
    }

    @Test func `both agree on compressed frames and their announcement`() throws {
        var announcing = RPC.Frame.Settings()
        announcing.takesDeflated = true
        let content = [UInt8](repeating: 7, count: 300)
        let deflated = OutgoingFrame.deflated(byteCount: 5_000, .encoded(content))
        let foreign = Messages.Frame(
            kind: .settings(Settings(compressions: ["zstd", "deflate"]))
        ).encoded()
        guard
            case .deflated(5_000, let range) = try unsafe RPC.Frame(
                decoding: Array(deflated.encoded().dropFirst(4)).span.bytes)
        else {
            Issue.record("no deflated frame")
            return
        }
        guard case .settings(let settings) = try unsafe RPC.Frame(decoding: foreign.span.bytes)
        else {
            Issue.record("no settings")
            return
        }

        #expect(
            try generated(deflated)
                == Messages.Frame(kind: .deflated(Deflated(byteCount: 5_000, content: content))))
        #expect(
            try generated(.settings(announcing))
                == Messages.Frame(kind: .settings(Settings(compressions: ["deflate"]))))
        #expect(range.count == 300)
        #expect(settings.takesDeflated)
        #expect(deflated.encoded().count <= deflated.byteCountMax)
    }

    @Test func `the hand-written code reads what the generated one wrote`() throws {
        let bytes = Messages.Frame(
            call: 7,
            kind: .open(
                Open(
                    number: 2, metadata: [MetadataEntry(key: "k", text: "v")], message: [],
                    endOfStream: true))
        ).encoded()

        guard case .open(7, let opening) = try unsafe RPC.Frame(decoding: bytes.span.bytes)
        else {
            Issue.record("no opening")
            return
        }
        #expect(opening.method == .number(2))
        #expect(opening.metadata[text: "k"] == "v")
        #expect(opening.message?.isEmpty == true)
        #expect(opening.endOfStream)
    }
}

@Suite struct `The table of calls in flight` {
    @Test func `it holds what a dictionary holds`() {
        var random = SplitMix(seed: 7)
        var table = CallTable<Int>()
        var model: [UInt32: Int] = [:]
        var next: UInt32 = 1

        for step in 0..<20_000 {
            if model.isEmpty || (Bool.random(using: &random) && model.count < 300) {
                table.insert(step, for: next)
                model[next] = step
                next += 2 * UInt32.random(in: 1...40, using: &random)
            } else if let call = model.keys.randomElement(using: &random) {
                #expect(table.remove(call) == model.removeValue(forKey: call))
                #expect(table.remove(call) == nil)
            }
            #expect(table.count == model.count)
        }
        for (call, value) in model { #expect(table[call] == value) }
        #expect(Dictionary(uniqueKeysWithValues: table.all.map { ($0.call, $0.value) }) == model)
    }
}
