import Access
import ServiceKit
import Webhooks

// Addresses of customers' systems that are told what happens, and how often they are called.

enum HookKind {}
typealias HookID = Identifier<HookKind>
enum HookDeliveryKind {}
typealias HookDeliveryID = Identifier<HookDeliveryKind>

/// What is told.
enum HookTopic: Int, Sendable, CaseIterable {
    case created = 1
    case updated = 2
    case archived = 3
    case restored = 4
    case removed = 5
    case lapsed = 6
    case test = 7

    /// The `type` of what is sent.
    var name: String {
        switch self {
        case .created: "organization.created"
        case .updated: "organization.updated"
        case .archived: "organization.archived"
        case .restored: "organization.restored"
        case .removed: "organization.removed"
        case .lapsed: "organization.lapsed"
        case .test: "hook.test"
        }
    }
}

/// What a hook wants to be told.
struct HookTopics: Sendable, Hashable {
    /// A bit for each topic, the lowest for the first; 0: everything.
    let bits: Int

    static let everything = HookTopics(bits: 0)

    /// The topics with the numbers of the API.
    init(_ numbers: [Int32], field: String) throws(FieldFault) {
        var bits = 0
        for number in numbers {
            guard let topic = HookTopic(rawValue: Int(number)) else {
                throw FieldFault(field: field, sentence: "There is no kind \(number).")
            }
            guard topic != .test else {
                throw FieldFault(field: field, sentence: "“hook.test” is told without asking.")
            }
            guard bits & topic.bit == 0 else {
                throw FieldFault(field: field, sentence: "Each kind may be named once.")
            }
            bits |= topic.bit
        }
        self.bits = bits
    }

    init(bits: Int) {
        self.bits = bits
    }

    /// The topics that were asked for; none: everything.
    var named: [HookTopic] {
        HookTopic.allCases.filter { bits & $0.bit != 0 }
    }

    func contains(_ topic: HookTopic) -> Bool {
        bits == 0 || topic == .test || bits & topic.bit != 0
    }
}

extension HookTopic {
    fileprivate var bit: Int { 1 << (rawValue - 1) }
}

/// What an operator allows hooks to be.
struct HookRules: Sendable, Hashable {
    /// `hook.plaintext`: whether http may be used.
    var allowsPlaintext = false
    /// `hook.networks`: which addresses may be called.
    var addresses = AddressRules()

    /// The address in a field.
    func url(_ text: String, field: String) throws(FieldFault) -> WebhookURL {
        do {
            return try WebhookURL(parsing: text, allowsPlaintext: allowsPlaintext, rules: addresses)
        } catch {
            throw FieldFault(field: field, sentence: sentence(about: error))
        }
    }

    private func sentence(about fault: WebhookURL.Fault) -> String {
        switch fault {
        case .tooLong: "An address has at most \(WebhookURL.charactersMax) characters."
        case .malformed: "Please write an address such as “https://example.com/guildhall”."
        case .scheme: "The address must begin with “https://”."
        case .user: "The address must not name a user."
        case .fragment: "The address must not have a part after “#”."
        case .address: "This address is not one of the public Internet."
        }
    }
}

/// What people set at a hook.
struct HookDetails: Sendable, Hashable {
    var url: String
    var topics: HookTopics
    var isEnabled: Bool
}

/// What came in for a hook, unchecked.
struct HookInput: Sendable, Hashable {
    var url: String
    var kinds: [Int32]
    var isEnabled = true
    /// Where the fields stand in the request: empty, or a path with a dot.
    var prefix = ""
}

/// A field of a hook that people may change.
enum HookField: String, CaseIterable, Sendable {
    case url
    case kinds
    case enabled

    private static let answered: Set<String> = [
        "id", "organization_id", "disabled_reason", "created_at", "updated_at", "version", "etag",
    ]

    /// The fields that a mask names; without names, those that are not at their default.
    ///
    /// - Parameters:
    ///   - paths: The names.
    ///   - input: What came in.
    ///   - isImplied: Whether the names are those of what came in: what is only answered is passed
    ///     over then.
    /// - Returns: The fields.
    /// - Throws: ``Refusal/invalid(_:)`` with every name that is none, or of what is only answered.
    static func named(
        _ paths: [String], in input: HookInput, isImplied: Bool
    ) throws(Refusal) -> Set<HookField> {
        guard !paths.isEmpty else { return input.fieldsPresent }
        var faults: [FieldFault] = []
        var fields: Set<HookField> = []
        for path in paths {
            if let field = HookField(rawValue: path) {
                fields.insert(field)
            } else if !answered.contains(path) {
                faults.append(.maskNamesNothing(path))
            } else if !isImplied {
                faults.append(.maskNamesAnswered(path))
            }
        }
        guard faults.isEmpty else { throw .invalid(faults) }
        return fields
    }
}

