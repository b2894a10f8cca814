import Access
import ServiceKit

/// What somebody writes about by the contact form.
enum QueryKind: Int, Sendable, CaseIterable {
    case account = 1
    case courseContent = 2
    case booking = 3
    case supportTeam = 4
    case product = 5
    case suggestions = 6
    case miscellaneous = 7

    /// The word for it in effects of moves: that of the API, in lower case.
    var word: String {
        switch self {
        case .account: "account"
        case .courseContent: "course_content"
        case .booking: "booking"
        case .supportTeam: "support_team"
        case .product: "product"
        case .suggestions: "suggestions"
        case .miscellaneous: "miscellaneous"
        }
    }

    /// The kind with a number of the API.
    init(_ number: Int32, field: String) throws(FieldFault) {
        guard let kind = QueryKind(rawValue: Int(number)) else {
            throw FieldFault(field: field, sentence: "Please choose what it is about.")
        }
        self = kind
    }
}

extension ContactAddress {
    /// The receivers in a field, each once, in the order in which they came.
    static func list(
        _ input: [String], field: String, most: Int
    ) throws(FieldFault) -> [String] {
        guard input.count <= most else {
            throw FieldFault(field: field, sentence: "At most \(most) addresses.")
        }
        var addresses: [String] = []
        for text in input {
            let address = try receiver(text, field: field)
            let isKnown = addresses.contains { $0.lowercased() == address.lowercased() }
            if !isKnown { addresses.append(address) }
        }
        return addresses
    }
}

/// Who receives what people write at an organization, by kind; kinds without anybody are left out.
struct Receivers: Sendable, Hashable {
    private(set) var addresses: [QueryKind: [String]] = [:]

    /// Receivers as they came in.
    ///
    /// - Parameters:
    ///   - input: Numbers of kinds with addresses.
    ///   - most: The most addresses of a kind.
    /// - Throws: ``Refusal/invalid(_:)``.
    init(_ input: [(kind: Int32, addresses: [String])], most: Int) throws(Refusal) {
        var faults: [FieldFault] = []
        for (position, entry) in input.prefix(QueryKind.allCases.count + 1).enumerated() {
            let path = "receivers[\(position)]"
            let kind = faults.accept(
                entry.kind, field: "\(path).kind", as: QueryKind.init(_:field:))
            let list = faults.accept(entry.addresses, field: "\(path).addresses") {
                input, field throws(FieldFault) in
                try ContactAddress.list(input, field: field, most: most)
            }
            guard let kind, let list else { continue }
            if addresses[kind] != nil {
                faults.append(
                    FieldFault(field: "\(path).kind", sentence: "Each kind at most once."))
            }
            addresses[kind] = list
        }
        guard faults.isEmpty else { throw .invalid(faults) }
        addresses = addresses.filter { !$0.value.isEmpty }
    }

    /// Receivers as they are stored.
    init(stored addresses: [QueryKind: [String]]) {
        self.addresses = addresses
    }
}

/// Who receives messages of a kind at an organization, and where that is set.
struct EffectiveAddresses: Sendable, Hashable {
    let kind: QueryKind
    let addresses: [String]
    /// The organization; nil: the platform.
    let source: OrganizationID?

    /// The receivers that hold: an organization's own, else the nearest ancestor's, else the
    /// platform's.
    ///
    /// - Parameters:
    ///   - kind: The kind.
    ///   - line: The organization first, then its ancestors, nearest first.
    ///   - platform: The platform's; never empty.
    init(of kind: QueryKind, along line: [(OrganizationID, Receivers)], platform: [String]) {
        self.kind = kind
        for (id, receivers) in line {
            guard let addresses = receivers.addresses[kind] else { continue }
            (self.addresses, source) = (addresses, id)
            return
        }
        (addresses, source) = (platform, nil)
    }
}

/// What somebody wrote, checked.
struct ContactDraft: Sendable, Hashable {
    static let subjectCharactersMax = 200
    static let textCharactersMax = 10_000

    let kind: QueryKind
    let sender: String
    let subject: String
    let text: String

    /// - Throws: ``Refusal/invalid(_:)`` with every field that is wrong.
    init(kind: Int32, email: String, subject: String, text: String) throws(Refusal) {
        var faults: [FieldFault] = []
        let kind = faults.accept(kind, field: "kind", as: QueryKind.init(_:field:))
        let sender = faults.accept(email, field: "email", as: ContactAddress.sender)
        let line = faults.accept(subject, field: "subject") { input, field throws(FieldFault) in
            try Self.text(input, field: field, in: .line, most: Self.subjectCharactersMax)
        }
        let content = faults.accept(text, field: "text") { input, field throws(FieldFault) in
            try Self.text(input, field: field, in: .paragraph, most: Self.textCharactersMax)
        }
        guard let kind, let sender, let line, let content else { throw .invalid(faults) }
        (self.kind, self.sender, self.subject, self.text) = (kind, sender, line, content)
    }

    /// What is stored.
    init(storedKind kind: QueryKind, sender: String, subject: String, text: String) {
        (self.kind, self.sender, self.subject, self.text) = (kind, sender, subject, text)
    }

    /// What senders are told apart by.
    var senderKey: String { sender.lowercased() }

    private static func text(
        _ input: String, field: String, in form: Text.Form, most: Int
    ) throws(FieldFault) -> String {
        guard input.utf8.count <= 4 * most, input.unicodeScalars.count <= most else {
            throw FieldFault(field: field, sentence: "At most \(most) characters.")
        }
        let isLegal = input.unicodeScalars.allSatisfy { scalar in
            scalar == "\r" && form == .paragraph || Text.isAcceptable(scalar, in: form)
        }
        guard isLegal else {
            throw FieldFault(
                field: field,
                sentence: "No control or direction-changing characters are accepted here.")
        }
        let isEmpty = input.unicodeScalars.allSatisfy(\.properties.isWhitespace)
        guard !isEmpty else { throw FieldFault(field: field, sentence: "Please type something.") }
        return input
    }
}
