import EmailDomains
import Encodings
import ServiceKit

/// How the addresses that a mask covers are treated.
enum MaskMode: Int, Sendable {
    case join = 1
    case allow = 2
}

/// Whether a mask counts yet.
enum MaskState: Int, Sendable {
    case active = 1
    case pendingVerification = 2
    /// Given up when its organization was archived.
    case released = 3
}

/// A domain of email addresses in its stored form: lower case, IDNA A-labels.
struct Domain: Sendable, Hashable {
    static let labelsMax = 10
    static let bytesMax = EmailDomain.bytesMax
    /// Longer input is refused before it is looked at.
    static let inputBytesMax = EmailDomain.inputBytesMax

    let labels: [String]
    var text: String { labels.joined(separator: ".") }

    /// The domain in the input, or nil when it is none.
    init?(_ input: some StringProtocol) {
        guard let ascii = EmailDomain.ascii(input) else { return nil }
        let labels = ascii.split(separator: ".", omittingEmptySubsequences: false)
        guard ascii.utf8.count <= Domain.bytesMax, labels.count >= 2,
            labels.allSatisfy(Domain.isLegal(label:)), let last = labels.last,
            !last.utf8.allSatisfy(Domain.isDigit)
        else { return nil }
        self.labels = labels.map(String.init)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isLegal(label: Substring) -> Bool {
        let hyphen = UInt8(ascii: "-")
        guard (1...63).contains(label.utf8.count), label.utf8.first != hyphen,
            label.utf8.last != hyphen
        else { return false }
        return label.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || isDigit(byte)
                || byte == hyphen
        }
    }
}

/// The pattern of an email mask: a domain, or `*.` before a base that counts with all below it.
struct MaskPattern: Sendable, Hashable {
    let base: Domain
    let isWildcard: Bool

    /// As it is stored and shown: `company.com` or `*.company.com`.
    var text: String { isWildcard ? "*.\(base.text)" : base.text }

    init(_ input: String, field: String) throws(FieldFault) {
        var rest = Substring(input)
        if rest.utf8.first == UInt8(ascii: "@") { rest = rest.dropFirst() }
        isWildcard = rest.utf8.starts(with: "*.".utf8)
        if isWildcard { rest = rest.dropFirst(2) }
        guard let base = Domain(rest) else {
            throw FieldFault(
                field: field,
                sentence: "Please type a domain such as “company.com” or “*.company.com”.")
        }
        guard base.labels.count + (isWildcard ? 1 : 0) <= Domain.labelsMax else {
            throw FieldFault(
                field: field,
                sentence: "A domain may have at most \(Domain.labelsMax) parts.")
        }
        self.base = base
    }

    /// The domain of a pattern in its stored form.
    static func domain(of text: String) -> String {
        text.utf8.starts(with: "*.".utf8) ? String(text.dropFirst(2)) : text
    }

    /// Whether it covers the addresses of a provider at which anybody can have one.
    var coversPublicMail: Bool {
        if publicMailDomains.contains(base.text) { return true }
        return isWildcard && publicMailDomains.contains { $0.hasSuffix(".\(base.text)") }
    }
}

/// What somebody asks a new mask to be, checked.
struct MaskDraft: Sendable, Hashable {
    let pattern: MaskPattern
    let mode: MaskMode

    /// - Throws: ``Refusal/invalid(_:)``, or ``Refusal/publicEmailDomain(_:)`` when people would
    ///   join by a domain at which anybody can have an address.
    init(value: String, mode: Int32) throws(Refusal) {
        var faults: [FieldFault] = []
        let pattern = faults.accept(value, field: "value", as: MaskPattern.init)
        let mode = faults.accept(mode, field: "mode", as: MaskMode.init)
        guard let pattern, let mode else { throw .invalid(faults) }
        if mode == .join, pattern.coversPublicMail {
            throw .publicEmailDomain(pattern.base.text)
        }
        self.pattern = pattern
        self.mode = mode
    }
}

extension MaskMode {
    /// The mode with a number of the API; 0 joins.
    init(_ number: Int32, field: String) throws(FieldFault) {
        guard let mode = MaskMode(rawValue: number == 0 ? 1 : Int(number)) else {
            throw FieldFault(field: field, sentence: "There is no mode \(number).")
        }
        self = mode
    }
}

/// An address of a person, as far as joining needs it.
struct EmailAddress: Sendable, Hashable {
    let domain: Domain

    init(_ input: String, field: String) throws(FieldFault) {
        guard input.utf8.count <= Domain.inputBytesMax,
            let at = input.utf8.lastIndex(of: UInt8(ascii: "@")), at != input.startIndex,
            let domain = Domain(input[input.utf8.index(after: at)...])
        else {
            throw FieldFault(field: field, sentence: "Please type an email address.")
        }
        self.domain = domain
    }
}

extension Domain {
    /// The masks that would cover the addresses of the domain, the strongest first: the domain
    /// itself, then wildcards from the longest base to the shortest.
    var candidates: [String] {
        var candidates = [text]
        for start in labels.indices where labels.count - start >= 2 {
            let base = labels[start...]
            // Longer masks cannot be stored.
            guard base.count < Domain.labelsMax else { continue }
            candidates.append("*." + base.joined(separator: "."))
        }
        return candidates
    }
}

/// What the owner of a domain publishes there to prove that a mask is theirs to enter.
struct MaskChallenge: Sendable, Hashable {
    static let byteCount = 16

    /// Random, so that nobody publishes it by chance or beforehand.
    let bytes: [UInt8]

    init(bytes: [UInt8]) {
        precondition(bytes.count == Self.byteCount, "the caller draws a whole challenge")
        self.bytes = bytes
    }

    /// The text of the TXT record.
    var text: String { "guildhall-verification=\(Hexadecimal.text(bytes))" }

    /// Where the record stands for a domain.
    static func name(forDomain domain: String) -> String { "_guildhall-challenge.\(domain)" }

    /// Whether the records that are there answer the challenge.
    func isAnswered(by texts: [String]) -> Bool {
        texts.contains { $0.utf8.elementsEqual(text.utf8) }
    }
}

/// By what a mask that waits comes to count.
enum MaskVerification: Int, Sendable {
    /// The word of a role that enters masks without waiting.
    case role = 0
    /// A TXT record of the domain.
    case domain = 1

    /// The verification with a number of the API.
    init(_ number: Int32, field: String) throws(FieldFault) {
        guard let verification = MaskVerification(rawValue: Int(number)) else {
            throw FieldFault(field: field, sentence: "There is no verification \(number).")
        }
        self = verification
    }
}
