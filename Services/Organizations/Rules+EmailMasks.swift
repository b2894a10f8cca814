import Foundation
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
}

/// A domain of email addresses in its stored form: lower case, IDNA A-labels.
struct Domain: Sendable, Hashable {
    static let labelsMax = 10
    static let bytesMax = 253
    /// Longer input is refused before it is looked at.
    static let inputBytesMax = 1_024

    let labels: [String]
    var text: String { labels.joined(separator: ".") }

    /// The domain in the input, or nil when it is none.
    init?(_ input: some StringProtocol) {
        guard input.utf8.count <= Domain.inputBytesMax, let ascii = Domain.ascii(String(input))
        else { return nil }
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

    /// The input in lower case, its labels beyond ASCII as A-labels (UTS 46).
    private static func ascii(_ input: String) -> String? {
        if input.utf8.allSatisfy({ $0 < 0x80 }) { return input.lowercased() }
        // Nothing that would end the host of a URL may reach the conversion.
        let isHost = input.unicodeScalars.allSatisfy { scalar in
            !scalar.isASCII || scalar == "." || scalar == "-"
                || scalar.properties.isAlphabetic || scalar.properties.numericType == .decimal
        }
        guard isHost else { return nil }
        return URLComponents(string: "https://\(input)/")?.encodedHost?.lowercased()
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

    /// The masks that would cover the address, the strongest first: the domain itself, then
    /// wildcards from the longest base to the shortest.
    var candidates: [String] {
        var candidates = [domain.text]
        for start in domain.labels.indices where domain.labels.count - start >= 2 {
            let base = domain.labels[start...]
            // Longer masks cannot be stored.
            guard base.count < Domain.labelsMax else { continue }
            candidates.append("*." + base.joined(separator: "."))
        }
        return candidates
    }
}

/// Providers at which anybody can have an address; nobody joins an organization by them.
let publicMailDomains: Set<String> = Set(
    """
    126.com 139.com 163.com 189.cn aim.com aliyun.com aol.com arcor.de att.net bellsouth.net
    bigpond.com bluewin.ch bol.com.br btinternet.com centrum.cz charter.net comcast.net cox.net
    daum.net disroot.org duck.com earthlink.net email.cz email.it fastmail.com fastmail.fm
    foxmail.com free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.fr gmx.net
    googlemail.com hanmail.net hey.com hotmail.co.jp hotmail.co.uk hotmail.com hotmail.de
    hotmail.es hotmail.fr hotmail.it hushmail.com icloud.com inbox.lv inbox.ru interia.pl
    internode.on.net juno.com laposte.net libero.it list.ru live.ca live.co.uk live.com
    live.com.au live.de live.fr live.it live.nl mac.com mail.com mail.de mail.ee mail.ru
    mailbox.org mailfence.com me.com msn.com naver.com netscape.net netzero.net nifty.com
    o2.pl onet.pl online.de optonline.net optusnet.com.au orange.fr outlook.co.uk outlook.com
    outlook.de outlook.es outlook.fr outlook.it outlook.jp pm.me poczta.onet.pl posteo.de
    proton.me protonmail.ch protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com
    rogers.com runbox.com sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca sina.cn sina.com
    sky.com sohu.com startmail.com sympatico.ca t-online.de talktalk.net telenet.be tiscali.it
    tuta.com tutanota.com tutanota.de uol.com.br verizon.net virgilio.it virgin.net
    virginmedia.com vodafone.de wanadoo.fr web.de windowslive.com wp.pl xtra.co.nz ya.ru
    yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.au yahoo.com.br
    yahoo.com.mx yahoo.de yahoo.es yahoo.fr yahoo.in yahoo.it yandex.com yandex.ru yeah.net
    ymail.com ziggo.nl zoho.com zohomail.com
    """.split(whereSeparator: \.isWhitespace).map(String.init))
