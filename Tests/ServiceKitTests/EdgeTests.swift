import Access
import Crypto
import Encodings
import Messages
import RPC
import ServiceKit
import Storage
import Testing

private func context(_ method: MethodDescriptor, ifMatch: String? = nil) -> CallContext {
    var metadata = Metadata()
    metadata[text: MetadataKey.ifMatch] = ifMatch
    return CallContext(
        method: method, metadata: metadata, deadline: .after(.seconds(1)), peer: Peer("test"))
}

@Suite struct PageTests {
    private let tokens = PageTokens(key: SymmetricKey(size: .bits256))
    private let list = OrganizationsMethods.listOrganizations
    private let arguments = ListOrganizationsRequest(parent: "p1")

    private func page(
        size: Int32 = 2, token: String = "", of method: MethodDescriptor? = nil,
        _ arguments: ListOrganizationsRequest? = nil
    ) throws(Status) -> Page {
        try tokens.page(
            context(method ?? list), size: size, token: token,
            arguments: arguments ?? self.arguments)
    }

    @Test(arguments: [(0, 50), (1, 1), (500, 500), (501, 500), (Int32.max, 500)])
    func `sizes are brought into bounds`(asked: Int32, given: Int) throws {
        #expect(try page(size: asked).size == given)
    }

    @Test func `a negative size is refused`() {
        let status = #expect(throws: Status.self) { try page(size: -1) }

        #expect(status?.code == .invalidArgument)
    }

    @Test func `a token leads on from the last entry`() throws {
        let id = try #require(OrganizationID(text: "018f3c5e-7a10-7c3b-9d52-0242ac120002"))
        let (entries, token) = try page().cut([1, 2, 3]) { ["entry \($0)", Int64($0), id] }

        let next = try page(token: token)

        #expect(entries == [1, 2])
        #expect(next.after == [.text("entry 2"), .integer(2), .blob(id.bytes)])
        #expect(next.limit == 3)
    }

    @Test func `the last page has no token`() throws {
        let (entries, token) = try page().cut([1, 2]) { [Int64($0)] }

        #expect(entries == [1, 2])
        #expect(token.isEmpty)
    }

    @Test func `the size may change from page to page, nothing else`() throws {
        let token = try page().cut([1, 2, 3]) { [Int64($0)] }.nextToken

        #expect(try page(size: 9, token: token).after == [.integer(2)])
        #expect(throws: Status.self) {
            try page(token: token, ListOrganizationsRequest(parent: "p2"))
        }
        #expect(throws: Status.self) {
            try page(token: token, of: MembershipMethods.listMembers)
        }
    }

    @Test func `a token of another service is refused`() throws {
        let other = PageTokens(key: SymmetricKey(size: .bits256))
        let token = try page().cut([1, 2, 3]) { [Int64($0)] }.nextToken

        let status = #expect(throws: Status.self) {
            try other.page(context(list), size: 2, token: token, arguments: arguments)
        }
        #expect(status?.reason == "page_token_invalid")
    }

    @Test func `a changed token is refused at every character`() throws {
        let token = try page().cut([1, 2, 3]) { [Int64($0), "text"] }.nextToken

        for index in token.indices {
            var changed = token
            changed.replaceSubrange(index...index, with: token[index] == "A" ? "B" : "A")
            #expect(throws: Status.self, "\(changed)") { try page(token: changed) }
        }
    }

    @Test(arguments: ["A", "====", "ü", "AQ", String(repeating: "A", count: 5_000)])
    func `nonsense is refused`(token: String) {
        let status = #expect(throws: Status.self) { try page(token: token) }

        #expect(status?.reason == "page_token_invalid")
    }
}

@Suite struct EntityTagTests {
    @Test(arguments: ["v3", "\"v3\"", "*", "\"v1\", \"v3\"", " v3 "])
    func `a tag of the version matches`(text: String) {
        #expect(throws: Never.self) {
            try context(Shelf.put, ifMatch: text).requireMatch(version: 3)
        }
    }

    @Test(arguments: ["v2", "3", "W/\"v3\"", "\"\"", ","])
    func `any other does not`(text: String) {
        let status = #expect(throws: Status.self) {
            try context(Shelf.put, ifMatch: text).requireMatch(version: 3)
        }

        #expect(status?.reason == "version_mismatch")
        #expect(status.map(ErrorReason.httpStatus(of:)) == 412)
    }

    @Test func `who names no version gets any`() throws {
        try context(Shelf.put).requireMatch(version: 3)
        try context(Shelf.put).requireMatch(version: 3, etag: "v3")
        #expect(throws: Status.self) {
            try context(Shelf.put).requireMatch(version: 3, etag: "v2")
        }
    }
}

@Suite struct TextTests {
    private func accept(_ text: String, _ form: Text.Form = .line) throws -> String {
        try Text.accept(text, field: "title", form: form, lengths: 1...20)
    }

    @Test func `text is kept composed, without space at its ends`() throws {
        let kept = try accept(" \u{3000}Cafe\u{301} A\u{30A} \t")

        #expect(Array(kept.utf8) == Array("Caf\u{E9} \u{C5}".utf8))
    }

