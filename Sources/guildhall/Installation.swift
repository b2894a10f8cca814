import ArgumentParser
import Foundation
import ServiceKit

/// The five executables of an installation, in the order in which they start.
enum Part: String, CaseIterable, Sendable {
    case organizations
    case membership
    case partners
    case branding
    case gateway

    /// The parts that it calls.
    var upstreams: [Part] {
        switch self {
        case .organizations: [.membership, .branding, .partners]
        case .membership: [.organizations, .partners]
        case .branding: [.organizations]
        case .partners: [.organizations, .membership, .branding]
        case .gateway: [.organizations, .membership, .partners, .branding]
        }
    }

    /// How far its RPC port lies above the gateway's.
    var portOffset: Int {
        switch self {
        case .gateway: 0
        case .organizations: 1
        case .membership: 2
        case .partners: 3
        case .branding: 4
        }
    }
}

/// The sign-in of the first platform owner.
struct OwnerSignIn: Sendable {
    let email: String
    let password: String
}

/// How mails go out.
struct MailOptions: Sendable {
    /// Where they are handed to; nil: to a folder in the data.
    let destination: String?
    /// Who sends them; nil: as the service has it.
    let from: String?
}

/// What is to be done about the demonstration.
enum DemonstrationState: String, Sendable {
    case wanted
    case loaded
    case unwanted
}

/// Where an installation keeps its files.
///
/// The folder is readable by its owner alone.
struct Installation: Sendable {
    /// The name under which the command line signs what it calls.
    static let operatorName = "operator"

    /// The folder of the databases, keys and logs.
    let data: URL
    /// The folder of the executables.
    let executables: URL

    init(data: URL, executables: URL) throws {
        self.data = data
        self.executables = executables
        for part in Part.allCases {
            let path = executable(of: part).path
            guard FileManager.default.isExecutableFile(atPath: path) else {
                throw ValidationError("The executable \(path) is missing: build all products.")
            }
        }
        for folder in [data, logs] {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        // All of them now, so that nobody calls before the others can believe it.
        for name in Part.allCases.map(\.rawValue) + [Self.operatorName] {
            _ = try KeyRing(folder: keys.path, name: name)
        }
    }

    var keys: URL { data.appending(path: "keys") }
    private var logs: URL { data.appending(path: "logs") }
    private var ownerFile: URL { data.appending(path: "owner-sign-in") }
    private var addressesFile: URL { data.appending(path: "addresses") }
    private var demonstrationFile: URL { data.appending(path: "demonstration") }

    func executable(of part: Part) -> URL { executables.appending(path: part.rawValue) }
    func log(of part: Part) -> URL { logs.appending(path: "\(part.rawValue).log") }

    /// Notes where the parts answer, for the other commands.
    func keep(_ ports: Ports) throws {
        let lines = Part.allCases.map { "\($0.rawValue) \(ports.address(of: $0))\n" }
        try write(lines.joined(), to: addressesFile)
    }

    /// Where the parts of an installation answered when it was started last.
    ///
    /// - Parameter data: Its data folder.
    /// - Returns: The addresses that are known; none before the first start.
    static func addresses(in data: URL) -> [Part: String] {
        let file = data.appending(path: "addresses")
        // A folder without the file: somebody starts the services by other means.
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [:] }
        var addresses: [Part: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if words.count == 2, let part = Part(rawValue: words[0]) { addresses[part] = words[1] }
        }
        return addresses
    }

    /// Whether the demonstration is still to be loaded.
    ///
    /// Decided on the first start and kept: data of somebody's own never gets it by surprise.
    ///
    /// - Parameters:
    ///   - asked: Whether this start asks for it by a flag; nil when it says nothing.
    ///   - standard: What a first start does that says nothing.
    /// - Returns: Whether this start loads it.
    /// - Throws: When the decision cannot be kept.
    func wantsDemonstration(asked: Bool?, standard: Bool) throws -> Bool {
        let kept = try? String(contentsOf: demonstrationFile, encoding: .utf8)
        switch kept.flatMap(DemonstrationState.init) {
        case .loaded: return false
        case .wanted: return asked ?? true
        case .unwanted: return asked ?? false
        case nil:
            let isWanted = asked ?? (standard && !hasDatabases)
            try keep(isWanted ? DemonstrationState.wanted : .unwanted)
            return isWanted
        }
    }

    /// Whether there are data already, such as those of a backup.
    private var hasDatabases: Bool {
        Part.withDatabase.contains(where: hasDatabase(of:))
    }

    private func hasDatabase(of part: Part) -> Bool {
        FileManager.default.fileExists(atPath: data.appending(path: part.databaseName).path)
    }

    func keep(_ state: DemonstrationState) throws {
        try write(state.rawValue, to: demonstrationFile)
    }

    /// The first platform owner: as given, else as kept, else made up.
    ///
    /// A new one is kept at once, unless Membership has a database already, such as that of a
    /// backup: its owner has another password. What is not kept at once, or differs from what is,
    /// is kept by a keeping of its own once it has signed in: the file may be the only copy of the
    /// password.
    func owner(email: String?, password: String?) throws -> OwnerSignIn {
        let kept = try? String(contentsOf: ownerFile, encoding: .utf8)
            .split(separator: "\n").map(String.init)
        let owner = OwnerSignIn(
            email: email ?? kept?.first ?? "owner@guildhall.example",
            password: password ?? kept?.dropFirst().first ?? Self.madeUpPassword())
        if kept == nil, !hasDatabase(of: .membership) { try keep(owner) }
        return owner
    }

    /// Keeps the sign-in, unless it is kept already: what is not written cannot be half written.
    func keep(_ owner: OwnerSignIn) throws {
        let text = "\(owner.email)\n\(owner.password)\n"
        guard (try? String(contentsOf: ownerFile, encoding: .utf8)) != text else { return }
        try write(text, to: ownerFile)
    }

    /// Where the sign-in is kept, for the person at the terminal.
    var ownerFilePath: String { ownerFile.path }

    /// 20 letters and digits that are not mistaken for one another: more than 110 bits.
    private static func madeUpPassword() -> String {
        let alphabet = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        var generator = SystemRandomNumberGenerator()
        return String(
            (0..<20).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
    }

    private func write(_ text: String, to file: URL) throws {
        // Made with its mode: the file is never readable by others, not even for a moment.
        guard
            FileManager.default.createFile(
                atPath: file.path, contents: Data(text.utf8),
                attributes: [.posixPermissions: 0o600])
        else { throw ValidationError("Cannot write \(file.path).") }
    }
}
