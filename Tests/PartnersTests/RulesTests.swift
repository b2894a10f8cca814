import RPC
import ServiceKit
import Testing

@testable import Partners

@Suite struct RulesTests {
    @Test(
        arguments: [
            // amount, basis points, what is left
            (0, 0, 0), (0, 10_000, 0), (1, 0, 1), (1, 10_000, 0),
            (1, 5_000, 1), (1, 5_001, 0), (3, 5_000, 2), (10_000, 1_250, 8_750),
            (99, 1, 99), (4_999, 1, 4_999), (5_000, 1, 5_000), (5_001, 1, 5_000),
            (10_000, 1, 9_999), (333, 3_333, 222), (333, 3_334, 222), (12_345, 1_250, 10_802),
            (Int64.max, 0, Int64.max), (Int64.max, 10_000, 0),
            (Int64.max, 5_000, 4_611_686_018_427_387_904),
        ] as [(Int64, Int64, Int64)])
    func `a discount is rounded half up`(amount: Int64, points: Int64, left: Int64) throws {
        let discount = try #require(BasisPoints(points))

        #expect(discounted(amount, by: discount) == left)
    }

    @Test func `a discount is taken once off the total, not off each line`() throws {
        let half = try #require(BasisPoints(5_000))
        let line = (quantity: Int64(1), price: LinePrice(unitPriceMinor: 1, seatsPerUnit: 1))

        let amounts = try Amounts([line, line, line], discount: half)

        #expect(amounts.listTotalMinor == 3)
        #expect(amounts.distributionTotalMinor == 2)
    }

    @Test func `a total beyond 64 bits is refused`() {
        let price = LinePrice(unitPriceMinor: .max, seatsPerUnit: 1)

        #expect(throws: Refusal.amountTooLarge) {
            try Amounts([(quantity: 2, price: price)], discount: .none)
        }
        #expect(throws: Refusal.amountTooLarge) {
            let lines = Array(repeating: (quantity: Int64(100_000), price: price), count: 100)
            return try Amounts(lines, discount: .none)
        }
    }

    @Test func `the largest total that fits is accepted`() throws {
        let price = LinePrice(unitPriceMinor: .max, seatsPerUnit: 1)

        let amounts = try Amounts([(quantity: 1, price: price)], discount: .none)

        #expect(amounts.distributionTotalMinor == .max)
    }

    @Test func `seats are those of all lines together`() throws {
        let lines: [(quantity: Int64, price: LinePrice)] = [
            (3, LinePrice(unitPriceMinor: 1, seatsPerUnit: 10)),
            (2, LinePrice(unitPriceMinor: 1, seatsPerUnit: 1)),
        ]

        #expect(try seats(of: lines) == 32)
    }

    @Test func `more seats than can be granted at once are refused`() throws {
        let price = LinePrice(unitPriceMinor: 0, seatsPerUnit: 10_000)

        #expect(try seats(of: [(quantity: 100, price: price)]) == 1_000_000)
        #expect(throws: Refusal.tooManySeats) {
            try seats(of: [(quantity: 101, price: price)])
        }
    }

    @Test(arguments: [Int64.min, -1, 10_001, .max])
    func `a discount below nothing or above the whole is none`(points: Int64) {
        #expect(BasisPoints(points) == nil)
    }

    @Test func `a sale moves along its states and no other way`() {
        let legal: [SaleState: [SaleEvent: SaleState]] = [
            .draft: [.register: .registered, .cancel: .cancelled],
            .registered: [.approve: .approved, .cancel: .cancelled],
            .approved: [.fulfil: .fulfilled, .refuse: .draft],
        ]

        for state in SaleState.allCases {
            for event in SaleEvent.allCases {
                let next = Result<SaleState, Refusal> { () throws(Refusal) in
                    try state.after(event)
                }
                if let expected = legal[state]?[event] {
                    #expect(next == .success(expected))
                } else {
                    #expect(next == .failure(.saleState(state, event)))
                }
            }
        }
    }

    @Test(arguments: [
        ("Northwind", "northwind"), ("  Nord  Wind ", "nord wind"), ("STRASSE", "strasse"),
        ("Straße", "strasse"), ("\u{FB01}n", "fin"), ("Ａ", "a"), ("e\u{301}", "\u{E9}"),
        ("a\u{200D}b", "ab"), ("a\u{200C} b\u{FE0F}", "a b"), ("a \u{34F} b", "a b"),
    ])
    func `names that read alike have one key`(given: String, key: String) throws {
        let name = try #require(Name(given))

        #expect(Array(name.key.utf8) == Array(key.utf8))
    }

    @Test(arguments: [
        "", " ", "\t\n", "a\u{0}b", "a\u{1B}b", "a\nb", String(repeating: "x", count: 121),
        "e" + String(repeating: "\u{301}", count: 1_000), "\u{200D}", "\u{3164} \u{200C}",
    ])
    func `what is no name is refused`(given: String) {
        #expect(Name(given) == nil)
    }

    @Test func `a name may have 120 characters`() {
        #expect(Name(String(repeating: "ä", count: 120)) != nil)
        #expect(Name(String(repeating: "\u{1F600}", count: 120)) != nil)
    }

    @Test func `a region covers its countries, and none covers all`() throws {
        let alps = try #require(Region(["CH", "AT", "CH"]))
        let everywhere = try #require(Region([]))

        #expect(alps.countries == ["AT", "CH"])
        #expect(Region(["ch", "at"]) == alps)
        #expect(alps.covers("AT"))
        #expect(!alps.covers("DE"))
        #expect(everywhere.covers("DE"))
    }

    @Test(arguments: ["XX", "DEU", "", "D", "D\u{0}"])
    func `a region is made of countries`(code: String) {
        #expect(Region([code]) == nil)
    }

    @Test(arguments: ["EUR", "USD", "JPY", "CHF"])
    func `currencies in use are known`(code: String) {
        #expect(CurrencyCode.isKnown(code))
    }

    @Test(arguments: ["eur", "EU", "EURO", "XXX", "XTS", "DEM", ""])
    func `what is no currency in use is not known`(code: String) {
        #expect(!CurrencyCode.isKnown(code))
    }

    @Test(
        arguments: [
            (nil, 2_000), (10_000, 2_000), (2_150, 2_000), (2_000, 1_850), (150, 0), (-5, 0),
        ] as [(Int?, Int)])
    func `an approval waits two seconds, or what the caller's time leaves`(
        remaining: Int?, wait: Int
    ) {
        let patience = ApprovalPatience()

        let found = patience.wait(within: remaining.map { .milliseconds($0) })

        #expect(found == .milliseconds(wait))
    }

    @Test func `of many paths that name nothing the first are told`() {
        let paths = (0..<2_000).map { "nothing\($0)" }

        let refused = Result<Set<ModuleField>, Refusal> { () throws(Refusal) in
            try ModuleField.named(paths, present: [], isImplied: false)
        }

        guard case .failure(let refusal) = refused else {
            Issue.record("paths that name nothing were accepted")
            return
        }
        #expect(refusal.status.fields == Array(repeating: "update_mask", count: 50))
        #expect(refusal.status.message.utf8.count < 10_000)
    }

    @Test func `every wrong field is named at once`() {
        var check = FieldCheck()
        check.expect(false, "a", "A is wrong.")
        check.expect(true, "b", "B is wrong.")
        _ = check.require(nil as Int?, "c", "C is missing.")

        #expect(
            throws: Refusal.invalid([
                FieldFault(field: "a", sentence: "A is wrong."),
                FieldFault(field: "c", sentence: "C is missing."),
            ])
        ) { try check.finish() }
    }
}
