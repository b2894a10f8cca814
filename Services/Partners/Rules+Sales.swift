import Access

/// How far a sale is; the numbers stand in the database.
enum SaleState: Int64, Sendable, Hashable, CaseIterable {
    case draft = 1
    case registered = 2
    /// Its fulfilment is under way.
    case approved = 3
    case fulfilled = 4
    case cancelled = 5
}

/// What can happen to a sale.
enum SaleEvent: String, Sendable, Hashable, CaseIterable {
    case register
    case approve
    case fulfil
    /// Its fulfilment was refused before anything of it could be seen.
    case refuse
    case cancel
}

extension SaleState {
    /// The state that an event leads to.
    func after(_ event: SaleEvent) throws(Refusal) -> SaleState {
        switch (self, event) {
        case (.draft, .register): .registered
        case (.registered, .approve): .approved
        case (.approved, .fulfil): .fulfilled
        case (.approved, .refuse): .draft
        case (.draft, .cancel), (.registered, .cancel): .cancelled
        default: throw .saleState(self, event)
        }
    }
}

/// Limits of one sale.
enum SaleLimits {
    static let lineCountMax = 100
    static let quantityMax: Int64 = 100_000
    static let seatsPerUnitMax: Int64 = 10_000
    /// Membership grants no more at once.
    static let seatsMax: Int64 = 1_000_000
    /// A page of sales with all their lines stays within what a message may hold.
    static let pageSizeMax: Int32 = 100
}

/// How long an approval waits for the end of the fulfilment.
struct ApprovalPatience: Sendable, Hashable {
    /// The longest wait.
    var wait: Duration = .seconds(2)
    /// What is kept of the caller's time to answer in.
    var margin: Duration = .milliseconds(150)

    /// The wait, given what is left of the caller's time; nil is no end.
    func wait(within remaining: Duration?) -> Duration {
        guard let remaining else { return wait }
        return max(min(wait, remaining - margin), .zero)
    }
}

/// A line as it was asked for.
struct SaleLine: Sendable, Hashable {
    let product: ProductID
    let quantity: Int64
    /// What was fixed when the sale was registered.
    let price: LinePrice?
}

/// What one unit costs and gives.
struct LinePrice: Sendable, Hashable {
    let unitPriceMinor: Int64
    let seatsPerUnit: Int64
}

/// The amounts of a sale, in the currency's smallest unit: computed once, when it is registered.
struct Amounts: Sendable, Hashable {
    let listTotalMinor: Int64
    let distributionTotalMinor: Int64
    let discount: BasisPoints

    init(listTotalMinor: Int64, distributionTotalMinor: Int64, discount: BasisPoints) {
        self.listTotalMinor = listTotalMinor
        self.distributionTotalMinor = distributionTotalMinor
        self.discount = discount
    }

    /// Adds up lines at their list prices, then takes the discount off, rounded half up once.
    init(_ lines: [(quantity: Int64, price: LinePrice)], discount: BasisPoints) throws(Refusal) {
        // 100 lines of 100,000 units at the largest price fit in 128 bits with room to spare.
        let listTotal = lines.reduce(into: Int128(0)) { sum, line in
            sum += Int128(line.quantity) * Int128(line.price.unitPriceMinor)
        }
        guard let listTotalMinor = Int64(exactly: listTotal) else { throw .amountTooLarge }
        self.listTotalMinor = listTotalMinor
        self.distributionTotalMinor = discounted(listTotalMinor, by: discount)
        self.discount = discount
    }
}

/// An amount less a discount, rounded half up; never more than the amount.
func discounted(_ amountMinor: Int64, by discount: BasisPoints) -> Int64 {
    let whole = Int128(BasisPoints.whole)
    let rest = Int128(amountMinor) * (whole - Int128(discount.value))
    return Int64((rest + whole / 2) / whole)
}

/// The seats that lines give together.
func seats(of lines: [(quantity: Int64, price: LinePrice)]) throws(Refusal) -> Int64 {
    let sum = lines.reduce(into: Int128(0)) { sum, line in
        sum += Int128(line.quantity) * Int128(line.price.seatsPerUnit)
    }
    guard sum <= Int128(SaleLimits.seatsMax) else { throw .tooManySeats }
    return Int64(sum)
}

/// The one currency of the products of a sale.
func currency(of products: [Product]) throws(Refusal) -> String {
    guard let first = products.first else { throw .noSuch(.product) }
    guard products.allSatisfy({ $0.currency == first.currency }) else { throw .mixedCurrencies }
    return first.currency
}