extension HookInput {
    fileprivate var fieldsPresent: Set<HookField> {
        var present: Set<HookField> = []
        if !url.isEmpty { present.insert(.url) }
        if !kinds.isEmpty { present.insert(.kinds) }
        if isEnabled { present.insert(.enabled) }
        return present
    }
}

extension HookDetails {
    /// What a new hook is before anything is set.
    static let blank = HookDetails(url: "", topics: .everything, isEnabled: true)

    /// The details with the named fields as they came in.
    ///
    /// - Throws: ``Refusal/invalid(_:)`` with every field that is wrong.
    func changed(
        _ fields: Set<HookField>, to input: HookInput, by rules: HookRules
    ) throws(Refusal) -> HookDetails {
        var faults: [FieldFault] = []
        var next = self
        func path(_ field: HookField) -> String { input.prefix + field.rawValue }
        if fields.contains(.url),
            let url = faults.accept(input.url, field: path(.url), as: rules.url(_:field:))
        {
            next.url = url.text
        }
        if fields.contains(.kinds),
            let topics = faults.accept(
                input.kinds, field: path(.kinds), as: HookTopics.init(_:field:))
        {
            next.topics = topics
        }
        if fields.contains(.enabled) { next.isEnabled = input.isEnabled }
        guard faults.isEmpty else { throw .invalid(faults) }
        return next
    }
}

/// How often hooks are called, and how much of it is kept.
struct HookPace: Sendable, Hashable {
    /// The most hooks of an organization.
    static let hooksMax = 20
    /// The pauses after each attempt without a good answer; after the last attempt a call fails.
    var pauses: [Duration] = [
        .seconds(5), .seconds(300), .seconds(1_800), .seconds(2 * 3_600), .seconds(5 * 3_600),
        .seconds(10 * 3_600), .seconds(14 * 3_600), .seconds(20 * 3_600), .seconds(24 * 3_600),
    ]
    /// A pause is longer by up to this share, so that many calls do not come back at once.
    static let jitterMax = 0.2
    /// The most calls under way at once.
    var callsMax = 8
    /// The most of them that go to one hook: one that is slow does not hold up the others.
    var callsOfHookMax = 2
    /// The most of them that go to hooks of one organization.
    var callsOfOrganizationMax = 4
    /// The first pause of a hook whose receiver does not answer.
    var hookPauseMin: Duration = .seconds(5)
    /// No such pause is longer, unless the receiver asks for it.
    var hookPauseMax: Duration = .seconds(300)
    /// The most calls that wait for a hook, as many as an import has rows; the oldest fail beyond.
    var waitingMax = 100_000
    /// A hook at which nothing has arrived for so long is switched off.
    var silenceMax: Duration = .seconds(5 * 86_400)
    /// Silence is judged by a call that was tried so often, or for the last time: one attempt at a
    /// hook that was not called for days says little.
    var silenceTriesMin = 3
    /// After so many calls without a good answer any call is judged by: where very many wait none
    /// is tried often.
    var silenceFailuresMin = 1_000
    /// The pause between two looks for calls that are due.
    var period: Duration = .milliseconds(500)

    /// How long a call waits after an attempt without a good answer.
    ///
    /// - Parameters:
    ///   - tries: The attempts so far, this one among them.
    ///   - asked: How long the receiver asks to wait, if it does.
    ///   - generator: Draws the jitter.
    /// - Returns: The pause; nil: the call has failed.
    func pause(
        after tries: Int, asked: Duration? = nil,
        using generator: inout some RandomNumberGenerator
    ) -> Duration? {
        guard pauses.indices.contains(tries - 1) else { return nil }
        return max(pauses[tries - 1], granted(asked))
            * Double.random(in: 1...1 + Self.jitterMax, using: &generator)
    }

    /// What is granted to a receiver that asks for a pause: no more than the longest of a call.
    func granted(_ asked: Duration?) -> Duration {
        min(asked ?? .zero, pauses.max() ?? .zero)
    }

    /// Whether a hook is switched off by a call without a good answer.
    ///
    /// - Parameters:
    ///   - silence: For how long nothing has arrived at the hook.
    ///   - failures: The calls without a good answer in that time.
    ///   - tries: The attempts of this call, this one among them.
    /// - Returns: Whether it is.
    func endsHook(after silence: Duration, failures: Int, tries: Int) -> Bool {
        silence >= silenceMax
            && (tries >= min(silenceTriesMin, pauses.count + 1) || failures >= silenceFailuresMin)
    }

    /// How long a hook is not called after so many calls without an answer.
    func hookPause(
        after failures: Int, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        let longest = min(hookPauseMax, hookPauseMin * (1 << min(max(failures - 1, 0), 10)))
        return longest * Double.random(in: 1 - Self.jitterMax...1, using: &generator)
    }
}
