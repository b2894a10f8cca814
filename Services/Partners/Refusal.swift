import RPC
import ServiceKit

/// What this service refuses.
///
/// A refusal is the stored answer of its idempotency key.
enum Refusal: DomainRefusal, Hashable {
    case invalid([FieldFault])
    case noSuch(Noun)
    /// Another of its kind has the name.
    case nameTaken(Noun)
    /// With the state in which the sale is and what was asked of it.
    case saleState(SaleState, SaleEvent)
    /// With the country of the organization and those of the partner.
    case outsideRegion(country: String, region: [String])
    case mixedCurrencies
    case amountTooLarge
    case tooManySeats
    case catalog(CatalogRefusal)
    case subscription(SubscriptionRefusal)

    var status: Status {
        switch self {
        case .invalid(let faults): Status.invalid(Array(faults.prefix(FieldCheck.faultsMax)))
        case .noSuch(let noun): .refusal(.notFound, "There is no such \(noun.rawValue).")
        case .nameTaken(let noun):
            .refusal(.nameTaken, "There is a \(noun.rawValue) with this name already.")
        case .saleState(let state, let event):
            .refusal(
                .saleState,
                "The sale is \(state.word); \(event.condition).",
                metadata: ["state": state.word, "event": event.rawValue])
        case .outsideRegion(let country, let region):
            .refusal(
                .outsideRegion,
                "The partner sells in \(region.joined(separator: ", ")), not in \(country).",
                metadata: ["country": country])
        case .mixedCurrencies:
            .refusal(
                .mixedCurrencies, "All products of a sale must have the same currency.")
        case .amountTooLarge:
            .refusal(
                .amountTooLarge, "The total of the sale is too large.")
        case .tooManySeats:
            .refusal(
                .tooManySeats, "A sale gives at most \(SaleLimits.seatsMax) seats.")
        case .catalog(let refusal): refusal.status
        case .subscription(let refusal): refusal.status
        }
    }
}

/// Why a call is not even tried.
///
/// It is never stored: the same key may succeed later.
enum Denial: StatusConvertible, Hashable {
    case notPermitted
    /// Unknown, or outside the caller's scope: nobody learns which.
    case noSuch(Noun)
    /// Courses are to come to a subscription that was paid without them.
    case coursesUnpaid

    var status: Status {
        switch self {
        case .notPermitted: .forbidden()
        case .coursesUnpaid:
            .forbidden(
                """
                The subscription was paid without these courses. Only those who run the platform \
                and those who sell here add courses to it.
                """)
        case .noSuch(let noun): .notFound("There is no such \(noun.rawValue).")
        }
    }
}

/// What can be absent, as a sentence names it.
enum Noun: String, Sendable, Hashable {
    case partner, product, sale, organization, module, course
}

extension SaleState {
    /// The state as a sentence and a program name it.
    fileprivate var word: String {
        switch self {
        case .draft: "draft"
        case .registered: "registered"
        case .approved: "approved"
        case .fulfilled: "fulfilled"
        case .cancelled: "cancelled"
        }
    }
}

extension SaleEvent {
    /// What must hold first.
    fileprivate var condition: String {
        switch self {
        case .register: "only a draft can be registered"
        case .approve: "only a registered sale can be approved"
        case .fulfil, .refuse: "only an approved sale is being fulfilled"
        case .cancel: "only a draft or a registered sale can be cancelled"
        }
    }
}
