internal import CDataSet

/// The rows that every storage benchmark begins with, and the commands that it runs.
public struct DataSet: Sendable {
    /// What an identifier names.
    public enum Kind: UInt32, Sendable {
        /// An organization.
        case organization = 1
        /// A user.
        case user = 2
        /// A membership.
        case membership = 3
    }

    /// How many organizations there are.
    public let organizations: Int
    /// How many memberships there are.
    public let memberships: Int
    private let set: data_set

    /// A data set of some size.
    public init(organizations: Int, memberships: Int) {
        self.organizations = organizations
        self.memberships = memberships
        set = data_set_make(UInt64(organizations), UInt64(memberships))
    }

    /// The identifier of a number.
    public func identifier(_ kind: Kind, _ number: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 16)
        unsafe data_set_identifier(data_set_kind(kind.rawValue), UInt64(number), &bytes)
        return bytes
    }

    /// An organization that has fifty children, at some level from the root; numbered from 0.
    public func parent(_ number: Int, level: Int) -> Int {
        let first = unsafe withUnsafeBytes(of: set.level_first) { bytes in
            unsafe bytes.load(fromByteOffset: level * 8, as: UInt64.self)
        }
        let count = unsafe withUnsafeBytes(of: set.level_count) { bytes in
            unsafe bytes.load(fromByteOffset: level * 8, as: UInt64.self)
        }
        let step = UInt64(DATA_SET_CHILDREN) / 2
        let position = UInt64(number) % max(count / step, 1) * step
        return Int(first + position)
    }

    /// The number by which the database names an organization; its own begin at 1.
    public func storedNumber(_ organization: Int) -> Int64 { Int64(organization) + 1 }

    /// An organization on the tenth level; numbered from 0.
    public func leaf(_ number: Int) -> [UInt8] {
        identifier(.organization, organizations - 1 - number % (organizations / 2))
    }

    /// An organization that has a hundred members; numbered from 0.
    public func organizationWithMembers(_ number: Int) -> [UInt8] {
        let membership = UInt64(number % (memberships / 100) * 100)
        let organization = unsafe withUnsafePointer(to: set) { set in
            unsafe data_set_organization_of(set, membership)
        }
        return identifier(.organization, Int(organization))
    }

    /// The title of an organization in lower case.
    public func titleKey(_ organization: Int) -> String {
        var text = [CChar](repeating: 0, count: DATA_SET_TEXT_BYTES)
        unsafe data_set_title_key(UInt64(organization), &text)
        return Self.string(text)
    }

    /// The command of a number.
    public func admission(_ number: Int) -> Admission {
        var command = data_set_command()
        unsafe withUnsafePointer(to: set) { set in
            unsafe data_set_command_make(set, UInt64(number), &command)
        }
        return Admission(command)
    }

    /// Spreads numbers evenly.
    public static func mix(_ number: Int) -> Int {
        Int(truncatingIfNeeded: data_set_mix(UInt64(number)) >> 1)
    }

    static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A command: somebody admits a user to an organization on the tenth level.
public struct Admission: Sendable {
    /// The method that it calls.
    public static let method = unsafe String(cString: data_set_method)
    /// The kind of its event.
    public static let eventKind = unsafe String(cString: data_set_event_kind)
    /// How many levels have a limit.
    public static let levels = DATA_SET_LEVELS

    /// Whom it is for.
    public let organization: [UInt8]
    /// Who is admitted.
    public let user: [UInt8]
    /// What the membership is called.
    public let membership: [UInt8]
    /// The idempotency key.
    public let key: [UInt8]
    /// Tells one request from another.
    public let digest: [UInt8]
    /// Who commands.
    public let principal: String
    /// What members are ordered by.
    public let nameKey: String
    /// What is answered.
    public let reply: [UInt8]
    /// What the feed says.
    public let event: [UInt8]
    /// When, in microseconds.
    public let now: Int64

    init(_ command: data_set_command) {
        organization = Self.bytes(command.organization)
        user = Self.bytes(command.user)
        membership = Self.bytes(command.membership)
        key = Self.bytes(command.key)
        digest = Self.bytes(command.digest)
        principal = Self.text(command.principal)
        nameKey = Self.text(command.name_key)
        reply = Self.bytes(command.reply)
        event = Self.bytes(command.event)
        now = command.now
    }

    private static func bytes<Value: BitwiseCopyable>(_ value: Value) -> [UInt8] {
        unsafe withUnsafeBytes(of: value) { unsafe [UInt8]($0) }
    }

    private static func text<Value: BitwiseCopyable>(_ value: Value) -> String {
        String(decoding: bytes(value).prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// The statements of a command as text.
public struct AdmissionStatements: Sendable {
    /// Looks for the reply of before.
    public let findReply = unsafe String(cString: statement_find_reply)
    /// Reads the limits at ten levels.
    public let readLimits = unsafe String(cString: statement_read_limits)
    /// Inserts the membership.
    public let addMembership = unsafe String(cString: statement_add_membership)
    /// Inserts the place.
    public let addPlace = unsafe String(cString: statement_add_place)
    /// Inserts the line of the ledger.
    public let addLedgerLine = unsafe String(cString: statement_add_ledger_line)
    /// Inserts the event.
    public let addEvent = unsafe String(cString: statement_add_event)
    /// Inserts the reply.
    public let addReply = unsafe String(cString: statement_add_reply)

    /// The statements.
    public init() {}
}
