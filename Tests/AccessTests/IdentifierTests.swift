import Access
import Synchronization
import Testing

@Suite struct IdentifierTests {
    private let text = "018f3c5e-7a10-7c3b-9d52-0242ac120002"

    @Test func `text and bytes of an identifier lead back to it`() throws {
        let id = try #require(OrganizationID(text: text))

        #expect(id.text == text)
        #expect(OrganizationID(bytes: id.bytes) == id)
        #expect(id.bytes.count == 16)
        #expect(id.bytes[0] == 0x01 && id.bytes[15] == 0x02)
    }

    @Test func `upper case is understood and answered in lower case`() throws {
        let id = try #require(UserID(text: text.uppercased()))

        #expect(id.text == text)
    }

    @Test(arguments: [
        "", "018f3c5e", "018f3c5e7a107c3b9d520242ac120002",
        "018f3c5e-7a10-7c3b-9d52-0242ac12000", "018f3c5e-7a10-7c3b-9d52-0242ac1200020",
        "018f3c5e-7a10-7c3b-9d52-0242ac12000g", "018f3c5e-7a10-7c3b-9d52 0242ac120002",
        "{18f3c5e-7a10-7c3b-9d52-0242ac12000}", "018f3c5e-7a107-c3b-9d52-0242ac120002",
        "０18f3c5e-7a10-7c3b-9d52-0242ac120", "-18f3c5e-7a10-7c3b-9d52-0242ac120002",
    ])
    func `what is not an identifier is refused`(text: String) {
        #expect(OrganizationID(text: text) == nil)
    }

    @Test func `other lengths than 16 bytes are refused`() {
        #expect(OrganizationID(bytes: []) == nil)
        #expect(OrganizationID(bytes: [UInt8](repeating: 0, count: 15)) == nil)
        #expect(OrganizationID(bytes: [UInt8](repeating: 0, count: 17)) == nil)
    }

    @Test func `an identifier carries time, version and variant`() {
        let id = OrganizationID(
            millisecondsSince1970: 0x0123_4567_89AB, random: (.max, .max))

        #expect(id.text == "01234567-89ab-7fff-bfff-ffffffffffff")
        #expect(id.millisecondsSince1970 == 0x0123_4567_89AB)
    }

    @Test func `order is that of the bytes`() throws {
        let ids = try [
            "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002",
            "00000000-0001-7000-8000-000000000000", "ffffffff-0000-7000-8000-000000000000",
        ].map { try #require(OrganizationID(text: $0)) }

        #expect(ids.shuffled().sorted() == ids)
        for (left, right) in zip(ids, ids.dropFirst()) {
            #expect(left.bytes.lexicographicallyPrecedes(right.bytes))
        }
    }
}

@Suite struct IdentifierSourceTests {
    @Test func `identifiers rise though the clock stands still`() {
        let source = IdentifierSource(milliseconds: { 1_000 })

        let ids = (0..<10_000).map { _ in source.next(SaleID.self) }

        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
        #expect(ids.allSatisfy { $0.text.utf8.count == 36 })
    }

    @Test func `identifiers rise though the clock goes back`() {
        let times = Mutex<[UInt64]>([9_000, 8_000, 7_000, 9_001])
        let source = IdentifierSource(milliseconds: { times.withLock { $0.removeFirst() } })

        let ids = (0..<4).map { _ in source.next(SaleID.self) }

        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
        #expect(ids.map(\.millisecondsSince1970) == [9_000, 9_000, 9_000, 9_001])
    }

    @Test func `identifiers rise when the random part runs out`() {
        let source = IdentifierSource(milliseconds: { 5 }, random: { .max })

        let ids = (0..<5_000_000 / 1_000).map { _ in source.next(SaleID.self) }

        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
        for id in ids {
            #expect(id.high & 0xF000 == 0x7000)
            #expect(id.low >> 62 == 0b10)
        }
    }

    @Test func `threads never get the same identifier`() async {
        let source = IdentifierSource(milliseconds: { 42 })

        let ids = await withTaskGroup(of: [UserID].self) { group in
            for _ in 0..<4 {
                group.addTask { (0..<1_000).map { _ in source.next(UserID.self) } }
            }
            return await group.reduce(into: Set<UserID>()) { $0.formUnion($1) }
        }

        #expect(ids.count == 4_000)
    }
}
