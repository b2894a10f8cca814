import RPC
import Testing

@Suite struct `The codec of google.rpc.Status` {
    private let full = Status(
        .failedPrecondition, "All 100 seats are taken – every one.",
        details: [
            .errorInfo(
                reason: "members_limit_reached", domain: "guildhall",
                metadata: ["limit": "100", "organization": "north", "empty": ""]),
            .badRequest([
                .init(field: "member.email", description: "is taken"),
                .init(field: "", description: ""),
            ]),
            .preconditionFailure([
                .init(type: "members_limit", subject: "north", description: "full")
            ]),
            .retryInfo(delay: .milliseconds(1_500)),
            .retryInfo(delay: .zero),
            .other(typeURL: "type.googleapis.com/test.Odd", value: [1, 2]),
        ])

    @Test func `a status with every detail comes back`() throws {
        #expect(try Status(decoding: full.encoded()) == full)
    }

    @Test func `the bytes are those of the standard message`() {
        let status = Status(.notFound, "No.", details: [.retryInfo(delay: .seconds(1))])
        let url = Array("type.googleapis.com/google.rpc.RetryInfo".utf8)

        let expected: [UInt8] =
            [0x08, 0x05, 0x12, 0x03] + Array("No.".utf8)
            + [0x1A, UInt8(url.count + 8), 0x0A, UInt8(url.count)] + url
            + [0x12, 0x04, 0x0A, 0x02, 0x08, 0x01]
        #expect(status.encoded() == expected)
    }

    @Test func `equal statuses have equal bytes`() {
        #expect(full.encoded() == full.encoded())
    }

    @Test func `a known detail that does not decode is kept as it is`() throws {
        let odd = Status(
            .aborted, "x",
            details: [.other(typeURL: "type.googleapis.com/google.rpc.ErrorInfo", value: [0xFF])])

        #expect(try Status(decoding: odd.encoded()) == odd)
    }

    @Test func `bytes that are no status are a named fault`() {
        let bytes = full.encoded()
        #expect(throws: DecodingFault.self) { try Status(decoding: [0x12, 0x7F]) }
        #expect(throws: DecodingFault.self) { try Status(decoding: [0x0A, 0x00]) }
        #expect(throws: DecodingFault.self) {
            try Status(decoding: Array(bytes.dropLast()))
        }
    }
}