    @Test(arguments: [
        "", "   ", "a\nb", "a\tb", "a\u{0}b", "a\u{202E}b", "a\u{2066}b", "a\u{200F}b",
        "a\u{2028}b", "a\u{FEFF}b", "a\u{E000}b", "a\u{FFFF}b", "a\u{85}b",
        String(repeating: "a", count: 21), String(repeating: "a\u{301}", count: 5_000),
    ])
    func `what has no place in a title is refused`(text: String) {
        let status = #expect(throws: Status.self) { try accept(text) }

        #expect(status?.code == .invalidArgument)
        #expect(status?.reason == "validation")
    }

    @Test(arguments: ["Schule am See", "学校", "مدرسة", "👩‍🏫 Ada", "O’Brien & Söhne", "ab"])
    func `names of the world are accepted as they are`(text: String) throws {
        #expect(try accept(text) == text)
    }

    @Test func `a paragraph has lines, ended in one way`() throws {
        #expect(try accept("a\r\nb\rc\n\td", .paragraph) == "a\nb\nc\n\td")
    }

    @Test(arguments: [
        ("Straße", "STRASSE"), ("ＡＢＣ", "abc"), ("e\u{301}cole", "École"), ("a  b", " A\u{A0}B "),
        ("ΟΔΟΣ", "οδος"), ("ﬁn", "FIN"),
    ])
    func `what looks the same has one key`(left: String, right: String) {
        #expect(Array(Text.matchingKey(left).utf8) == Array(Text.matchingKey(right).utf8))
    }

    @Test func `what looks different has two`() {
        #expect(Text.matchingKey("Cafe") != Text.matchingKey("Café"))
        #expect(Text.matchingKey("a b") != Text.matchingKey("ab"))
    }
}

@Suite struct ConversionTests {
    @Test(arguments: [0, 1, -1, 1_767_225_600_123_456, -62_135_596_800_000_000])
    func `an instant leads through its message back`(microseconds: Int64) {
        let time = WallTime(microseconds: microseconds)

        #expect(WallTime(Timestamp(time)) == time)
        #expect(Timestamp(time).nanos >= 0)
    }

    @Test func `an instant that cannot be counted is none`() {
        #expect(WallTime(Timestamp(seconds: .max)) == nil)
        #expect(WallTime(Timestamp(seconds: .min)) == nil)
        #expect(WallTime(Timestamp(nanos: 1_000_000_000)) == nil)
        #expect(WallTime(Timestamp(nanos: -1)) == nil)
    }

    @Test func `roles have the same numbers in messages`() {
        for role in Access.Role.allCases {
            #expect(Access.Role(Messages.Role(role)) == role)
            let name = "\(Messages.Role(role))"
            #expect(name == "\(role)")
        }
        #expect(Access.Role(Messages.Role.unspecified) == nil)
    }

    @Test func `every reason has a status that fits its code`() {
        for reason in ErrorReason.allCases {
            let status = Status.refusal(reason, "No.")
            #expect(ErrorReason.httpStatus(of: status) == reason.httpStatus)
            #expect((400...599).contains(reason.httpStatus))
        }
        #expect(ErrorReason.membersLimitReached.httpStatus == 409)
        #expect(ErrorReason.depthExceeded.httpStatus == 422)
        #expect(ErrorReason.httpStatus(of: Status(.unavailable, "Away.")) == 503)
        #expect(
            ErrorReason.httpStatus(
                of: Status(
                    .aborted, "No.",
                    details: [.errorInfo(reason: "made_up", domain: errorDomain, metadata: [:])]))
                == 409)
    }

    @Test(arguments: [
        ("#0B5FFF", "#0b5fff"), ("#0b5fff", "#0b5fff"), ("0b5fff0", nil), ("#0b5ff", nil),
        ("#0b5ffg", nil), ("#０b5fff", nil), ("", nil),
    ])
    func `a color is kept in lower case, and nothing else is one`(input: String, kept: String?) {
        #expect(Color(input)?.text == kept)
    }

    @Test(arguments: [("us", "US"), ("DE", "DE"), ("XX", nil), ("USA", nil), ("ß", nil), ("", nil)])
    func `a country is kept in upper case, and nothing else is one`(input: String, kept: String?) {
        #expect(Country(input)?.code == kept)
    }

    @Test func `bytes and their text lead to one another`() {
        let bytes: [UInt8] = [0, 9, 10, 0xAB, 0xFF]

        #expect(Hexadecimal.text(bytes) == "00090aabff")
        #expect(Hexadecimal.bytes("00090aabff".utf8) == bytes)
        for bad in ["0", "0g", "AB", " 0"] { #expect(Hexadecimal.bytes(bad.utf8) == nil) }
    }

    @Test func `a field that holds no identifier is named`() {
        let status = #expect(throws: Status.self) {
            try OrganizationID(requestText: "x", field: "parent_id")
        }

        #expect(status?.code == .invalidArgument)
        #expect(
            status?.details.contains(
                .badRequest([
                    .init(field: "parent_id", description: "This is not an identifier.")
                ])) == true)
    }
}
