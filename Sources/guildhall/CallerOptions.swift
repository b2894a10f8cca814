import Access
import ArgumentParser
import Foundation
import RPC
import ServiceKit

/// What calls of the command line carry beside their requests, and in whose name they are made.
struct CallerOptions: ParsableArguments {
    @Option(
        name: [.customShort("H"), .customLong("header")],
        help: ArgumentHelp(
            "Metadata of the calls; under keys that end in -bin, in Base64. Repeatable.",
            valueName: "key:value"))
    var headers: [MetadataArgument] = []
    @Option(help: "How long a call may take: 500ms, 2s or 1m. (default: 2s, streams without end)")
    var timeout: DurationArgument?
    @Option(
        help: ArgumentHelp(
            "The installation's data folder: its operator key signs the calls.",
            valueName: "folder"))
    var data: String?
    @Option(
        name: .customLong("as"),
        help: ArgumentHelp(
            "What the signed calls act as, such as org_admin@ORGANIZATION. Repeatable. "
                + "(default: platform_owner)", valueName: "role"))
    var grants: [GrantArgument] = []
    @Option(
        help: ArgumentHelp(
            "Whom the signed calls act for. (default: the operator)", valueName: "id"))
    var user: UserArgument?
    @OptionGroup var protection: ProtectionOptions

    func validate() throws {
        guard data != nil || (grants.isEmpty && user == nil) else {
            throw ValidationError("--as and --user need --data: the key there signs the calls.")
        }
        do {
            try metadata.validate()
        } catch {
            throw ValidationError(error.message)
        }
    }

    private var metadata: Metadata {
        var metadata = Metadata()
        for header in headers { metadata.append(header.value, for: header.key) }
        return metadata
    }

    /// The options of each call, its principal aside.
    var callOptions: CallOptions {
        CallOptions(timeout: timeout?.duration, metadata: metadata)
    }

    /// A channel whose calls are signed, if a key is given to sign with.
    ///
    /// - Parameters:
    ///   - channel: Carries the calls.
    ///   - folder: The data folder to take when none is given.
    /// - Returns: The channel, or one around it.
    /// - Throws: When there is no folder of keys, or its key is malformed.
    func signed(_ channel: any RPC.Channel, data folder: String? = nil) throws -> any RPC.Channel {
        guard let data = data ?? folder else { return channel }
        return channel.intercepted(
            by: try OperatorStatement(
                data: data, person: user?.id, grants: grants.map(\.grant)))
    }
}

/// Makes calls act for a person, stated by the operator's key.
struct OperatorStatement: ClientInterceptor {
    /// Whoever has the folder, as nobody who is known.
    ///
    /// Always the same, so that a call that is repeated with its idempotency key is known to be so.
    private static let operatorID = UserID(high: 0x7000, low: 0x8000_0000_0000_0001)

    private let signer: PrincipalSigner
    private let person: UserID
    private let grants: [Access.Grant]

    /// Statements by the key of an installation.
    ///
    /// - Parameters:
    ///   - data: The installation's data folder.
    ///   - person: Whom the calls act for; nil for the operator.
    ///   - grants: What they act as; none for the platform's owner.
    /// - Throws: When the folder has no keys, or its key is malformed.
    init(data: String, person: UserID? = nil, grants: [Access.Grant] = []) throws {
        let keys = URL(filePath: data).appending(path: "keys").path
        // A key ring would make the folder, and a key in it that nobody trusts.
        guard FileManager.default.fileExists(atPath: keys) else {
            throw ValidationError("\(data) is no data folder of an installation: it has no keys.")
        }
        signer = PrincipalSigner(
            keys: try KeyRing(folder: keys, name: Installation.operatorName))
        self.person = person ?? Self.operatorID
        self.grants = grants.isEmpty ? [Access.Grant(.platformOwner, at: nil)] : grants
    }

    func begin(_ method: MethodDescriptor, _ options: inout CallOptions) throws {
        options.metadata[bytes: MetadataKey.principal] = try signer.user(person, grants: grants)
    }
}

/// An entry of metadata, written `key:value`.
struct MetadataArgument: ExpressibleByArgument, Sendable {
    let key: String
    let value: Metadata.Value

    init?(argument: String) {
        guard let colon = argument.firstIndex(of: ":") else { return nil }
        let text = argument[argument.index(after: colon)...].drop { $0 == " " }
        key = argument[..<colon].lowercased()
        if Metadata.isBinary(key: key) {
            guard let bytes = Data(base64Encoded: String(text)) else { return nil }
            value = .bytes(Array(bytes))
        } else {
            value = .text(String(text))
        }
    }
}

/// A span of time, written with its unit: `500ms`, `2s`, `1m`.
struct DurationArgument: ExpressibleByArgument, Sendable {
    /// No span is longer than a day.
    static let durationMax: Duration = .seconds(86_400)

    let duration: Duration

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let count = Double(digits), count > 0, count < 1e9 else { return nil }
        switch argument.dropFirst(digits.count) {
        case "us": duration = .microseconds(count)
        case "ms": duration = .milliseconds(count)
        case "s": duration = .seconds(count)
        case "m": duration = .seconds(count * 60)
        default: return nil
        }
        guard duration <= Self.durationMax else { return nil }
    }
}

/// A role at a place, written `platform_owner` or `org_admin@ORGANIZATION`.
struct GrantArgument: ExpressibleByArgument, Sendable {
    let grant: Access.Grant

    init?(argument: String) {
        let parts = argument.split(separator: "@", maxSplits: 1).map(String.init)
        let name = (parts.first ?? "").replacing("-", with: "_")
        guard let role = Access.Role.allCases.first(where: { $0.name == name }) else { return nil }
        guard parts.count == 2 else {
            grant = Access.Grant(role)
            return
        }
        guard let organization = OrganizationID(text: parts[1]) else { return nil }
        grant = Access.Grant(role, at: organization)
    }

    static var allValueStrings: [String] { Access.Role.allCases.map(\.name) }
}

/// The identifier of a person.
struct UserArgument: ExpressibleByArgument, Sendable {
    let id: UserID

    init?(argument: String) {
        guard let id = UserID(text: argument) else { return nil }
        self.id = id
    }
}
